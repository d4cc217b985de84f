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
  /** Like the browser's `fetch`; `path` begins with `/`, below whatever the server's own address has. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Returns at once, with a socket that is still connecting. */
  openSocket(path: string, subprotocol: string): ServerSocket;
}

/** The server that served this page, below `base`: the browser proves the session by its cookie. */
export function ownServer(base: string): Server {
  return {
    fetch: (path, init) => fetch(base + path, init),
    openSocket: (path, subprotocol) =>
      new WebSocket(socketAddress(path, location.origin + base), subprotocol),
  };
}

/** The address of a socket of the server at `base`, an origin and perhaps a path. */
export function socketAddress(path: string, base: string): URL {
  const address = new URL(base + path);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address;
}
