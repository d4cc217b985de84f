// A control socket with the test at its other end.
import type { Socket } from "../control/channel";
import type { ClientMessage, ServerMessage } from "../wire/messages";

export class FakeSocket implements Socket {
  bufferedAmount = 0;
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  readonly sent: ClientMessage[] = [];
  isClosed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.isClosed = true;
  }

  /** The sent messages of one type. */
  sentOf<T extends ClientMessage["type"]>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.sent.filter(
      (message): message is Extract<ClientMessage, { type: T }> => message.type === type,
    );
  }

  // The other end.

  open(): void {
    this.onopen?.(new Event("open"));
  }

  deliver(message: ServerMessage): void {
    this.deliverText(JSON.stringify(message));
  }

  deliverText(data: unknown): void {
    this.onmessage?.(new MessageEvent("message", { data }));
  }

  /** The connection closes; browsers report 1006 where the other end gave no code. */
  end(code = 1006, reason = ""): void {
    this.onclose?.(Object.assign(new Event("close"), { code, reason, wasClean: code !== 1006 }));
  }
}
