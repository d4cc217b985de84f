// Talking to the room: asks the browser for its microphone and the server for the room's ear, and ends like a hold.
//
//   off --press--> opening --microphone--> asking --the room hears--> talking
//    ^                |                      |                           |
//    +----------------+---- let go, hidden, disconnected, refused -------+
//
// Nothing is sent before the server says that the room hears it, or after the end: the microphone is stopped. What was
// ended from elsewhere never begins again by itself: it takes a fresh press.
import { type ReadonlySignal, signal } from "@preact/signals";
import type { StageVoice } from "../stage/whep";
import type { Cancel, Timers } from "../time/timers";
import type { ClientMessage, Talk as TalkMessage, Voice } from "../wire/messages";
import { endTalk, talk } from "../wire/outgoing";
import { type Microphone, MicrophoneError, type MicrophoneLack, type OpenMicrophone } from "./microphone";

export type TalkMode = TalkMessage["mode"];

/** The server ends what is not repeated for three seconds. */
const REPEAT_MS = 1000;
/** The chime takes a second; without an answer for this long there is none. */
const ANSWER_MS = 5000;
/** Often enough to look alive. */
const METER_MS = 100;
/** How long a note stays. */
const NOTE_MS = 6000;
/** A press shorter than this is a tap. */
export const TAP_MS = 300;
/** A microphone that took longer was asked about in a question of the browser, during which nobody holds anything. */
const QUESTION_MS = 700;

/** What the visitor is told after an end that was not their own. */
export type TalkNote =
  | MicrophoneLack
  | "hold" // a tap: hold it
  | "ready" // the browser has allowed it meanwhile: press again
  | "no_way" // the picture's connection carries no voice
  | "no_speaker"
  | "not_permitted"
  | "withheld" // curtain, quiet hours
  | "full" // too many talk
  | "ended"; // anything else

export type TalkState =
  | { readonly kind: "off" }
  | { readonly kind: "opening" | "asking" | "talking"; readonly mode: TalkMode };

export interface TalkPorts {
  readonly timers: Timers;
  readonly openMicrophone: OpenMicrophone;
  /** The sound of the picture's connection. */
  readonly connection: ReadonlySignal<StageVoice | null>;
  /** False if that could not be sent. */
  send(message: ClientMessage): boolean;
}

const OFF: TalkState = { kind: "off" };

export class Talk {
  readonly #ports: TalkPorts;
  readonly #state = signal<TalkState>(OFF);
  readonly #note = signal<TalkNote | null>(null);
  readonly #voice = signal<Voice | null>(null);
  readonly #level = signal(0);
  #press = 0;
  #pressedAtMs = 0;
  #microphone: Microphone | null = null;
  #cancelRepeat: Cancel = () => {};
  #cancelAnswer: Cancel = () => {};
  #cancelMeter: Cancel = () => {};
  #cancelNote: Cancel = () => {};

  constructor(ports: TalkPorts) {
    this.#ports = ports;
    ports.connection.subscribe((connection) => {
      if (connection === null && this.#isSending) {
        this.#finish("no_way");
      }
    });
  }

  get state(): ReadonlySignal<TalkState> {
    return this.#state;
  }

  /** What to tell the visitor, for a few seconds. */
  get note(): ReadonlySignal<TalkNote | null> {
    return this.#note;
  }

  /** The server's newest word about the sound; null where the house has none. */
  get voice(): ReadonlySignal<Voice | null> {
    return this.#voice;
  }

  /** How loud the visitor is, from 0 to 1, while the room hears it. */
  get level(): ReadonlySignal<number> {
    return this.#level;
  }

  /** Something that talks is held down. A tap on it while the microphone is open ends that. */
  press(): void {
    this.#pressedAtMs = this.#ports.timers.now();
    if (this.#state.value.kind === "off") {
      void this.#begin();
    } else if (this.#state.value.mode === "open") {
      this.#finish(null);
    }
  }

  /** It was let go. A tap opens the microphone, where the house offers that. */
  release(): void {
    const state = this.#state.value;
    if (state.kind === "off" || state.mode === "open") {
      return;
    }
    if (this.#ports.timers.now() - this.#pressedAtMs >= TAP_MS) {
      this.#finish(null);
    } else if (this.#voice.value?.open === true) {
      this.#state.value = { ...state, mode: "open" };
      if (state.kind !== "opening") {
        this.#ask();
      }
    } else {
      this.#finish("hold");
    }
  }

  /** A tap without a press: on and off, as far as the house offers an open microphone. */
  tap(): void {
    if (this.#state.value.kind !== "off") {
      this.#finish(null);
    } else {
      this.press();
      this.release();
    }
  }

  /** The release may never be heard of: the page lost the focus, or the pointer. An open microphone stays open. */
  interrupt(): void {
    const state = this.#state.value;
    if (state.kind !== "off" && state.mode === "hold") {
      this.#finish(null);
    }
  }

  /** The page is hidden or left, or the visit over: nothing is said to a room that the visitor does not see. */
  end(): void {
    this.#finish(null);
  }

  receiveVoice(voice: Voice): void {
    this.#voice.value = voice;
    const state = this.#state.value;
    if (state.kind === "asking" && voice.heard) {
      this.#cancelAnswer();
      this.#ports.connection.value?.send(this.#microphone?.track ?? null);
      this.#state.value = { ...state, kind: "talking" };
      this.#measure();
    } else if (state.kind === "talking" && !voice.heard) {
      // an end has its `talk.ended`; else this is about a talk before the present one, which is asked for again
      this.#mute();
      this.#state.value = { ...state, kind: "asking" };
      this.#awaitAnswer();
    }
  }

  /** The server refused it, or ended it. */
  receiveEnded(reason: string): void {
    if (this.#isSending) {
      this.#finish(NOTES[reason] ?? "ended");
    }
  }

  /** The socket is closed, so the server does not hear of an end. */
  receiveDisconnected(): void {
    this.#voice.value = null;
    this.#finish(this.#isSending ? "ended" : null);
  }

  get #isSending(): boolean {
    const { kind } = this.#state.value;
    return kind === "asking" || kind === "talking";
  }

  async #begin(): Promise<void> {
    const press = ++this.#press;
    this.#tell(null);
    if (this.#ports.connection.value?.canTalk !== true) {
      this.#tell("no_way");
      return;
    }
    this.#state.value = { kind: "opening", mode: "hold" };
    const askedAtMs = this.#ports.timers.now();
    try {
      const microphone = await this.#ports.openMicrophone(
        () => this.#press === press && this.#finish("missing"),
      );
      this.#receiveMicrophone(microphone, press, askedAtMs);
    } catch (error) {
      if (this.#press === press) {
        this.#state.value = OFF;
      }
      this.#tell(error instanceof MicrophoneError ? error.lack : "busy");
    }
  }

  #receiveMicrophone(microphone: Microphone, press: number, askedAtMs: number): void {
    const state = this.#state.value;
    if (this.#press !== press || state.kind !== "opening") {
      microphone.close();
      if (this.#ports.timers.now() - askedAtMs >= QUESTION_MS) {
        this.#tell("ready");
      }
      return;
    }
    this.#microphone = microphone;
    this.#state.value = { ...state, kind: "asking" };
    this.#awaitAnswer();
    this.#ask();
  }

  /** Asks, and goes on asking for as long as this goes on. */
  #ask(): void {
    this.#cancelRepeat();
    const state = this.#state.value;
    if (state.kind === "off") {
      return;
    }
    if (!this.#ports.send(talk(state.mode))) {
      this.#finish("ended");
      return;
    }
    this.#cancelRepeat = this.#ports.timers.after(REPEAT_MS, () => this.#ask());
  }

  #awaitAnswer(): void {
    this.#cancelAnswer();
    this.#cancelAnswer = this.#ports.timers.after(ANSWER_MS, () => this.#finish("ended"));
  }

  #measure(): void {
    this.#level.value = this.#microphone?.level() ?? 0;
    this.#cancelMeter = this.#ports.timers.after(METER_MS, () => this.#measure());
  }

  #mute(): void {
    this.#cancelMeter();
    this.#level.value = 0;
    this.#ports.connection.value?.send(null);
  }

  #finish(note: TalkNote | null): void {
    if (this.#state.value.kind === "off") {
      return;
    }
    const wasSending = this.#isSending;
    this.#press++; // a microphone that comes later is stopped
    this.#cancelRepeat();
    this.#cancelAnswer();
    this.#mute();
    this.#microphone?.close();
    this.#microphone = null;
    this.#state.value = OFF;
    if (wasSending) {
      this.#ports.send(endTalk());
    }
    if (note !== null) {
      this.#tell(note);
    }
  }

  #tell(note: TalkNote | null): void {
    this.#cancelNote();
    this.#note.value = note;
    if (note !== null) {
      this.#cancelNote = this.#ports.timers.after(NOTE_MS, () => this.#tell(null));
    }
  }
}

/** By the reason of `talk.ended`. */
const NOTES: Readonly<Record<string, TalkNote | undefined>> = {
  no_speaker: "no_speaker",
  no_voice_path: "no_way",
  not_permitted: "not_permitted",
  curtain_closed: "withheld",
  not_welcomed: "withheld",
  quiet_hours: "withheld",
  too_many: "full",
};
