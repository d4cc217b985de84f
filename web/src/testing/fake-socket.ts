// A control socket whose other end is the test.
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

  /** What was sent of one type. */
  sentOf<T extends ClientMessage["type"]>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.sent.filter(
      (message): message is Extract<ClientMessage, { type: T }> => message.type === type,
    );
  }

  // What the other end does.

  open(): void {
    this.onopen?.(new Event("open"));
  }

  say(message: ServerMessage): void {
    this.sayText(JSON.stringify(message));
  }

  sayText(data: unknown): void {
    this.onmessage?.(new MessageEvent("message", { data }));
  }

  /** The connection ends; the browser tells with 1006 where the other end gave no code. */
  end(code = 1006, reason = ""): void {
    this.onclose?.(Object.assign(new Event("close"), { code, reason, wasClean: code !== 1006 }));
  }
}
