// The server that a page looks into: where its API is, and how requests and sockets prove whose session this is.

/** The part of a WebSocket that is used, by the control channel and by the picture. */
export interface ServerSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  binaryType: BinaryType;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

export interface Server {
  /** Like the browser's `fetch`; `path` begins with `/`. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Returns at once, with a socket that is still connecting. */
  openSocket(path: string, subprotocol: string): ServerSocket;
}

/** The server that served this page: the browser proves the session by its cookie. */
export function ownServer(): Server {
  return {
    fetch: (path, init) => fetch(path, init),
    openSocket: (path, subprotocol) => new WebSocket(socketAddress(path, location.href), subprotocol),
  };
}

/** The address of a socket of the server at `base`. */
export function socketAddress(path: string, base: string): URL {
  const address = new URL(path, base);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address;
}
