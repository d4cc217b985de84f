// Whether this page plays what the room's microphone hears, and how loud. Browsers play sound only after a tap on the
// page; the visitor's tap on "Look around" is one, but not where the page came back by itself: then the next tap counts.
import { type ReadonlySignal, signal } from "@preact/signals";

const STORAGE_KEY = "belvedere-sound";
export const FULL_VOLUME = 100;

export type HearingState = "off" | "on" | "needs_tap";

/** The part of an <audio> element that is used. */
export interface SoundElement {
  srcObject: MediaProvider | null;
  volume: number;
  play(): Promise<void>;
  pause(): void;
}

export interface HearingPorts {
  /** May refuse, at any call. */
  storage(): Pick<Storage, "getItem" | "setItem">;
  streamOf(track: MediaStreamTrack): MediaStream;
}

export class Hearing {
  readonly #ports: HearingPorts;
  readonly #state = signal<HearingState>("on");
  readonly #volume = signal(FULL_VOLUME);
  #element: SoundElement | null = null;
  #track: MediaStreamTrack | null = null;

  constructor(ports: HearingPorts) {
    this.#ports = ports;
    const [isOn, volume] = this.#remembered();
    this.#state.value = isOn ? "on" : "off";
    this.#volume.value = volume;
  }

  get state(): ReadonlySignal<HearingState> {
    return this.#state;
  }

  /** In percent. */
  get volume(): ReadonlySignal<number> {
    return this.#volume;
  }

  attach(element: SoundElement | null): void {
    this.#element = element;
    this.#update();
  }

  /** The sound of the picture's connection; null while there is none. */
  receiveTrack(track: MediaStreamTrack | null): void {
    if (track !== this.#track) {
      this.#track = track;
      this.#update();
    }
  }

  /** Somebody tapped, or pressed a key. */
  receiveTap(): void {
    if (this.#state.value === "needs_tap") {
      this.#state.value = "on";
      this.#update();
    }
  }

  turn(isOn: boolean): void {
    this.#state.value = isOn ? "on" : "off";
    this.#remember();
    this.#update();
  }

  setVolume(percent: number): void {
    this.#volume.value = percent;
    this.#remember();
    if (this.#element !== null) {
      this.#element.volume = percent / FULL_VOLUME; // phones have keys for that, and may ignore it
    }
  }

  #update(): void {
    const element = this.#element;
    if (element === null) {
      return;
    }
    if (this.#track === null || this.#state.value === "off") {
      element.pause();
      element.srcObject = null;
      return;
    }
    element.srcObject = this.#ports.streamOf(this.#track);
    element.volume = this.#volume.value / FULL_VOLUME;
    const track = this.#track;
    element.play().catch((error: unknown) => {
      const isRefused = error instanceof DOMException && error.name === "NotAllowedError";
      if (isRefused && this.#track === track && this.#state.value === "on") {
        this.#state.value = "needs_tap";
      }
    });
  }

  #remembered(): readonly [isOn: boolean, volume: number] {
    try {
      const [word, volume] = (this.#ports.storage().getItem(STORAGE_KEY) ?? "").split(" ");
      const percent = Number(volume ?? FULL_VOLUME);
      return [word !== "off", percent >= 0 && percent <= FULL_VOLUME ? percent : FULL_VOLUME];
    } catch {
      return [true, FULL_VOLUME];
    }
  }

  #remember(): void {
    try {
      const word = this.#state.value === "off" ? "off" : "on";
      this.#ports.storage().setItem(STORAGE_KEY, `${word} ${this.#volume.value}`);
    } catch {
      // private windows refuse: it is remembered until the page is closed
    }
  }
}
