// Hands that write down what they are asked to do.
import type { Hands } from "../drive/drive-input";
import type { Velocity } from "../drive/velocity";

export type Deed =
  | readonly ["press" | "move", source: string, velocity: Velocity]
  | readonly ["letGo", source: string]
  | readonly ["stop"];

export class FakeHands implements Hands {
  readonly deeds: Deed[] = [];

  press(source: string, velocity: Velocity): void {
    this.deeds.push(["press", source, velocity]);
  }

  move(source: string, velocity: Velocity): void {
    this.deeds.push(["move", source, velocity]);
  }

  letGo(source: string): void {
    this.deeds.push(["letGo", source]);
  }

  stop(): void {
    this.deeds.push(["stop"]);
  }

  /** The verbs alone, in order. */
  get verbs(): string[] {
    return this.deeds.map(([verb]) => verb);
  }

  /** The velocity of the newest press or move. */
  get velocity(): Velocity | null {
    const deed = this.deeds.findLast(([verb]) => verb === "press" || verb === "move");
    return deed?.[2] ?? null;
  }
}
