// Slows every input down while the picture is zoomed in, so that the picture passes under the finger as fast as before.
// Zooming out in the middle of a hold makes it no faster: a turn becomes faster only by the input that holds it.
import type { DriveInput } from "./drive-input";
import type { InputSource } from "./hold";
import { type Velocity, velocity } from "./velocity";

export class ScaledInput implements DriveInput {
  readonly #driveInput: DriveInput;
  readonly #zoom: () => number;
  /** The largest zoom since each source was pressed. */
  readonly #held = new Map<InputSource, number>();

  /** `zoom` is how many times larger than usual the picture is shown; less than 1 counts as 1. */
  constructor(driveInput: DriveInput, zoom: () => number) {
    this.#driveInput = driveInput;
    this.#zoom = zoom;
  }

  prepare(): void {
    this.#driveInput.prepare();
  }

  press(source: InputSource, wanted: Velocity, readAtMs: number): void {
    this.#held.delete(source);
    this.#driveInput.press(source, this.#scaled(source, wanted), readAtMs);
  }

  move(source: InputSource, wanted: Velocity, readAtMs: number): void {
    this.#driveInput.move(source, this.#scaled(source, wanted), readAtMs);
  }

  release(source: InputSource): void {
    this.#held.delete(source);
    this.#driveInput.release(source);
  }

  stop(): void {
    this.#driveInput.stop();
  }

  #scaled(source: InputSource, { pan, tilt }: Velocity): Velocity {
    const zoom = Math.max(1, this.#zoom(), this.#held.get(source) ?? 1);
    this.#held.set(source, zoom);
    return velocity(pan / zoom, tilt / zoom);
  }
}
