// Draws decoded frames on a canvas, newest first, and says when each was shown.

export interface PainterPorts {
  /** Calls `run` before the next repaint, with its time on the page's clock: `requestAnimationFrame`. */
  requestFrame(run: (atMs: number) => void): void;
  /** A frame that was captured at `capturedAtMs` (server's clock) was shown at `shownAtMs` (page's clock). */
  receiveShown(capturedAtMs: number, shownAtMs: number): void;
}

const MICROSECONDS_PER_MS = 1000;

export class Painter {
  readonly #ports: PainterPorts;
  #canvas: HTMLCanvasElement | null = null;
  #onSize: (widthPx: number, heightPx: number) => void = () => {};
  #newest: VideoFrame | null = null;
  #drawnAtMs: number | null = null; // the capture time of what was drawn and has not been on the screen yet
  #isRequested = false;

  constructor(ports: PainterPorts) {
    this.#ports = ports;
  }

  /** Draws on this canvas from now on; null for none. `onSize` is called with the pictures' size when that changes. */
  attach(
    canvas: HTMLCanvasElement | null,
    onSize: (widthPx: number, heightPx: number) => void = () => {},
  ): void {
    this.#canvas = canvas;
    this.#onSize = onSize;
  }

  /** Takes a frame to draw before the next repaint; one that waits already is older and never drawn. */
  receivePicture(picture: VideoFrame): void {
    this.#newest?.close();
    this.#newest = picture;
    this.#request();
  }

  /** Draws nothing that was received until now. */
  discard(): void {
    this.#newest?.close();
    this.#newest = null;
    this.#drawnAtMs = null;
  }

  /** Leaves nothing on the canvas either. */
  clear(): void {
    this.discard();
    if (this.#canvas !== null) {
      this.#canvas.width = 0; // whatever is assigned to its width empties a canvas
    }
  }

  #request(): void {
    if (!this.#isRequested) {
      this.#isRequested = true;
      this.#ports.requestFrame((atMs) => this.#repaint(atMs));
    }
  }

  /** What was drawn before one repaint is on the screen when the next begins. */
  #repaint(atMs: number): void {
    this.#isRequested = false;
    const shownMs = this.#drawnAtMs;
    this.#drawnAtMs = null;
    const picture = this.#newest;
    this.#newest = null;
    if (picture !== null) {
      if (this.#canvas !== null) {
        this.#draw(this.#canvas, picture);
        this.#drawnAtMs = picture.timestamp / MICROSECONDS_PER_MS;
        this.#request();
      }
      picture.close();
    }
    if (shownMs !== null) {
      this.#ports.receiveShown(shownMs, atMs);
    }
  }

  #draw(canvas: HTMLCanvasElement, picture: VideoFrame): void {
    if (canvas.width !== picture.displayWidth || canvas.height !== picture.displayHeight) {
      canvas.width = picture.displayWidth;
      canvas.height = picture.displayHeight;
      this.#onSize(canvas.width, canvas.height);
    }
    canvas.getContext("2d")?.drawImage(picture, 0, 0);
  }
}
