// Sound without any: a connection's voice, a microphone and the server's words about both, for tests.
import { signal } from "@preact/signals";
import type { StageVoice } from "../stage/whep";
import type { VisitPorts } from "../visit/visit-ports";
import { type Microphone, MicrophoneError, type MicrophoneLack } from "../voice/microphone";
import type { Voice } from "../wire/messages";

/** The voice of a connection that the server answered without sound. */
export const NO_VOICE: StageVoice = { heard: null, canTalk: false, send: () => {} };

/** What a visit needs of the browser to hear and talk, for tests without sound. */
export const SILENT_PORTS: Pick<VisitPorts, "openMicrophone" | "sound"> = {
  openMicrophone: () => Promise.reject(new MicrophoneError("missing")),
  sound: {
    storage: () => {
      throw new Error("no storage here");
    },
    streamOf: () => new MediaStream(),
  },
};

/** The server's words about the sound. */
export const voice = (changes: Partial<Voice> = {}): Voice => ({
  type: "voice",
  microphone: "open",
  hears: true,
  speaker: "ready",
  open: false,
  heard: false,
  talking: [],
  ...changes,
});

/** A track that only says what it is. */
export const track = (name: string): MediaStreamTrack => ({ id: name, kind: "audio" }) as MediaStreamTrack;

/** A connection that carries sound; `sent` are the tracks put into it, null for none, in order. */
export function fakeStageVoice(canTalk = true) {
  const sent: (string | null)[] = [];
  const connection: StageVoice = {
    heard: track("room"),
    canTalk,
    send: (given) => sent.push(given?.id ?? null),
  };
  return { connection, sent, current: signal<StageVoice | null>(connection) };
}

/** The browser's microphones: each `open` waits until the test allows or refuses it. */
export class FakeMicrophones {
  readonly closed: string[] = [];
  level = 0.5;
  #count = 0;
  #waiting: { readonly allow: () => void; readonly refuse: (lack: MicrophoneLack) => void }[] = [];
  #end: () => void = () => {};

  get openCount(): number {
    return this.#count - this.closed.length;
  }

  get isAsked(): boolean {
    return this.#waiting.length > 0;
  }

  readonly open = (onEnded: () => void): Promise<Microphone> =>
    new Promise((resolve, reject) => {
      const allow = () => {
        const name = `microphone ${++this.#count}`;
        this.#end = onEnded;
        resolve({ track: track(name), level: () => this.level, close: () => this.closed.push(name) });
      };
      this.#waiting.push({ allow, refuse: (lack) => reject(new MicrophoneError(lack)) });
    });

  /** The oldest that was asked for is there. */
  allow(): void {
    this.#waiting.shift()?.allow();
  }

  refuse(lack: MicrophoneLack): void {
    this.#waiting.shift()?.refuse(lack);
  }

  /** The newest is unplugged, or taken away in the browser's own settings. */
  unplug(): void {
    this.#end();
  }
}
