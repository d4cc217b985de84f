// Decodes one stream of frames: begins at an IDR, also after a gap or an error, and does not fall behind.
import type { Timers } from "../time/timers";
import { microseconds, type StreamDescription, type StreamFrame } from "./stream-wire";

/** A decoder that has more than this to do is too slow: a quarter of a second at thirty frames a second. */
const MAX_QUEUED = 8;
/** The server sends an IDR within a tenth of a second; a second request before that would be for nothing. */
const IDR_REQUEST_MS = 1000;
/** What servers send unless they are told otherwise: 1280x720 at 30 fps in Constrained Baseline. */
const LIKELY_CODEC = "avc1.42c01f";
/** Without a picture in between: then this browser cannot decode what this server sends. */
const MAX_ERRORS = 3;

export interface DecoderPorts {
  readonly timers: Pick<Timers, "now">;
  createDecoder(init: VideoDecoderInit): VideoDecoder;
  createChunk(init: EncodedVideoChunkInit): EncodedVideoChunk;
}

export interface DecoderEvents {
  /** A decoded frame, whose `timestamp` is its capture time in microseconds; whoever gets it closes it. */
  onPicture(picture: VideoFrame): void;
  /** What follows cannot be decoded without an IDR. */
  onNeedsIdr(): void;
  /** This browser cannot decode this stream, because it `lacksCodec` or for another reason; called at most once. */
  onUnable(lacksCodec: boolean): void;
}

export class StreamDecoder {
  readonly #ports: DecoderPorts;
  readonly #events: DecoderEvents;
  #description: StreamDescription | null = null;
  #preparedCodec: string | null = null;
  #decoder: VideoDecoder | null = null;
  #isConfigured = false;
  #needsIdr = true;
  #errors = 0;
  #requestedAtMs = Number.NEGATIVE_INFINITY;

  constructor(ports: DecoderPorts, events: DecoderEvents) {
    this.#ports = ports;
    this.#events = events;
  }

  /** Configures a decoder for what will most likely come, while the first frame is on its way: it takes a while. */
  prepare(): void {
    this.#configure(LIKELY_CODEC);
    this.#preparedCodec = this.#isConfigured ? LIKELY_CODEC : null;
  }

  /** The next IDR and what follows it is of this kind. */
  receiveDescription(description: StreamDescription): void {
    this.#description = description;
    this.#isConfigured = this.#isConfigured && description.codec === this.#preparedCodec;
    this.#preparedCodec = null; // frames may have another size from now on
  }

  receiveFrame(frame: StreamFrame): void {
    if (!frame.isIdr && (this.#needsIdr || this.#isBehind())) {
      this.#waitForIdr();
      return;
    }
    if (this.#description === null || this.#errors >= MAX_ERRORS) {
      return;
    }
    if (frame.isIdr && (this.#isBehind() || !this.#isConfigured)) {
      this.#configure(this.#description.codec);
    }
    this.#needsIdr = false;
    try {
      this.#decoder?.decode(
        this.#ports.createChunk({
          type: frame.isIdr ? "key" : "delta",
          timestamp: microseconds(frame.ticks),
          data: frame.accessUnit,
        }),
      );
    } catch {
      this.#receiveError();
    }
  }

  close(): void {
    this.#errors = MAX_ERRORS;
    this.#discard();
  }

  /** Configures a decoder, new where there is none; what the old one still had to do is dropped. */
  #configure(codec: string): void {
    const decoder = this.#decoder ?? this.#create();
    this.#decoder = decoder;
    try {
      decoder.reset();
      decoder.configure({ codec, optimizeForLatency: true });
      this.#isConfigured = true;
    } catch {
      this.#receiveError();
    }
  }

  #create(): VideoDecoder {
    const decoder = this.#ports.createDecoder({
      output: (picture) => {
        if (decoder !== this.#decoder) {
          picture.close(); // decoded before an error or the end, delivered after it
          return;
        }
        this.#errors = 0;
        this.#events.onPicture(picture);
      },
      error: ({ name }) => decoder === this.#decoder && this.#receiveError(name === "NotSupportedError"),
    });
    return decoder;
  }

  #isBehind(): boolean {
    return (this.#decoder?.decodeQueueSize ?? 0) > MAX_QUEUED;
  }

  #receiveError(lacksCodec = false): void {
    this.#discard();
    this.#errors++;
    if (this.#errors === MAX_ERRORS) {
      this.#events.onUnable(lacksCodec);
    } else if (this.#errors < MAX_ERRORS) {
      this.#waitForIdr();
    }
  }

  #waitForIdr(): void {
    this.#needsIdr = true;
    const nowMs = this.#ports.timers.now();
    if (nowMs - this.#requestedAtMs >= IDR_REQUEST_MS) {
      this.#requestedAtMs = nowMs;
      this.#events.onNeedsIdr();
    }
  }

  #discard(): void {
    const decoder = this.#decoder;
    this.#decoder = null;
    this.#isConfigured = false;
    this.#needsIdr = true;
    if (decoder !== null && decoder.state !== "closed") {
      decoder.close();
    }
  }
}
