// The messages of `belvedere.video.v1`, as contract/video.md describes them.

export const VIDEO_SUBPROTOCOL = "belvedere.video.v1";
const VERSION = 1;
const FLAG_IDR = 0x01;
const HEADER_BYTES = 12;
const START = 1;
const ACKNOWLEDGEMENT = 2;
const IDR_REQUEST = 3;
/** Capture times are in 1/90000 s, as in RTP. */
const TICKS_PER_MS = 90;

/** What the frames that follow contain. */
export interface StreamDescription {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
}

/** One encoded frame. */
export interface StreamFrame {
  readonly isIdr: boolean;
  /** In 1/90000 s of the server's clock. */
  readonly ticks: number;
  readonly accessUnit: Uint8Array<ArrayBuffer>;
}

/** A frame; null for a message that is none, or of another version. */
export function parseFrame(message: ArrayBuffer): StreamFrame | null {
  if (message.byteLength <= HEADER_BYTES) {
    return null;
  }
  const header = new DataView(message);
  if (header.getUint8(0) !== VERSION) {
    return null;
  }
  return {
    isIdr: (header.getUint8(1) & FLAG_IDR) !== 0,
    ticks: header.getUint32(4) * 2 ** 32 + header.getUint32(8), // exact: no clock gets to 2**53
    accessUnit: new Uint8Array(message, HEADER_BYTES),
  };
}

/** A description; null for text that is none. */
export function parseDescription(text: string): StreamDescription | null {
  try {
    const { codec, width, height } = JSON.parse(text);
    return typeof codec === "string" && typeof width === "number" && typeof height === "number"
      ? { codec, width, height }
      : null;
  } catch {
    return null;
  }
}

/** Asks for the picture; `view` counts as one viewer, by however many ways. */
export function startMessage(view: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([START, ...new TextEncoder().encode(view)]);
}

export function acknowledgement(ticks: number): Uint8Array<ArrayBuffer> {
  const message = new DataView(new ArrayBuffer(9));
  message.setUint8(0, ACKNOWLEDGEMENT);
  message.setUint32(1, Math.floor(ticks / 2 ** 32));
  message.setUint32(5, ticks % 2 ** 32);
  return new Uint8Array(message.buffer);
}

export function idrRequest(): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(IDR_REQUEST);
}

/** WebCodecs has microseconds. */
export function microseconds(ticks: number): number {
  return Math.round((ticks * 1000) / TICKS_PER_MS);
}
