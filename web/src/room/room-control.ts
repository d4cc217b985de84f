// What the room's page knows and wants: the newest word of the server, and the curtain that the resident asked for.
//
// Closing is asked for until the server says that it is closed, whatever happens to the connection meanwhile. Opening is
// asked for once, and never later by itself: whoever opens must be there to see it.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { Channel, type ChannelPorts, type ChannelState } from "../control/channel";
import type { Cancel } from "../time/timers";
import type { Access, Room, RoomAnswer, ServerMessage } from "../wire/messages";
import { answerPerson, setCurtain } from "../wire/outgoing";

/** Often, because somebody may rely on what the page says: a dead connection is noticed within eight seconds. */
const PING_MS = 2000;
/** How often closing is asked for again. */
const RETRY_MS = 1000;
/** Closing takes a few milliseconds; after this long without a word the resident is told to cover the camera. */
const UNKNOWN_MS = 3000;
/** Opening waits for the disk. */
const OPEN_TIMEOUT_MS = 8000;

export interface RoomPorts extends Omit<ChannelPorts, "receive"> {
  /** Closes the curtain by an ordinary request, where the socket does not get through. True once it is closed. */
  requestClosing(): Promise<boolean>;
  /** Somebody came, or knocked, since the last word of the server. */
  announce(what: Announcement): void;
}

export type Announcement = "arrival" | "knock";

/** What became of the resident's last wish about the curtain; `close_unknown` goes on trying. */
export type Wish = "none" | "closing" | "close_unknown" | "opening" | "open_failed";

export class RoomControl {
  readonly #ports: RoomPorts;
  readonly #channel: Channel;
  readonly #room = signal<Room | null>(null);
  readonly #access = signal<Access | null>(null);
  readonly #wish = signal<Wish>("none");
  #closingSinceMs = 0;
  #cancel: Cancel = () => {};

  /** Whether what the page shows is what the server says now. */
  readonly isConnected: ReadonlySignal<boolean> = computed(
    () => this.#channel.state.value.kind === "open" && this.#room.value !== null,
  );
  /** The server has said that this session does not speak for the room. */
  readonly isForbidden: ReadonlySignal<boolean> = computed(
    () => this.#access.value !== null && !this.#access.value.rights.includes("room"),
  );

  constructor(ports: RoomPorts) {
    this.#ports = ports;
    this.#channel = new Channel({ ...ports, receive: (message) => this.#receive(message) });
    this.#channel.setPingInterval(PING_MS);
    this.#channel.state.subscribe((state) => {
      if (state.kind !== "open") {
        this.#access.value = null; // it is said again on the next socket
        this.#room.value = null; // nobody knows who is looking now
        if (this.#wish.value === "opening") {
          this.#fulfil("open_failed");
        }
      }
    });
  }

  get connection(): ReadonlySignal<ChannelState> {
    return this.#channel.state;
  }

  /** What the server says now; null while that is not known. */
  get room(): ReadonlySignal<Room | null> {
    return this.#room;
  }

  get wish(): ReadonlySignal<Wish> {
    return this.#wish;
  }

  open(): void {
    this.#channel.open();
  }

  close(): void {
    this.#cancel();
    this.#channel.close();
  }

  /** The network or the resident came back. */
  retryNow(): void {
    this.#channel.retryNow();
  }

  /** Asks for a closed curtain until the server says that it is. */
  closeCurtain(): void {
    if (this.#wish.value === "closing" || this.#wish.value === "close_unknown") {
      return;
    }
    if (
      this.isConnected.value &&
      this.#room.value?.curtain.closed === true &&
      this.#wish.value !== "opening"
    ) {
      return;
    }
    this.#wish.value = "closing";
    this.#closingSinceMs = this.#ports.timers.now();
    this.#askToClose();
  }

  /** Asks for an open curtain, once. */
  openCurtain(): void {
    if (this.#wish.value === "closing" || this.#wish.value === "close_unknown" || !this.isConnected.value) {
      return;
    }
    this.#cancel();
    if (!this.#channel.send(setCurtain(false))) {
      this.#wish.value = "open_failed";
      return;
    }
    this.#wish.value = "opening";
    this.#cancel = this.#ports.timers.after(OPEN_TIMEOUT_MS, () => this.#fulfil("open_failed"));
  }

  /** Answers a person; false if that could not be sent. */
  answer(person: string, answer: RoomAnswer["answer"]): boolean {
    return this.isConnected.value && this.#channel.send(answerPerson(person, answer));
  }

  #askToClose(): void {
    this.#cancel();
    const isSent = this.#channel.send(setCurtain(true));
    if (!isSent) {
      this.#channel.retryNow();
    }
    const now = this.#ports.timers.now();
    if (!isSent || now - this.#closingSinceMs >= RETRY_MS) {
      void this.#requestClosing();
    }
    if (now - this.#closingSinceMs >= UNKNOWN_MS) {
      this.#wish.value = "close_unknown";
    }
    this.#cancel = this.#ports.timers.after(RETRY_MS, () => this.#askToClose());
  }

  async #requestClosing(): Promise<void> {
    const isClosed = await this.#ports.requestClosing();
    const isWanted = this.#wish.value === "closing" || this.#wish.value === "close_unknown";
    if (isClosed && isWanted) {
      this.#fulfil("none");
    }
  }

  #fulfil(wish: Wish): void {
    this.#cancel();
    this.#wish.value = wish;
  }

  #receive(message: ServerMessage): void {
    if (message.type === "access") {
      this.#access.value = message;
    } else if (message.type === "room") {
      this.#receiveRoom(message);
    } else if (message.type === "error" && this.#wish.value === "opening") {
      this.#fulfil("open_failed");
    }
  }

  #receiveRoom(room: Room): void {
    const before = this.#room.value;
    this.#room.value = room;
    const { closed } = room.curtain;
    const wish = this.#wish.value;
    if (closed && (wish === "closing" || wish === "close_unknown")) {
      this.#fulfil("none");
    }
    if (!closed && (wish === "opening" || wish === "open_failed")) {
      this.#fulfil("none");
    }
    if (before !== null) {
      this.#announce(before, room);
    }
  }

  #announce(before: Room, now: Room): void {
    const known = (people: readonly { person: string }[]) => new Set(people.map((each) => each.person));
    const [asked, present] = [known(before.knocks), known(before.here)];
    if (now.knocks.some((each) => !asked.has(each.person))) {
      this.#ports.announce("knock");
    } else if (now.here.some((each) => !present.has(each.person) && !asked.has(each.person))) {
      this.#ports.announce("arrival");
    }
  }
}
