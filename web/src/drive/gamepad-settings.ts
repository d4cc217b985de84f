// What the visitor sets about gamepads, remembered on this device.
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";

/** The part of `localStorage` that is used. Browsers may refuse it, at any call. */
export type SettingsStorage = Pick<Storage, "getItem" | "setItem">;

/** Sticks that are not worn rest this near to their middle. */
export const USUAL_DEAD_ZONE = 0.12;
export const MIN_DEAD_ZONE = 0.05;
/** Beyond that little would be left of the stick. */
export const MAX_DEAD_ZONE = 0.6;

const KEY = "belvedere-gamepad-dead-zone";

export class GamepadSettings {
  readonly #storage: () => SettingsStorage;
  readonly #isConnected = signal(false);
  readonly #deadZone: Signal<number>;

  /** `storage` is called whenever it is needed, because already asking for it may throw. */
  constructor(storage: () => SettingsStorage) {
    this.#storage = storage;
    this.#deadZone = signal(this.#remembered());
  }

  /** Whether there is a gamepad to set something for. */
  get isConnected(): ReadonlySignal<boolean> {
    return this.#isConnected;
  }

  /** How far from its middle a stick may be without turning anything, from 0 to 1. */
  get deadZone(): ReadonlySignal<number> {
    return this.#deadZone;
  }

  receiveConnected(isConnected: boolean): void {
    this.#isConnected.value = isConnected;
  }

  setDeadZone(wanted: number): void {
    this.#deadZone.value = bounded(wanted);
    try {
      this.#storage().setItem(KEY, String(this.deadZone.value));
    } catch {
      // private windows and full disks refuse: it is remembered until the page is closed
    }
  }

  #remembered(): number {
    try {
      return bounded(Number(this.#storage().getItem(KEY) ?? USUAL_DEAD_ZONE));
    } catch {
      return USUAL_DEAD_ZONE;
    }
  }
}

function bounded(wanted: number): number {
  return Number.isFinite(wanted) ? Math.min(MAX_DEAD_ZONE, Math.max(MIN_DEAD_ZONE, wanted)) : USUAL_DEAD_ZONE;
}
