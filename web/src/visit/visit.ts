// One visit from the tap to the leaving: brings the picture, the control channel and the hand together.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { Channel, type ChannelPorts, type ChannelState } from "../control/channel";
import { Driver } from "../drive/driver";
import type { CutReason, Hold } from "../drive/hold";
import { PING_RETRY_MS } from "../drive/setpoint-sender";
import { isZero } from "../drive/velocity";
import { type ShownFrame, Viewer, type ViewerPorts, type ViewerState } from "../stage/viewer";
import { ServerTime } from "../time/server-time";
import { SleepDetector } from "../time/sleep-detector";
import type { Cancel } from "../time/timers";
import type { AxisState, ServerMessage, StageState } from "../wire/messages";
import { type Figures, Meter, NO_FIGURES } from "./latency-meter";
import { type Saying, say } from "./status-message";

/** Who has the lease has heard of the server lately enough to press without asking first. */
const DRIVING_PING_MS = 300;
/** Well under the hundred seconds after which proxies cut an idle socket. */
const IDLE_PING_MS = 20_000;
/** While a hand is on the head, each setpoint must name a time of the server's clock that is hardly old. */
const HOLDING_PING_MS = PING_RETRY_MS;
const SILENT_MS = 2500;
/** How often figures and silence are looked at. */
const CHECK_INTERVAL_MS = 500;

export type VisitPorts = Pick<ChannelPorts, "timers" | "random" | "openSocket" | "hasSession"> &
  Pick<ViewerPorts, "join"> & {
    /** Ends the visitor's session at the server; false where that could not be done. */
    endSession(): Promise<boolean>;
  };

/** How far the visitor is with ending the session, so that nobody comes in with this browser without a new link. */
export type Goodbye = "none" | "possible" | "asking" | "failed" | "done";

/** What the server last said of the house. */
export interface House {
  readonly head: string;
  readonly pan: AxisState | null;
  readonly tilt: AxisState | null;
  readonly stage: StageState | null;
}

const UNKNOWN_HOUSE: House = { head: "", pan: null, tilt: null, stage: null };

export class Visit {
  readonly #ports: VisitPorts;
  readonly #meter: Meter;
  readonly #serverTime: ServerTime;
  readonly #sleepDetector: SleepDetector;
  readonly #channel: Channel;
  readonly #viewer: Viewer;
  readonly driver: Driver;

  readonly #isInside = signal(false);
  readonly #goodbye = signal<Goodbye>("none");
  readonly #hasDriven = signal(false);
  readonly #firstPictureMs = signal<number | null>(null);
  readonly #stream = signal<MediaStream | null>(null);
  readonly #house = signal(UNKNOWN_HOUSE);
  readonly #figures = signal(NO_FIGURES);
  #joinedAtMs = 0;
  #cancelLook: Cancel = () => {};

  /** The one thing to say now. */
  readonly saying: ReadonlySignal<Saying> = computed(() =>
    say({
      ...this.#house.value,
      channel: this.#channel.state.value,
      viewer: this.#viewer.state.value,
      hold: this.driver.hold.value,
      lease: this.driver.lease.value,
      pendingStop: this.driver.pendingStop.value,
      hasSeen: this.#firstPictureMs.value !== null,
      hasDriven: this.#hasDriven.value,
    }),
  );

  constructor(ports: VisitPorts) {
    this.#ports = ports;
    this.#meter = new Meter(ports.timers);
    this.#serverTime = new ServerTime(ports.timers);
    this.#sleepDetector = new SleepDetector(ports.timers);
    this.#channel = new Channel({ ...ports, receive: (message) => this.#receive(message) });
    this.#viewer = new Viewer({
      ...ports,
      show: (stream) => {
        this.#stream.value = stream;
      },
      receiveFrameTimes: (capturedAtMs, shownAtMs) => this.#meter.receivePicture(capturedAtMs, shownAtMs),
    });
    this.driver = new Driver({
      timers: ports.timers,
      send: (message) => this.#channel.send(message),
      isBackedUp: () => this.#channel.isBackedUp(),
      newestServerTime: () => this.#serverTime.newest,
      blockedReason: () => {
        this.#noticeSleep();
        return this.#blockedReason();
      },
      ping: () => this.#channel.pingNow(),
      reconnect: () => {
        if (this.#channel.state.value.kind !== "connecting") {
          this.#channel.reconnect();
        }
      },
    });
    this.#channel.state.subscribe((state) => this.#followChannel(state));
    this.#viewer.state.subscribe((state) => this.#followViewer(state));
    this.driver.hold.subscribe((hold) => this.#followHold(hold));
    this.driver.lease.subscribe(() => this.#setPace());
  }

  get isInside(): ReadonlySignal<boolean> {
    return this.#isInside;
  }

  get goodbye(): ReadonlySignal<Goodbye> {
    return this.#goodbye;
  }

  get viewer(): ReadonlySignal<ViewerState> {
    return this.#viewer.state;
  }

  /** From the tap to the first picture in milliseconds, null before it. */
  get firstPictureMs(): ReadonlySignal<number | null> {
    return this.#firstPictureMs;
  }

  get stream(): ReadonlySignal<MediaStream | null> {
    return this.#stream;
  }

  get house(): ReadonlySignal<House> {
    return this.#house;
  }

  get figures(): ReadonlySignal<Figures> {
    return this.#figures;
  }

  /** The visitor comes in. */
  join(): void {
    this.#joinedAtMs = this.#ports.timers.now();
    this.#firstPictureMs.value = null;
    this.#goodbye.value = "none";
    this.#isInside.value = true;
    this.#open();
  }

  /** The visitor goes, and may come back with a tap. */
  leave(): void {
    this.#close();
    this.driver.discardPendingStop();
    this.#isInside.value = false;
    this.#goodbye.value = "possible";
    this.#house.value = UNKNOWN_HOUSE;
  }

  /** The visitor who went will not come back: the session ends, and with it all other windows of this browser. */
  async sayGoodbye(): Promise<void> {
    this.#goodbye.value = "asking";
    const isOver = await this.#ports.endSession();
    if (this.#goodbye.value === "asking") {
      this.#goodbye.value = isOver ? "done" : "failed";
    }
  }

  /** Do not wait any longer before trying again. */
  retryNow(): void {
    this.#channel.retryNow();
    this.#viewer.retryNow();
  }

  receiveFrame(frame: ShownFrame): void {
    this.#viewer.receiveFrame(frame);
  }

  /** The page was hidden, or is seen again. Nobody drives from a hidden page. */
  receiveVisibility(isVisible: boolean): void {
    this.#viewer.receiveVisibility(isVisible);
    if (isVisible) {
      this.#noticeSleep();
      this.#channel.retryNow();
    } else {
      this.driver.returnLease();
    }
  }

  /** The page is going away; it may come back as it was. */
  receiveGone(): void {
    if (this.#isInside.value) {
      this.#close();
    }
  }

  /** The page came back as it was. */
  receiveBack(): void {
    if (this.#isInside.value) {
      this.#open();
    }
  }

  #open(): void {
    this.#viewer.open();
    this.#channel.open();
    this.#look();
  }

  #close(): void {
    this.#cancelLook();
    this.driver.returnLease();
    this.#channel.close();
    this.#viewer.close();
    this.#figures.value = NO_FIGURES;
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#meter.forgetClock();
        this.#meter.receiveAnswer(message.clock, message.server);
        this.driver.receiveTiming(message);
        this.#hear(message.server);
        this.#house.value = { ...this.#house.value, head: message.head };
        break;
      case "pong":
        this.#meter.receiveAnswer(message.clock, message.server);
        this.driver.receivePong(message.clock);
        this.#hear(message.server);
        break;
      case "ack":
        this.#meter.receiveAck(message);
        this.#hear(message.written);
        break;
      case "state": {
        const { pan, tilt, stage } = message;
        this.#house.value = { ...this.#house.value, pan, tilt, stage };
        break;
      }
      case "lease":
        this.driver.receiveLease(message);
        break;
      case "notice":
        if (message.code === "clock_jumped") {
          this.#serverTime.reset();
        }
        this.driver.receiveNotice(message);
        break;
      case "error":
        this.driver.receiveError(message);
        break;
    }
  }

  #hear(serverMs: number): void {
    this.#serverTime.receive(serverMs);
    this.driver.receiveServerTime();
  }

  /** After a sleep the page's clock is late for good: what the server and the page know of the way is wrong. */
  #noticeSleep(): void {
    if (this.#sleepDetector.check()) {
      this.#channel.reconnect();
    }
  }

  #blockedReason(): CutReason | null {
    if (this.#viewer.state.value.kind !== "live") {
      return "no_picture";
    }
    const channel = this.#channel.state.value;
    if (channel.kind === "connecting" && channel.attempt === 0) {
      return null; // as soon as the socket is there; where it does not come, the press is cut then
    }
    if (channel.kind !== "open") {
      return "offline";
    }
    if (this.driver.lease.value?.holder === "other") {
      return "other_drives";
    }
    const { pan, tilt } = this.#house.value;
    const isUntold = pan === null && tilt === null; // a moment later than the socket is there; until then the server judges
    const canTurn = pan?.link === "ready" || tilt?.link === "ready";
    return isUntold || canTurn ? null : "out_of_reach";
  }

  #followChannel(state: ChannelState): void {
    if (state.kind === "open") {
      this.driver.receiveConnected();
    } else {
      this.driver.receiveDisconnected();
      this.#serverTime.reset();
      this.#house.value = { ...this.#house.value, pan: null, tilt: null, stage: null };
    }
    if (state.kind === "ended") {
      this.#cancelLook();
      this.#viewer.close();
    }
  }

  #followViewer(state: ViewerState): void {
    if (state.kind !== "live") {
      this.driver.cut("no_picture");
    } else if (this.#firstPictureMs.value === null) {
      this.#firstPictureMs.value = this.#ports.timers.now() - this.#joinedAtMs;
    }
    if (state.kind === "ended") {
      this.#cancelLook();
      this.#channel.close();
    }
  }

  #followHold(hold: Hold): void {
    if (hold.kind === "live" && !isZero(hold.velocity)) {
      this.#hasDriven.value = true;
    }
    this.#setPace();
  }

  #setPace(): void {
    if (this.driver.hold.value.kind === "live") {
      this.#channel.setPingInterval(HOLDING_PING_MS);
    } else {
      const isDriver = this.driver.lease.value?.holder === "you";
      this.#channel.setPingInterval(isDriver ? DRIVING_PING_MS : IDLE_PING_MS);
    }
  }

  #look(): void {
    this.#cancelLook();
    this.#noticeSleep();
    if (this.#channel.silenceMs > SILENT_MS) {
      this.driver.cut("too_late");
    }
    this.#figures.value = this.#meter.figures();
    this.#cancelLook = this.#ports.timers.after(CHECK_INTERVAL_MS, () => this.#look());
  }
}
