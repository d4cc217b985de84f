// A video element that plays only if it may.
import type { PlayedVideo } from "../stage/player";

export class FakeVideo implements PlayedVideo {
  srcObject: MediaProvider | null = null;
  /** Whether the browser lets it play now. */
  mayPlay = true;
  /** How often it was asked to. */
  plays = 0;
  #onPause: (() => void)[] = [];

  play(): Promise<void> {
    this.plays++;
    return this.mayPlay ? Promise.resolve() : Promise.reject(new DOMException("", "NotAllowedError"));
  }

  addEventListener(_type: string, listener: unknown): void {
    this.#onPause.push(listener as () => void);
  }

  /** The browser pauses it. */
  pause(): void {
    for (const run of this.#onPause) {
      run();
    }
  }
}
