import { expect, test } from "vitest";
import type { ServerSocket } from "../server/server";
import { FakeServerSocket } from "../testing/fake-server-socket";
import { flushPromises } from "../testing/fake-timers";
import { TicketedSocket } from "./ticketed-socket";

class OtherEnd extends FakeServerSocket implements ServerSocket {
  override bufferedAmount = 7;
  readonly sent: unknown[] = [];

  send(data: unknown): void {
    this.sent.push(data);
  }
}

function setup(ticket: string | null = "t") {
  const opened: { readonly ticket: string; readonly socket: OtherEnd }[] = [];
  const socket = new TicketedSocket(Promise.resolve(ticket), (used) => {
    const other = new OtherEnd();
    opened.push({ ticket: used, socket: other });
    return other;
  });
  const heard: string[] = [];
  socket.onopen = () => heard.push("open");
  socket.onmessage = ({ data }) => heard.push(String(data));
  socket.onclose = ({ code }) => heard.push(`close ${code}`);
  return { socket, opened, heard };
}

test("with its ticket it is a WebSocket like any", async () => {
  const { socket, opened, heard } = setup();
  socket.binaryType = "arraybuffer";
  expect([socket.readyState, socket.bufferedAmount]).toEqual([0, 0]);
  await flushPromises();
  const [other] = opened;
  expect(other?.ticket).toBe("t");
  expect(other?.socket.binaryType).toBe("arraybuffer");
  other?.socket.open();
  other?.socket.deliverData("hi");
  expect([socket.readyState, socket.bufferedAmount]).toEqual([1, 7]);
  socket.send("ho");
  expect(other?.socket.sent).toEqual(["ho"]);
  other?.socket.end(4401);
  expect(heard).toEqual(["open", "hi", "close 4401"]);
  expect(socket.readyState).toBe(3);
});

test("without a ticket it fails as a socket that cannot connect", async () => {
  const { socket, opened, heard } = setup(null);
  await flushPromises();
  expect(opened).toEqual([]);
  expect(heard).toEqual(["close 1006"]);
  expect(socket.readyState).toBe(3);
});

test("one that is closed while it waits for its ticket never connects", async () => {
  const { socket, opened, heard } = setup();
  socket.close(1000);
  await flushPromises();
  expect(opened).toEqual([]);
  expect(heard).toEqual([]);
});

test("closing it closes the connection", async () => {
  const { socket, opened } = setup();
  await flushPromises();
  socket.close(1000);
  expect(opened[0]?.socket.closedWith).toEqual([1000]);
});
