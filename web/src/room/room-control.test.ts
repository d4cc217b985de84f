import { expect, test } from "vitest";
import { welcome } from "../testing/examples";
import { FakeSocket } from "../testing/fake-socket";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { access, here, knocking, room } from "../testing/room";
import { type Announcement, RoomControl } from "./room-control";

function setup() {
  const timers = new FakeTimers();
  const sockets: FakeSocket[] = [];
  const server = { closesByRequest: false, requests: 0, microphoneRequests: 0 };
  const announced: Announcement[] = [];
  const control = new RoomControl({
    timers,
    random: () => 0,
    openSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    hasSession: async () => null,
    requestClosing: async () => {
      server.requests += 1;
      return server.closesByRequest;
    },
    requestMicrophoneOff: async () => {
      server.microphoneRequests += 1;
      return false;
    },
    announce: (what) => announced.push(what),
  });
  control.open();
  const newest = () => sockets.at(-1) ?? new FakeSocket();
  const connect = (closed = false) => {
    newest().open();
    newest().deliver(welcome());
    newest().deliver(access());
    newest().deliver(room({}, closed));
  };
  const asked = () => sockets.flatMap((socket) => socket.sentOf("room.curtain").map(({ closed }) => closed));
  return { timers, server, announced, control, newest, connect, asked };
}

test("one tap closes, and the wish ends when the server says that it is closed", () => {
  const { control, newest, connect, asked } = setup();
  connect();
  control.curtain.close();
  expect(asked()).toEqual([true]);
  expect(control.curtain.wish.value).toBe("closing");
  newest().deliver(room({ here: [here("Ann")] }));
  expect(control.curtain.wish.value).toBe("closing");
  newest().deliver(room({}, true));
  expect(control.curtain.wish.value).toBe("none");
});

test("tapping again and again asks no more often than once a second", () => {
  const { timers, control, connect, asked } = setup();
  connect();
  for (let tap = 0; tap < 100; tap++) {
    control.curtain.close();
  }
  timers.advance(1000);
  expect(asked()).toEqual([true, true]);
});

test("a server that does not answer is asked until it does, by requests too, and the resident is told", async () => {
  const { timers, server, control, connect, asked } = setup();
  connect();
  control.curtain.close();
  timers.advance(2900);
  expect(control.curtain.wish.value).toBe("closing");
  timers.advance(200);
  expect(control.curtain.wish.value).toBe("close_unknown");
  expect(asked()).toHaveLength(4);
  expect(server.requests).toBe(3);
  server.closesByRequest = true;
  timers.advance(1000);
  await flushPromises();
  expect(control.curtain.wish.value).toBe("none");
});

test("a tap without a connection is carried out when there is one again, and is never forgotten", () => {
  const { timers, control, newest, connect, asked } = setup();
  connect();
  newest().end();
  expect(control.isConnected.value).toBe(false);
  expect(control.room.value).toBeNull();
  control.curtain.close();
  expect(control.curtain.wish.value).toBe("closing");
  expect(asked()).toEqual([]);
  timers.advance(3_600_000);
  expect(control.curtain.wish.value).toBe("close_unknown");
  connect();
  timers.advance(1000);
  expect(asked().at(-1)).toBe(true);
  newest().deliver(room({}, true));
  expect(control.curtain.wish.value).toBe("none");
});

test("a closed curtain is opened once asked, and not asked again by itself", () => {
  const { timers, control, newest, connect, asked } = setup();
  connect(true);
  control.curtain.open();
  expect(control.curtain.wish.value).toBe("opening");
  timers.advance(7000);
  expect(asked()).toEqual([false]);
  newest().deliver(room({}, false));
  expect(control.curtain.wish.value).toBe("none");
});

test.each<[string, (socket: FakeSocket, timers: FakeTimers) => void]>([
  ["no answer", (_, timers) => timers.advance(8000)],
  [
    "a refusal",
    (socket) => socket.deliver({ type: "error", code: "not_ready", message: "", closing: false }),
  ],
  ["a lost connection", (socket) => socket.end()],
])("opening fails with %s, and is not tried later", (_, fail) => {
  const { timers, control, newest, connect, asked } = setup();
  connect(true);
  control.curtain.open();
  fail(newest(), timers);
  expect(control.curtain.wish.value).toBe("open_failed");
  timers.advance(60_000);
  connect(true);
  timers.advance(60_000);
  expect(asked()).toEqual([false]);
});

test("closing overrides an opening that is under way, and opening does not override closing", () => {
  const { control, newest, connect, asked } = setup();
  connect(true);
  control.curtain.open();
  control.curtain.close();
  control.curtain.open();
  expect(asked()).toEqual([false, true]);
  expect(control.curtain.wish.value).toBe("closing");
  newest().deliver(room({}, true));
  expect(control.curtain.wish.value).toBe("none");
});

test("without a connection nothing is opened or answered", () => {
  const { control, newest, connect, asked } = setup();
  connect(true);
  newest().end();
  control.curtain.open();
  expect(control.answer("id-Ann", "yes")).toBe(false);
  expect(asked()).toEqual([]);
  expect(control.curtain.wish.value).toBe("none");
});

test("an answer goes to the person who knocked", () => {
  const { control, newest, connect } = setup();
  connect();
  expect(control.answer("id-Ann", "always")).toBe(true);
  expect(newest().sentOf("room.answer")).toEqual([
    { type: "room.answer", person: "id-Ann", answer: "always" },
  ]);
});

test("who comes or knocks is announced once, and nobody who was here when the page began", () => {
  const { announced, newest, connect } = setup();
  connect();
  newest().deliver(room({ here: [here("Ann")] }));
  newest().deliver(room({ here: [here("Ann", { drives: true })] }));
  newest().deliver(room({ here: [here("Ann")], knocks: [knocking("Bo")] }));
  newest().deliver(room({ here: [here("Ann"), here("Bo")] }));
  expect(announced).toEqual(["arrival", "knock"]);
  newest().end();
  expect(announced).toHaveLength(2);
});

test("a session that does not speak for the room is told so", () => {
  const { control, newest } = setup();
  newest().open();
  newest().deliver(welcome());
  expect(control.isForbidden.value).toBe(false);
  newest().deliver(access("open", { rights: ["look", "manage"] }));
  expect(control.isForbidden.value).toBe(true);
});

test("a connection that only seems open is noticed within seconds", () => {
  const { timers, control, connect } = setup();
  connect();
  timers.advance(9000);
  expect(control.isConnected.value).toBe(false);
});

test("the chime rings before the first words of a visit, and not before the next ones", () => {
  const { announced, connect, newest } = setup();
  connect();
  const say = (...people: Parameters<typeof here>[]) =>
    newest().deliver(room({ here: people.map((each) => here(...each)) }));
  say(["Ann"]);
  say(["Ann", { talks: true }]);
  say(["Ann", { talks: true, heard: true }]);
  say(["Ann"]);
  say(["Ann", { talks: true }]);
  expect(announced).toEqual(["arrival", "talk"]);
  say();
  say(["Ann", { talks: true }]);
  expect(announced).toEqual(["arrival", "talk", "talk"]);
});

test("the microphone is switched off without a connection as soon as there is one, and never on by itself", () => {
  const { timers, server, control, newest, connect } = setup();
  connect();
  control.microphone.close();
  newest().end();
  timers.advance(1500);
  expect(server.microphoneRequests).toBeGreaterThan(0);
  connect();
  timers.advance(1000);
  expect(newest().sentOf("room.microphone").at(-1)).toEqual({ type: "room.microphone", off: true });
  newest().deliver(room({ microphone: { exists: true, off: true, open: false, saved: true } }));
  expect(control.microphone.wish.value).toBe("none");
  control.microphone.open();
  newest().end();
  expect(control.microphone.wish.value).toBe("open_failed");
  connect();
  timers.advance(60_000);
  expect(newest().sentOf("room.microphone")).toEqual([]);
});
