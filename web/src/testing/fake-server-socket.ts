// A WebSocket with the test at its other end; what is sent, subclasses keep as their tests want to read it.
import type { ServerSocket } from "../server/server";

export class FakeServerSocket {
  readyState = 0;
  bufferedAmount = 0;
  binaryType: BinaryType = "blob";
  onopen: ServerSocket["onopen"] = null;
  onmessage: ServerSocket["onmessage"] = null;
  onclose: ServerSocket["onclose"] = null;
  readonly closedWith: (number | undefined)[] = [];

  close(code?: number): void {
    this.readyState = 3;
    this.closedWith.push(code);
  }

  /** Whether the page has closed it. */
  get isClosed(): boolean {
    return this.closedWith.length > 0;
  }

  // The other end.

  open(): void {
    this.readyState = 1;
    this.onopen?.(new Event("open"));
  }

  deliverData(data: unknown): void {
    this.onmessage?.(new MessageEvent("message", { data }));
  }

  /** The connection closes; browsers report 1006 where the other end gave no code. */
  end(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.onclose?.(Object.assign(new Event("close"), { code, reason, wasClean: code !== 1006 }));
  }
}
