// A WebSocket that first gets a ticket: whoever uses it sees a socket that takes a little longer to connect.
import type { ServerSocket } from "../server/server";

const CONNECTING = 0; // WebSocket.CONNECTING
const CLOSED = 3; // WebSocket.CLOSED
/** What browsers report of a connection that failed without a word of the server. */
const FAILED = 1006;

/** Opens the socket once `ticket` is there; null means that there is none, and the socket fails as any may. */
export class TicketedSocket implements ServerSocket {
  onopen: ServerSocket["onopen"] = null;
  onmessage: ServerSocket["onmessage"] = null;
  onclose: ServerSocket["onclose"] = null;
  #socket: ServerSocket | null = null;
  #isClosed = false;
  #binaryType: BinaryType = "blob";

  constructor(ticket: Promise<string | null>, open: (ticket: string) => ServerSocket) {
    void ticket.then((value) => {
      if (this.#isClosed) {
        return;
      }
      if (value === null) {
        this.#isClosed = true;
        this.onclose?.(Object.assign(new Event("close"), { code: FAILED, reason: "", wasClean: false }));
        return;
      }
      this.#connect(open(value));
    });
  }

  get readyState(): number {
    return this.#isClosed ? CLOSED : (this.#socket?.readyState ?? CONNECTING);
  }

  get bufferedAmount(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(value: BinaryType) {
    this.#binaryType = value;
    if (this.#socket !== null) {
      this.#socket.binaryType = value;
    }
  }

  /** Only once it is open, as that of a WebSocket. */
  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#socket?.send(data);
  }

  close(code?: number): void {
    this.#isClosed = true;
    this.#socket?.close(code);
  }

  #connect(socket: ServerSocket): void {
    this.#socket = socket;
    socket.binaryType = this.#binaryType;
    // Read when they are called: their owner may set others, or none, at any time.
    socket.onopen = (event) => this.onopen?.(event);
    socket.onmessage = (event) => this.onmessage?.(event);
    socket.onclose = (event) => {
      this.#isClosed = true;
      this.onclose?.(event);
    };
  }
}
