// Why there is no picture: what became of each way since the viewer began to join, and which it need not try again.
import { type JoinFailure, type RetriedFailure, type WayName, worstFailure } from "./way";

export class JoinFailures {
  #since: JoinFailure[] = [];
  /** Ways whose picture this browser cannot decode: tried again only if the visitor asks for it. */
  readonly #undecodable = new Set<WayName>();

  get worst(): RetriedFailure {
    return worstFailure(this.#since);
  }

  /** Whether this browser is known to lack the codec of any way. */
  get lacksCodec(): boolean {
    return this.#undecodable.size > 0;
  }

  isUndecodable(way: WayName): boolean {
    return this.#undecodable.has(way);
  }

  receive(way: WayName, failure: JoinFailure): void {
    this.#since.push(failure);
    if (failure === "no_codec") {
      this.#undecodable.add(way);
    }
  }

  /** Another attempt begins, or there is a picture. */
  reset(): void {
    this.#since = [];
  }

  /** The visitor asks for it, or something has changed: every way may be tried. */
  forget(): void {
    this.reset();
    this.#undecodable.clear();
  }
}
