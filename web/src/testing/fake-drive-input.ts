// A drive input that records its calls.
import type { DriveInput } from "../drive/drive-input";
import type { Velocity } from "../drive/velocity";

export type DriveCall =
  | readonly ["press" | "move", source: string, velocity: Velocity]
  | readonly ["release", source: string]
  | readonly ["stop"];

export class FakeDriveInput implements DriveInput {
  readonly calls: DriveCall[] = [];
  /** How often `prepare` was called. */
  preparations = 0;

  prepare(): void {
    this.preparations++;
  }

  press(source: string, velocity: Velocity): void {
    this.calls.push(["press", source, velocity]);
  }

  move(source: string, velocity: Velocity): void {
    this.calls.push(["move", source, velocity]);
  }

  release(source: string): void {
    this.calls.push(["release", source]);
  }

  stop(): void {
    this.calls.push(["stop"]);
  }

  /** The names of the calls, in order. */
  get callNames(): string[] {
    return this.calls.map(([name]) => name);
  }

  /** The velocity of the newest press or move. */
  get velocity(): Velocity | null {
    const call = this.calls.findLast(([name]) => name === "press" || name === "move");
    return call?.[2] ?? null;
  }
}
