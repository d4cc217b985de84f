// What the room's page knows and wants: the newest word of the server, and the curtain and the microphone as the resident
// asked for them.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { Channel, type ChannelPorts, type ChannelState } from "../control/channel";
import type { Access, Room, RoomAnswer, ServerMessage } from "../wire/messages";
import { answerPerson, setCurtain, setMicrophone } from "../wire/outgoing";
import { SafeSwitch } from "./safe-switch";

/** Often, because somebody may rely on what the page says: a dead connection is noticed within eight seconds. */
const PING_MS = 2000;

export interface RoomPorts extends Omit<ChannelPorts, "receive"> {
  /** Closes the curtain by an ordinary request, where the socket does not get through. True once it is closed. */
  requestClosing(): Promise<boolean>;
  /** Likewise switches the microphone off. */
  requestMicrophoneOff(): Promise<boolean>;
  /** Somebody came, knocked, or began to talk, since the last word of the server. */
  announce(what: Announcement): void;
}

export type Announcement = "arrival" | "knock" | "talk";

export class RoomControl {
  readonly #ports: RoomPorts;
  readonly #channel: Channel;
  readonly #room = signal<Room | null>(null);
  readonly #access = signal<Access | null>(null);
  /** Who has talked in the present visit: only its first words are announced. */
  readonly #hasTalked = new Set<string>();
  readonly curtain: SafeSwitch;
  readonly microphone: SafeSwitch;

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
    const known = <T>(of: (room: Room) => T) => {
      const room = this.#room.value;
      return room !== null && this.isConnected.value ? of(room) : null;
    };
    const shared = { timers: ports.timers, retryNow: () => this.#channel.retryNow() };
    this.curtain = new SafeSwitch({
      ...shared,
      ask: (closed) => this.#channel.send(setCurtain(closed)),
      requestClosing: () => ports.requestClosing(),
      isClosed: () => known((room) => room.curtain.closed),
    });
    this.microphone = new SafeSwitch({
      ...shared,
      ask: (off) => this.#channel.send(setMicrophone(off)),
      requestClosing: () => ports.requestMicrophoneOff(),
      isClosed: () => known((room) => room.microphone.off),
    });
    this.#channel.state.subscribe((state) => {
      if (state.kind !== "open") {
        this.#access.value = null; // it is said again on the next socket
        this.#room.value = null; // nobody knows who is looking now
        this.curtain.receiveFailure();
        this.microphone.receiveFailure();
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

  open(): void {
    this.#channel.open();
  }

  close(): void {
    this.curtain.forget();
    this.microphone.forget();
    this.#channel.close();
  }

  /** The network or the resident came back. */
  retryNow(): void {
    this.#channel.retryNow();
  }

  /** The other position of the microphone's switch. */
  toggleMicrophone(): void {
    const isOff = this.#room.value?.microphone.off ?? false;
    if (isOff && this.microphone.wish.value !== "opening") {
      this.microphone.open();
    } else {
      this.microphone.close();
    }
  }

  /** Answers a person; false if that could not be sent. */
  answer(person: string, answer: RoomAnswer["answer"]): boolean {
    return this.isConnected.value && this.#channel.send(answerPerson(person, answer));
  }

  #receive(message: ServerMessage): void {
    if (message.type === "access") {
      this.#access.value = message;
    } else if (message.type === "room") {
      this.#receiveRoom(message);
    } else if (message.type === "error") {
      this.curtain.receiveFailure();
      this.microphone.receiveFailure();
    }
  }

  #receiveRoom(room: Room): void {
    const before = this.#room.value;
    this.#room.value = room;
    this.curtain.receive(room.curtain.closed);
    this.microphone.receive(room.microphone.off);
    const news = this.#news(before, room);
    if (before !== null && news !== null) {
      this.#ports.announce(news);
    }
  }

  /** The most urgent of what has happened since. */
  #news(before: Room | null, now: Room): Announcement | null {
    const known = (people: readonly { person: string }[]) => new Set(people.map((each) => each.person));
    const [asked, present] = [known(before?.knocks ?? []), known(before?.here ?? [])];
    const firstWords = now.here.filter((each) => each.talks && !this.#hasTalked.has(each.person));
    for (const person of this.#hasTalked) {
      if (!known(now.here).has(person)) {
        this.#hasTalked.delete(person);
      }
    }
    for (const { person } of firstWords) {
      this.#hasTalked.add(person);
    }
    if (firstWords.length > 0) {
      return "talk";
    }
    if (now.knocks.some((each) => !asked.has(each.person))) {
      return "knock";
    }
    const isNew = now.here.some((each) => !present.has(each.person) && !asked.has(each.person));
    return isNew ? "arrival" : null;
  }
}
