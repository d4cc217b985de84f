// Slows every input down while the picture is zoomed in, so that the picture passes under the finger as fast as before.
import type { DriveInput } from "./drive-input";
import type { InputSource } from "./hold";
import { type Velocity, velocity } from "./velocity";

export class ScaledInput implements DriveInput {
  readonly #driveInput: DriveInput;
  readonly #zoom: () => number;

  /** `zoom` is how many times larger than usual the picture is shown; less than 1 counts as 1. */
  constructor(driveInput: DriveInput, zoom: () => number) {
    this.#driveInput = driveInput;
    this.#zoom = zoom;
  }

  prepare(): void {
    this.#driveInput.prepare();
  }

  press(source: InputSource, wanted: Velocity, readAtMs: number): void {
    this.#driveInput.press(source, this.#scaled(wanted), readAtMs);
  }

  move(source: InputSource, wanted: Velocity, readAtMs: number): void {
    this.#driveInput.move(source, this.#scaled(wanted), readAtMs);
  }

  release(source: InputSource): void {
    this.#driveInput.release(source);
  }

  stop(): void {
    this.#driveInput.stop();
  }

  #scaled({ pan, tilt }: Velocity): Velocity {
    const zoom = Math.max(1, this.#zoom());
    return velocity(pan / zoom, tilt / zoom);
  }
}
