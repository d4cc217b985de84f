// One visit, from joining to leaving: connects the picture, the control channel and the driver.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { Channel, type ChannelState } from "../control/channel";
import { Driver } from "../drive/driver";
import type { CutReason, Hold } from "../drive/hold";
import { PING_RETRY_MS } from "../drive/setpoint-sender";
import { isZero } from "../drive/velocity";
import { Painter } from "../stage/painter";
import type { Player } from "../stage/player";
import { Viewer } from "../stage/viewer";
import type { ShownFrame, ViewerState } from "../stage/viewer-ports";
import type { WayName } from "../stage/way";
import { ServerTime } from "../time/server-time";
import { SleepDetector } from "../time/sleep-detector";
import type { Cancel } from "../time/timers";
import { Hearing } from "../voice/hearing";
import { Talk } from "../voice/talk";
import type { Access, ServerMessage } from "../wire/messages";
import { knock } from "../wire/outgoing";
import { Handover } from "./handover";
import { type Latencies, LatencyMeter, NO_LATENCIES } from "./latency-meter";
import { RoomAccess } from "./room-access";
import { type StatusMessage, statusMessageFor } from "./status-message";
import type { EndVisitState, ServerState, VisitPorts } from "./visit-ports";

/** While this page has the lease: often enough that a press finds a recent server time and need not ping first. */
const DRIVING_PING_MS = 300;
/** Well under the hundred seconds after which some proxies close an idle socket. */
const IDLE_PING_MS = 20_000;
/** During a hold: every setpoint must name a recent server time. */
const HOLDING_PING_MS = PING_RETRY_MS;
/** A ping unanswered for this long cuts the hold: commands would arrive too late as well. */
const MAX_SILENCE_MS = 2500;
/** How long after the picture's end the socket may still say why the visit has ended. */
const MAX_REASON_MS = 1000;
/** How often to check for silence and sleep, and to update the latencies. */
const CHECK_INTERVAL_MS = 500;

const UNKNOWN_SERVER_STATE: ServerState = { headName: "", pan: null, tilt: null, stage: null };

export class Visit {
  readonly #ports: VisitPorts;
  readonly #latencyMeter: LatencyMeter;
  readonly #serverTime: ServerTime;
  readonly #sleepDetector: SleepDetector;
  readonly #channel: Channel;
  readonly #viewer: Viewer;
  /** Plays the picture that comes by WebRTC. */
  readonly player: Player;
  /** Draws the picture where it does not come by WebRTC. */
  readonly painter: Painter;
  readonly driver: Driver;
  readonly handover: Handover;
  readonly talk: Talk;
  readonly hearing: Hearing;
  readonly #roomAccess = new RoomAccess();
  readonly #mayTalk = signal(false);
  #isVisible = true;

  readonly #isJoined = signal(false);
  readonly #endVisitState = signal<EndVisitState>("unavailable");
  readonly #hasDriven = signal(false);
  readonly #firstPictureMs = signal<number | null>(null);
  readonly #serverState = signal(UNKNOWN_SERVER_STATE);
  readonly #latencies = signal(NO_LATENCIES);
  readonly #freeInS = signal<number | null>(null);
  #joinedAtMs = 0;
  #cancelCheck: Cancel = () => {};

  /** The message to show now. */
  readonly statusMessage: ReadonlySignal<StatusMessage> = computed(() =>
    statusMessageFor({
      ...this.#serverState.value,
      channel: this.#channel.state.value,
      viewer: this.#viewer.state.value,
      roomAccess: this.#roomAccess.state.value,
      wallNowMs: this.#ports.timers.wallNow(),
      streamLack: this.#ports.streamLack,
      isPlayRefused: this.player.isRefused.value,
      hold: this.driver.hold.value,
      lease: this.driver.lease.value,
      freeInS: this.#freeInS.value,
      answer: this.handover.answer.value,
      isWatchOnly: this.handover.isWatchOnly.value,
      pendingStop: this.driver.pendingStop.value,
      hasSeenPicture: this.#firstPictureMs.value !== null,
      hasDriven: this.#hasDriven.value,
    }),
  );

  /** Whether the visit has ended, and the server has said why or has had the time for it. */
  readonly isOver: ReadonlySignal<boolean> = computed(() => {
    const isSilent = ["ended", "closed"].includes(this.#channel.state.value.kind);
    return this.#isJoined.value && isSilent && this.statusMessage.value.topic === "ended";
  });

  constructor(ports: VisitPorts) {
    this.#ports = ports;
    this.#latencyMeter = new LatencyMeter(ports.timers);
    this.#serverTime = new ServerTime(ports.timers);
    this.#sleepDetector = new SleepDetector(ports.timers);
    this.#channel = new Channel({ ...ports, receive: (message) => this.#receive(message) });
    this.player = ports.player;
    this.painter = new Painter({
      ...ports,
      receiveShown: (capturedAtMs, shownAtMs) => this.#viewer.receiveDrawn(capturedAtMs, shownAtMs),
    });
    this.#viewer = new Viewer({
      ...ports,
      show: (stream) => this.player.show(stream),
      draw: (picture) => this.painter.receivePicture(picture),
      receiveFrameTimes: (capturedAtMs, shownAtMs) =>
        this.#latencyMeter.receiveFrameTimes(capturedAtMs, shownAtMs),
    });
    this.driver = new Driver({
      timers: ports.timers,
      send: (message) => this.#channel.send(message),
      isBackedUp: () => this.#channel.isBackedUp(),
      newestServerTime: () => this.#serverTime.newest,
      blockedReason: () => {
        this.#reconnectAfterSleep();
        return this.#blockedReason();
      },
      ping: () => this.#channel.pingNow(),
      reconnect: () => {
        if (this.#channel.state.value.kind !== "connecting") {
          this.#channel.reconnect();
        }
      },
    });
    this.handover = new Handover({
      timers: ports.timers,
      driver: this.driver,
      send: (message) => this.#channel.send(message),
    });
    this.talk = new Talk({
      ...ports,
      connection: this.#viewer.voice,
      send: (message) => this.#channel.send(message),
    });
    this.hearing = new Hearing(ports.sound);
    this.#viewer.voice.subscribe((voice) => this.hearing.receiveTrack(voice?.heard ?? null));
    this.#channel.state.subscribe((state) => this.#receiveChannelState(state));
    this.player.isRefused.subscribe((isRefused) => this.#receivePlayRefused(isRefused));
    this.#viewer.state.subscribe((state) => this.#receiveViewerState(state));
    this.driver.hold.subscribe((hold) => this.#receiveHold(hold));
    this.driver.lease.subscribe(() => this.#updatePingInterval());
  }

  get isJoined(): ReadonlySignal<boolean> {
    return this.#isJoined;
  }

  get endVisitState(): ReadonlySignal<EndVisitState> {
    return this.#endVisitState;
  }

  get viewer(): ReadonlySignal<ViewerState> {
    return this.#viewer.state;
  }

  /** The way of the picture on the screen, null before the first. */
  get way(): ReadonlySignal<WayName | null> {
    return this.#viewer.way;
  }

  /** Whether the picture comes indirectly, because no direct one reaches this screen. */
  get isIndirect(): ReadonlySignal<boolean> {
    return this.#viewer.isIndirect;
  }

  /** Whether this visitor may talk to the room, as far as rights go. */
  get mayTalk(): ReadonlySignal<boolean> {
    return this.#mayTalk;
  }

  /** What the room's microphone hears; null while the picture comes by a way without sound. */
  readonly sound: ReadonlySignal<MediaStreamTrack | null> = computed(
    () => this.#viewer.voice.value?.heard ?? null,
  );

  /** Whether the room shows nothing to this visit now, or the visitor has to tap before it does again. */
  readonly isWithheld: ReadonlySignal<boolean> = computed(
    () => this.#roomAccess.state.value.kind !== "open" || this.#viewer.state.value.kind === "withheld",
  );

  /** From joining to the first frame, null before it. */
  get firstPictureMs(): ReadonlySignal<number | null> {
    return this.#firstPictureMs;
  }

  get serverState(): ReadonlySignal<ServerState> {
    return this.#serverState;
  }

  get latencies(): ReadonlySignal<Latencies> {
    return this.#latencies;
  }

  join(): void {
    this.#joinedAtMs = this.#ports.timers.now();
    this.#firstPictureMs.value = null;
    this.#endVisitState.value = "unavailable";
    this.#isJoined.value = true;
    this.#roomAccess.reset();
    this.#open();
  }

  /** Asks the room to be let in. */
  knock(): void {
    this.#channel.send(knock());
  }

  /** Looks again after the room had shown nothing. */
  lookAgain(): void {
    this.#roomAccess.reset();
    this.#joinedAtMs = this.#ports.timers.now();
    this.#viewer.open();
  }

  /** Leaves; the session stays, so the visitor can join again. */
  leave(): void {
    this.#close();
    this.driver.discardPendingStop();
    this.#isJoined.value = false;
    this.#endVisitState.value = "available";
    this.#serverState.value = UNKNOWN_SERVER_STATE;
  }

  /** Ends the session, and with it the visits in all other windows of this browser. */
  async endVisit(): Promise<void> {
    this.#endVisitState.value = "pending";
    const hasEnded = await this.#ports.endSession();
    if (this.#endVisitState.value === "pending") {
      this.#endVisitState.value = hasEnded ? "done" : "failed";
    }
  }

  /** Ends all waits for the next attempt to connect. */
  retryNow(): void {
    this.#channel.retryNow();
    this.#viewer.retryNow();
  }

  receiveFrame(frame: ShownFrame): void {
    this.#viewer.receiveFrame(frame);
  }

  /** The page was hidden or shown. A hidden page cannot drive, so it returns the lease. */
  receiveVisibility(isVisible: boolean): void {
    this.#isVisible = isVisible;
    this.#viewer.receiveVisibility(isVisible);
    this.#channel.receiveVisibility(isVisible);
    if (isVisible) {
      this.#reconnectAfterSleep();
      this.player.receiveVisible();
      this.#channel.retryNow();
    } else {
      this.driver.returnLease();
      this.talk.end();
    }
  }

  /** The page is unloaded, or kept by the browser's back/forward cache. */
  receivePageHide(): void {
    if (this.#isJoined.value) {
      this.#close();
    }
  }

  /** The page was restored from the back/forward cache. */
  receivePageShow(): void {
    if (this.#isJoined.value) {
      this.#open();
    }
  }

  #open(): void {
    if (this.#roomAccess.state.value.kind === "open") {
      this.#viewer.open();
    }
    this.#channel.open();
    this.#checkConnection();
  }

  #close(): void {
    this.#cancelCheck();
    this.driver.returnLease();
    this.talk.end();
    this.#channel.close();
    this.#viewer.close();
    this.painter.clear();
    this.#latencies.value = NO_LATENCIES;
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#latencyMeter.reset();
        this.#latencyMeter.receivePong(message.clock, message.server);
        this.driver.receiveTiming(message);
        this.#receiveServerTime(message.server);
        this.#serverState.value = { ...this.#serverState.value, headName: message.head };
        break;
      case "pong":
        this.#latencyMeter.receivePong(message.clock, message.server);
        this.driver.receivePong(message.clock);
        this.#receiveServerTime(message.server);
        break;
      case "ack":
        this.#latencyMeter.receiveAck(message);
        this.#receiveServerTime(message.written);
        break;
      case "state": {
        const { pan, tilt, stage } = message;
        this.#serverState.value = { ...this.#serverState.value, pan, tilt, stage };
        this.#viewer.receiveAvailability(stage.available);
        break;
      }
      case "lease":
        this.driver.receiveLease(message);
        this.#updateFreeIn();
        break;
      case "lease.offers":
        this.handover.receiveOffers(message);
        break;
      case "lease.answered":
        this.handover.receiveAnswer(message.answer);
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
      case "access":
        this.#receiveAccess(message);
        break;
      case "voice":
        this.talk.receiveVoice(message);
        break;
      case "talk.ended":
        this.talk.receiveEnded(message.reason);
        break;
    }
  }

  #receiveAccess(access: Access): void {
    this.#mayTalk.value = access.rights.includes("talk");
    const isLooking = this.#firstPictureMs.value !== null;
    switch (this.#roomAccess.receive(access, isLooking, this.#isVisible)) {
      case "look":
        this.lookAgain();
        break;
      case "end":
        this.#viewer.close();
        this.#forgetPicture();
        break;
      case "neither":
        break;
    }
  }

  /** Nothing of the room stays on the page. */
  #forgetPicture(): void {
    this.#clearPicture();
    this.#firstPictureMs.value = null;
  }

  #clearPicture(): void {
    this.painter.clear();
    this.player.show(null); // its element outlives the view
  }

  #receiveServerTime(serverMs: number): void {
    this.#serverTime.receive(serverMs);
    this.driver.receiveServerTime();
  }

  /** A sleep sets the page's clock back for good, so the clock offset and delays known to both sides are wrong. */
  #reconnectAfterSleep(): void {
    if (this.#sleepDetector.check()) {
      this.#channel.reconnect();
    }
  }

  #blockedReason(): CutReason | null {
    if (this.#viewer.state.value.kind !== "live" || this.#isPaused()) {
      return "no_picture";
    }
    const channel = this.#channel.state.value;
    if (channel.kind === "connecting" && channel.attempt === 0) {
      return null; // it drives as soon as the socket is open; if that fails, `receiveDisconnected` cuts the hold
    }
    if (channel.kind !== "open") {
      return "offline";
    }
    if (this.handover.isWatchOnly.value) {
      return "watch_only";
    }
    const holder = this.driver.lease.value?.holder;
    if (holder === "other" || holder === "house") {
      return "other_drives";
    }
    const { pan, tilt } = this.#serverState.value;
    const isUnknown = pan === null && tilt === null; // `state` follows `welcome`; until then the server decides
    const canTurn = pan?.link === "ready" || tilt?.link === "ready";
    return isUnknown || canTurn ? null : "out_of_reach";
  }

  #receiveChannelState(state: ChannelState): void {
    if (state.kind === "open") {
      this.driver.receiveConnected();
    } else {
      this.driver.receiveDisconnected();
      this.handover.receiveDisconnected();
      this.talk.receiveDisconnected();
      this.#serverTime.reset();
      this.#serverState.value = { ...this.#serverState.value, pan: null, tilt: null, stage: null };
      this.#viewer.receiveAvailability(true); // unknown: without a word of the server, the viewer finds out by itself
    }
    if (state.kind === "ended") {
      this.#cancelCheck();
      this.#viewer.close();
      this.painter.clear();
    }
  }

  /** A picture that stands still is none, as soon as it stands. */
  #isPaused(): boolean {
    return this.player.isRefused.value && this.#viewer.way.value !== "stream";
  }

  #receivePlayRefused(isRefused: boolean): void {
    this.#viewer.receivePaused(isRefused);
    if (this.#isPaused()) {
      this.driver.cut("no_picture");
    }
  }

  #receiveViewerState(state: ViewerState): void {
    if (state.kind !== "live") {
      this.driver.cut("no_picture");
    } else if (this.#firstPictureMs.value === null) {
      this.#firstPictureMs.value = this.#ports.timers.now() - this.#joinedAtMs;
    }
    if (state.kind === "withheld") {
      this.#forgetPicture();
    }
    if (state.kind === "ended") {
      this.#cancelCheck();
      this.#clearPicture();
      // The picture may end before the socket, whose close says why.
      this.#cancelCheck = this.#ports.timers.after(MAX_REASON_MS, () => this.#channel.close());
    }
  }

  #receiveHold(hold: Hold): void {
    if (hold.kind === "live" && !isZero(hold.velocity)) {
      this.#hasDriven.value = true;
    }
    this.#updatePingInterval();
  }

  #updatePingInterval(): void {
    if (this.driver.hold.value.kind === "live") {
      this.#channel.setPingInterval(HOLDING_PING_MS);
    } else {
      const isDriver = this.driver.lease.value?.holder === "you";
      this.#channel.setPingInterval(isDriver ? DRIVING_PING_MS : IDLE_PING_MS);
    }
  }

  /** In how many seconds the lease of a driver whose connection is lost will be free. */
  #updateFreeIn(): void {
    const freeAtMs = this.driver.lease.value?.free_at ?? null;
    const server = this.#serverTime.newest;
    this.#freeInS.value =
      freeAtMs === null || server === null
        ? null
        : Math.max(0, Math.ceil((freeAtMs - server.serverMs - server.ageMs) / 1000));
  }

  #checkConnection(): void {
    this.#cancelCheck();
    this.#reconnectAfterSleep();
    if (this.#channel.silenceMs > MAX_SILENCE_MS) {
      this.driver.cut("too_late");
    }
    this.#latencies.value = this.#latencyMeter.latencies();
    this.#updateFreeIn();
    this.#cancelCheck = this.#ports.timers.after(CHECK_INTERVAL_MS, () => this.#checkConnection());
  }
}
