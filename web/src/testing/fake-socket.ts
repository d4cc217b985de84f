// A control socket with the test at its other end.
import type { Socket } from "../control/channel";
import type { ClientMessage, ServerMessage } from "../wire/messages";
import { FakeServerSocket } from "./fake-server-socket";

export class FakeSocket extends FakeServerSocket implements Socket {
  readonly sent: ClientMessage[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  /** The sent messages of one type. */
  sentOf<T extends ClientMessage["type"]>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.sent.filter(
      (message): message is Extract<ClientMessage, { type: T }> => message.type === type,
    );
  }

  deliver(message: ServerMessage): void {
    this.deliverData(JSON.stringify(message));
  }
}
