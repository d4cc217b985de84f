// WebCodecs and a socket of the picture that the test controls.

import type { StreamSocket } from "../stage/stream";
import type { DecoderPorts } from "../stage/stream-decoder";
import { FakeServerSocket } from "./fake-server-socket";

/** The part of a VideoFrame that is used. */
export class FakePicture {
  isClosed = false;
  readonly displayWidth = 640;
  readonly displayHeight = 360;
  readonly timestamp: number;

  constructor(timestamp: number) {
    this.timestamp = timestamp;
  }

  close(): void {
    this.isClosed = true;
  }
}

export const picture = (timestamp = 0) => new FakePicture(timestamp);

/** For what takes a VideoFrame. */
export const asFrame = (fake: FakePicture) => fake as unknown as VideoFrame;

/** The part of a VideoDecoder that is used; the test decides what it puts out. */
export class FakeDecoder {
  state: CodecState = "unconfigured";
  decodeQueueSize = 0;
  codec = "";
  resets = 0;
  readonly chunks: { readonly type: string; readonly timestamp: number }[] = [];
  readonly init: VideoDecoderInit;

  constructor(init: VideoDecoderInit) {
    this.init = init;
  }

  configure(config: VideoDecoderConfig): void {
    if (config.codec === "invalid") {
      throw new TypeError("not a codec");
    }
    this.state = "configured";
    this.codec = config.codec;
  }

  reset(): void {
    this.resets++;
    this.decodeQueueSize = 0;
  }

  decode(chunk: { readonly type: string; readonly timestamp: number }): void {
    this.chunks.push(chunk);
  }

  close(): void {
    this.state = "closed";
  }

  /** Puts out a picture. */
  output(timestamp = 0): FakePicture {
    const decoded = picture(timestamp);
    this.init.output(asFrame(decoded));
    return decoded;
  }

  /** Fails, as a decoder does after it has closed itself. */
  fail(name = "EncodingError"): void {
    this.state = "closed";
    this.init.error(new DOMException("cannot decode", name));
  }
}

/** Ports that make FakeDecoders. */
export function fakeCodecs(timers: DecoderPorts["timers"]) {
  const decoders: FakeDecoder[] = [];
  const ports: DecoderPorts = {
    timers,
    createDecoder: (init) => {
      const decoder = new FakeDecoder(init);
      decoders.push(decoder);
      return decoder as unknown as VideoDecoder; // the part of it that is used
    },
    createChunk: (init) => init as unknown as EncodedVideoChunk, // likewise
  };
  return { decoders, ports };
}

/** The socket of the picture. */
export class FakeStreamSocket extends FakeServerSocket implements StreamSocket {
  readonly sent: Uint8Array[] = [];

  send(data: Uint8Array<ArrayBuffer>): void {
    this.sent.push(data);
  }

  describe(codec = "avc1.42c01f"): void {
    this.deliverData(JSON.stringify({ codec, width: 640, height: 360, fps: 30 }));
  }

  /** A frame that was captured at this time, in 1/90000 s. */
  deliverFrame(ticks: number, isIdr = false): void {
    const message = new DataView(new ArrayBuffer(16));
    message.setUint8(0, 1);
    message.setUint8(1, isIdr ? 1 : 0);
    message.setUint32(8, ticks);
    this.deliverData(message.buffer);
  }
}
