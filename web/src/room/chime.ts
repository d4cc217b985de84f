// Rings on this device, by Web Audio. Browsers allow sound only after a tap, so the resident turns it on once.
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Announcement } from "./room-control";

const STORAGE_KEY = "belvedere-room-chime";
const TONE_S = 0.9;
/** Two falling tones for somebody who comes, three rising ones for a knock, one before somebody talks. */
const TONES_HZ: Record<Announcement, readonly number[]> = {
  arrival: [783.99, 659.25],
  knock: [523.25, 659.25, 783.99],
  talk: [880],
};
const STEP_S = 0.28;
const VOLUME = 0.35;

/** `asleep`: the resident wants it, but the browser waits for a tap. */
export type ChimeState = "off" | "asleep" | "on";

export interface ChimePorts {
  createContext(): AudioContext;
  /** May refuse, at any call. */
  storage(): Pick<Storage, "getItem" | "setItem">;
}

export class Chime {
  readonly #ports: ChimePorts;
  readonly #state = signal<ChimeState>("off");
  #context: AudioContext | null = null;

  constructor(ports: ChimePorts) {
    this.#ports = ports;
    this.#state.value = this.#isRemembered() ? "asleep" : "off";
  }

  get state(): ReadonlySignal<ChimeState> {
    return this.#state;
  }

  /** Turns it on, within a tap, and rings once so that the resident hears it. */
  async turnOn(): Promise<void> {
    try {
      this.#context ??= this.#ports.createContext();
      await this.#context.resume();
      this.#state.value = this.#context.state === "running" ? "on" : "asleep";
    } catch {
      this.#state.value = "asleep";
    }
    this.#remember(true);
    this.ring("arrival");
  }

  turnOff(): void {
    this.#state.value = "off";
    this.#remember(false);
  }

  /** Rings, if it is on and the browser permits. */
  ring(what: Announcement): void {
    const context = this.#context;
    if (context === null || this.#state.value !== "on") {
      return;
    }
    if (context.state !== "running") {
      this.#state.value = "asleep";
      return;
    }
    for (const [index, hz] of TONES_HZ[what].entries()) {
      ringTone(context, hz, context.currentTime + index * STEP_S);
    }
  }

  #isRemembered(): boolean {
    try {
      return this.#ports.storage().getItem(STORAGE_KEY) === "on";
    } catch {
      return false;
    }
  }

  #remember(isOn: boolean): void {
    try {
      this.#ports.storage().setItem(STORAGE_KEY, isOn ? "on" : "off");
    } catch {
      // private windows and full disks refuse: it is remembered until the page is closed
    }
  }
}

function ringTone(context: AudioContext, hz: number, atS: number): void {
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = hz;
  volume.gain.setValueAtTime(0, atS);
  volume.gain.linearRampToValueAtTime(VOLUME, atS + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, atS + TONE_S);
  tone.connect(volume).connect(context.destination);
  tone.start(atS);
  tone.stop(atS + TONE_S);
}
