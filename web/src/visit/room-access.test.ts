import { expect, test } from "vitest";
import { access } from "../testing/room";
import { RoomAccess } from "./room-access";

const visible = true;

test("an open room changes nothing, and a closed curtain ends the picture", () => {
  const room = new RoomAccess();
  expect(room.receive(access("open"), true, visible)).toBe("neither");
  expect(room.receive(access("curtain"), true, visible)).toBe("end");
  expect(room.state.value).toEqual({ kind: "curtain", untilMs: null, wasLooking: true });
});

test.each(["curtain", "quiet", "refused", "knock"] as const)(
  "after %s the picture comes back only with a tap",
  (state) => {
    const room = new RoomAccess();
    room.receive(access(state), true, visible);
    expect(room.receive(access("open"), false, visible)).toBe("neither");
    expect(room.state.value).toEqual({ kind: "open_again", after: state });
    expect(room.receive(access("open"), false, visible)).toBe("neither");
    expect(room.state.value.kind).toBe("open_again");
    room.reset();
    expect(room.state.value).toEqual({ kind: "open" });
  },
);

test("whoever has knocked and waits is let in without a tap, but not on a hidden page", () => {
  const room = new RoomAccess();
  room.receive(access("knock"), false, visible);
  room.receive(access("waiting", { until: 5 }), false, visible);
  expect(room.state.value).toEqual({ kind: "waiting", untilMs: 5, wasLooking: false });
  expect(room.receive(access("open"), false, visible)).toBe("look");
  room.receive(access("waiting"), false, visible);
  expect(room.receive(access("open"), false, !visible)).toBe("neither");
  expect(room.state.value).toEqual({ kind: "open_again", after: "waiting" });
});

test("a picture that was there is remembered over several words of the server", () => {
  const room = new RoomAccess();
  room.receive(access("curtain"), true, visible);
  room.receive(access("refused"), false, visible);
  expect(room.state.value).toMatchObject({ kind: "refused", wasLooking: true });
});

test("a curtain that closes before the tap takes the offer back", () => {
  const room = new RoomAccess();
  room.receive(access("curtain"), true, visible);
  room.receive(access("open"), false, visible);
  expect(room.receive(access("curtain"), false, visible)).toBe("end");
  expect(room.state.value.kind).toBe("curtain");
});
