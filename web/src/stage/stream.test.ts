import { expect, test } from "vitest";
import { type FakePicture, FakeStreamSocket, fakeCodecs } from "../testing/fake-codecs";
import { FakeTimers } from "../testing/fake-timers";
import { StreamConnector, streamLack } from "./stream";
import type { JoinFailure } from "./way";

const START = [1, ..."view".split("").map((letter) => letter.charCodeAt(0))];

function setup() {
  const timers = new FakeTimers();
  const { decoders, ports } = fakeCodecs(timers);
  const sockets: FakeStreamSocket[] = [];
  const pictures: FakePicture[] = [];
  const lost: JoinFailure[] = [];
  const connector = new StreamConnector({
    ...ports,
    openSocket: () => {
      const socket = new FakeStreamSocket();
      sockets.push(socket);
      return socket;
    },
  });
  const open = () =>
    connector.open("view", {
      onPicture: (picture) => pictures.push(picture as unknown as FakePicture),
      onLost: (failure) => lost.push(failure),
    });
  const socket = (): FakeStreamSocket => {
    const newest = sockets.at(-1);
    if (newest === undefined) {
      throw new Error("no socket was opened");
    }
    return newest;
  };
  return { connector, sockets, socket, decoders, pictures, lost, open };
}

test("it asks for the picture once the socket is open, acknowledges every frame at once, and decodes it", () => {
  const { open, socket, decoders, pictures } = setup();
  open();
  expect(socket().sent).toHaveLength(0);
  socket().open();
  expect([...(socket().sent[0] ?? [])]).toEqual(START);
  socket().describe();
  socket().deliverFrame(9000, true);
  expect([...(socket().sent[1] ?? [])]).toEqual([2, 0, 0, 0, 0, 0, 0, 0x23, 0x28]);
  decoders[0]?.output(100_000);
  expect(pictures[0]?.timestamp).toBe(100_000);
});

test("a socket that was opened in advance is used, and asks for nothing before", () => {
  const { connector, open, socket, sockets } = setup();
  connector.prepare();
  connector.prepare();
  socket().open();
  expect(socket().sent).toHaveLength(0);
  open();
  expect(sockets).toHaveLength(1);
  expect([...(socket().sent[0] ?? [])]).toEqual(START);
});

test("a socket that was closed in advance is replaced", () => {
  const { connector, open, socket, sockets } = setup();
  connector.prepare();
  socket().open();
  socket().end(4408);
  const session = open();
  expect(sockets).toHaveLength(2);
  session.leave();
  open();
  expect(sockets).toHaveLength(3);
});

test.each<[number, JoinFailure]>([
  [4401, "no_session"],
  [4403, "no_session"],
  [4423, "withheld"],
  [4503, "full"],
  [4504, "no_picture"],
  [4408, "failed"],
  [1001, "failed"],
  [1006, "failed"],
])("close code %i means %s", (code, failure) => {
  const { open, socket, lost } = setup();
  open();
  socket().open();
  socket().end(code);
  expect(lost).toEqual([failure]);
});

test("after leaving nothing is reported, decoded or sent", () => {
  const { open, socket, lost, decoders } = setup();
  const session = open();
  socket().open();
  socket().describe();
  session.leave();
  socket().deliverFrame(0, true);
  socket().end(4401);
  expect(lost).toEqual([]);
  expect(decoders.map(({ chunks }) => chunks.length)).toEqual([0]);
  expect(socket().sent).toHaveLength(1);
  expect(socket().isClosed).toBe(true);
});

test.each([
  ["EncodingError", "failed"],
  ["NotSupportedError", "no_codec"],
])(
  "a decoder that needs an IDR asks for one, and one that is unable for %s ends the session",
  (error, failure) => {
    const { open, socket, lost, decoders } = setup();
    open();
    socket().open();
    socket().describe();
    for (let ticks = 0; ticks < 3; ticks++) {
      socket().deliverFrame(ticks, true);
      decoders.at(-1)?.fail(error);
    }
    expect(socket().sent.some((message) => message[0] === 3 && message.length === 1)).toBe(true);
    expect(lost).toEqual([failure]);
    expect(socket().isClosed).toBe(true);
  },
);

test("messages that are none are ignored", () => {
  const { open, socket, lost } = setup();
  open();
  socket().open();
  for (const data of ["nonsense", new ArrayBuffer(3), null, 5]) {
    socket().deliverData(data);
  }
  expect(socket().sent).toHaveLength(1);
  expect(lost).toEqual([]);
});

test("what a browser lacks is known", () => {
  expect(streamLack({ isSecureContext: false })).toBe("secure_context");
  expect(streamLack({ isSecureContext: true })).toBe("decoder");
  const codecs = { VideoDecoder: class {}, EncodedVideoChunk: class {} };
  expect(streamLack({ isSecureContext: true, ...codecs })).toBeNull();
});
