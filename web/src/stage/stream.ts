// The picture over a WebSocket: asks for it, acknowledges what arrives, decodes it. Retrying is decided elsewhere.
import { CLOSE_CODES } from "../wire/messages";
import { type DecoderPorts, StreamDecoder } from "./stream-decoder";
import { acknowledgement, idrRequest, parseDescription, parseFrame, startMessage } from "./stream-wire";
import type { JoinFailure } from "./way";

/** The part of a WebSocket that this page uses. */
export interface StreamSocket {
  readonly readyState: number;
  binaryType: BinaryType;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

const OPEN = 1; // WebSocket.OPEN

export interface StreamPorts extends DecoderPorts {
  openSocket(): StreamSocket;
}

export interface StreamEvents {
  /** A frame to show at once; whoever gets it closes it. */
  onPicture(picture: VideoFrame): void;
  /** There is no picture by this way any more; called at most once, and not after `leave`. */
  onLost(failure: JoinFailure): void;
}

export interface StreamSession {
  leave(): void;
}

/**
 * Opens sockets of the picture, one of them in advance: then the first picture needs no connection to be made, which over
 * TLS takes three round trips. Until a socket is used, nobody is counted and the camera stays off.
 */
export class StreamConnector {
  readonly #ports: StreamPorts;
  #prepared: StreamSocket | null = null;

  constructor(ports: StreamPorts) {
    this.#ports = ports;
  }

  /** Opens a socket for the next session, unless there is one. The server closes it if it is not used for a minute. */
  prepare(): void {
    if (this.#prepared !== null) {
      return;
    }
    const socket = this.#ports.openSocket();
    this.#prepared = socket;
    socket.onclose = () => {
      if (this.#prepared === socket) {
        this.#prepared = null;
      }
    };
  }

  /** Closes the socket that was opened in advance, if it was not used. */
  discard(): void {
    const socket = this.#prepared;
    this.#prepared = null;
    socket?.close();
  }

  /** Shows the picture, as one viewer with all else of the same view, until `leave`. */
  open(view: string, events: StreamEvents): StreamSession {
    const socket = this.#prepared ?? this.#ports.openSocket();
    this.#prepared = null;
    return new Session(this.#ports, socket, view, events);
  }
}

class Session implements StreamSession {
  readonly #socket: StreamSocket;
  readonly #decoder: StreamDecoder;
  readonly #events: StreamEvents;
  #isOver = false;

  constructor(ports: StreamPorts, socket: StreamSocket, view: string, events: StreamEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#decoder = new StreamDecoder(ports, {
      onPicture: (picture) => events.onPicture(picture),
      onNeedsIdr: () => this.#send(idrRequest()),
      onUnable: (lacksCodec) => this.#lose(lacksCodec ? "no_codec" : "failed"),
    });
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.#lose(failureOf(code));
    if (socket.readyState === OPEN) {
      this.#send(startMessage(view));
    } else {
      socket.onopen = () => this.#send(startMessage(view));
    }
    this.#decoder.prepare(); // after the start: the server has more to do until the first frame
  }

  leave(): void {
    this.#isOver = true;
    this.#decoder.close();
    const socket = this.#socket;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  #receive(data: unknown): void {
    if (typeof data === "string") {
      const description = parseDescription(data);
      if (description !== null) {
        this.#decoder.receiveDescription(description);
      }
    } else if (data instanceof ArrayBuffer) {
      const frame = parseFrame(data);
      if (frame !== null) {
        this.#send(acknowledgement(frame.ticks)); // before decoding: it says what the network has delivered
        this.#decoder.receiveFrame(frame);
      }
    }
  }

  #send(message: Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState === OPEN) {
      this.#socket.send(message);
    }
  }

  #lose(failure: JoinFailure): void {
    if (!this.#isOver) {
      this.leave();
      this.#events.onLost(failure);
    }
  }
}

function failureOf(code: number): JoinFailure {
  switch (code) {
    case CLOSE_CODES.no_session:
    case CLOSE_CODES.not_permitted:
      return "no_session";
    case CLOSE_CODES.withheld:
      return "withheld";
    case CLOSE_CODES.too_many_viewers:
      return "full";
    case CLOSE_CODES.no_picture:
      return "no_picture";
    default:
      return "failed";
  }
}

/** What a browser lacks for this way; null if it has everything. */
export type StreamLack = "secure_context" | "decoder";

export function streamLack(window: { readonly isSecureContext: boolean }): StreamLack | null {
  if (!window.isSecureContext) {
    return "secure_context"; // browsers hide WebCodecs from pages that came over plain HTTP
  }
  return "VideoDecoder" in window && "EncodedVideoChunk" in window ? null : "decoder";
}
