// Whether the room lets this visit look, and when the picture may come by itself.
//
// It comes by itself only to whoever is waiting for it: after a knock, on a visible page. After a curtain, a refusal or
// quiet hours it takes a tap, so that nobody at home is watched by a tab that somebody has forgotten.
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Access } from "../wire/messages";

type Closed = Exclude<Access["state"], "open">;

export type RoomAccessState =
  | { readonly kind: "open" }
  /** Open again, after this; the visitor has to tap. */
  | { readonly kind: "open_again"; readonly after: Closed }
  | {
      readonly kind: Closed;
      /** How long this lasts, on the wall clock, as far as is known. */
      readonly untilMs: number | null;
      /** Whether there was a picture until then. */
      readonly wasLooking: boolean;
    };

const OPEN: RoomAccessState = { kind: "open" };

export class RoomAccess {
  readonly #state = signal<RoomAccessState>(OPEN);

  get state(): ReadonlySignal<RoomAccessState> {
    return this.#state;
  }

  /** The server's newest word; returns whether the picture is to begin, to end, or neither. */
  receive(access: Access, isLooking: boolean, isVisible: boolean): "look" | "end" | "neither" {
    const before = this.#state.value;
    if (access.state === "open") {
      if (before.kind === "open" || before.kind === "open_again") {
        return "neither";
      }
      const isAwaited = before.kind === "waiting" && isVisible;
      this.#state.value = isAwaited ? OPEN : { kind: "open_again", after: before.kind };
      return isAwaited ? "look" : "neither";
    }
    const wasLooking = isLooking || ("wasLooking" in before && before.wasLooking);
    this.#state.value = { kind: access.state, untilMs: access.until, wasLooking };
    return "end";
  }

  /** The visitor wants to look: at first, or again. */
  reset(): void {
    this.#state.value = OPEN;
  }
}
