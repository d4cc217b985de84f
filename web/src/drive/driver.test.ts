import { expect, test } from "vitest";
import { lease, notice } from "../testing/examples";
import { FakeTimers } from "../testing/fake-timers";
import type { ClientMessage, ErrorMessage } from "../wire/messages";
import { Driver } from "./driver";
import type { CutReason } from "./hold";
import { velocity } from "./velocity";

const RIGHT = velocity(1, 0);
const DIAGONAL = velocity(0.5, 0.5);

function setup({ holder = "you" as "you" | "nobody" | "other" | null } = {}) {
  const timers = new FakeTimers();
  const sent: ClientMessage[] = [];
  const env = { blockedReason: null as CutReason | null, isOpen: true, pings: 0, reconnects: 0 };
  const driver = new Driver({
    timers,
    send: (message) => env.isOpen && sent.push(message) > 0,
    isBackedUp: () => false,
    newestServerTime: () => ({ serverMs: 50_000, ageMs: 0 }),
    blockedReason: () => env.blockedReason,
    ping: () => {
      env.pings += 1;
    },
    reconnect: () => {
      env.reconnects += 1;
    },
  });
  if (holder !== null) {
    driver.receiveLease(lease(holder));
  }
  const types = () => sent.map(({ type }) => type);
  const disconnect = () => {
    env.isOpen = false;
    driver.receiveDisconnected();
  };
  const reconnect = () => {
    env.isOpen = true;
    driver.receiveConnected();
  };
  return { timers, sent, types, driver, env, disconnect, reconnect };
}

const refusalOf = (code: string): ErrorMessage => ({ type: "error", code, message: "", closing: false });

test("a press with the lease drives at once", () => {
  const { driver, sent } = setup();
  driver.press("keys", RIGHT, 1000);
  expect(sent).toMatchObject([{ type: "drive", epoch: 1, hold: 1, pan: 1 }]);
});

test("what may become a press sends nothing, and takes nothing from others", () => {
  const { driver, sent } = setup({ holder: "nobody" });
  driver.prepare();
  expect(sent).toEqual([]);
  expect(driver.hold.value.kind).toBe("none");
});

test("the first press asks for the lease and drives as soon as it is granted", () => {
  const { driver, types } = setup({ holder: "nobody" });
  driver.press("keys", RIGHT, 1000);
  expect(types()).toEqual(["lease.acquire"]);
  driver.receiveLease(lease("you", { epoch: 3 }));
  expect(types()).toEqual(["lease.acquire", "drive"]);
});

test("a press that is released before the lease is granted moves nothing", () => {
  const { driver, types, timers } = setup({ holder: "nobody" });
  driver.press("keys", RIGHT, 1000);
  driver.release("keys");
  driver.receiveLease(lease("you"));
  timers.advance(500);
  expect(types()).toEqual(["lease.acquire"]);
});

test.each<CutReason>(["no_picture", "offline", "other_drives", "out_of_reach"])(
  "a press that cannot drive (%s) is cut from the start and sends nothing",
  (reason) => {
    const { driver, sent, env } = setup();
    env.blockedReason = reason;
    driver.press("keys", RIGHT, 1000);
    expect(driver.hold.value).toMatchObject({ kind: "cut", reason });
    env.blockedReason = null;
    driver.move("keys", RIGHT, 1100);
    expect(sent).toEqual([]);
  },
);

test("a refused lease ends the hold that asked for it", () => {
  const { driver } = setup({ holder: "nobody" });
  driver.press("keys", RIGHT, 1000);
  driver.receiveError(refusalOf("someone_else_drives"));
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason: "other_drives" });
});

test("when someone takes over, the hold is cut and a move changes nothing", () => {
  const { driver, types, timers } = setup();
  driver.press("keys", RIGHT, 1000);
  driver.receiveLease(lease("other", { epoch: 2 }));
  driver.move("keys", DIAGONAL, 1010);
  timers.advance(500);
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason: "other_drives" });
  expect(types()).toEqual(["drive", "release"]);
});

test("taking over alone does not drive; the next press does", () => {
  const { driver, types } = setup({ holder: "other" });
  driver.takeLease();
  driver.receiveLease(lease("you", { epoch: 5 }));
  expect(types()).toEqual(["lease.take"]);
  driver.press("keys", RIGHT, 1000);
  expect(types()).toEqual(["lease.take", "drive"]);
});

test.each([
  ["hold_expired", "too_late"],
  ["hold_too_long", "too_long"],
  ["stopped", "stopped"],
  ["lease_lost", "other_drives"],
  ["clock_jumped", "too_late"],
  ["closing", "offline"],
] as const)("the notice %s ends the hold (%s)", (code, reason) => {
  const { driver, timers, sent } = setup();
  driver.press("keys", RIGHT, 1000);
  driver.receiveNotice(notice(code, 1));
  const count = sent.length;
  timers.advance(500);
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason });
  expect(sent).toHaveLength(count);
});

test("a notice about an earlier hold leaves the present one alone", () => {
  const { driver } = setup();
  driver.press("keys", RIGHT, 1000);
  driver.release("keys");
  driver.press("keys", RIGHT, 1200);
  driver.receiveNotice(notice("hold_expired", 1));
  expect(driver.hold.value).toMatchObject({ kind: "live", number: 2 });
});

test("with one axis out of reach the hold goes on with the other", () => {
  const { driver } = setup();
  driver.press("keys", DIAGONAL, 1000);
  driver.receiveNotice(notice("link_lost", 1, "tilt"));
  expect(driver.hold.value).toMatchObject({ kind: "live", lostAxes: ["tilt"] });
  driver.receiveNotice(notice("link_lost", 1, "pan"));
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason: "out_of_reach" });
});

test("a refusal about an earlier hold leaves the present one alone", () => {
  const { driver } = setup();
  driver.press("keys", RIGHT, 1000);
  driver.release("keys");
  driver.press("keys", RIGHT, 1010);
  driver.receiveError({ ...refusalOf("hold_ended"), hold: 1 });
  expect(driver.hold.value.kind).toBe("live");
  driver.receiveError({ ...refusalOf("hold_ended"), hold: 2 });
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason: "too_late" });
});

test("a refusal of a single message does not end the hold", () => {
  const { driver, timers } = setup();
  driver.press("keys", RIGHT, 1000);
  timers.advance(200);
  driver.receiveError(refusalOf("old_sequence"));
  driver.receiveError(refusalOf("too_fast"));
  expect(driver.hold.value.kind).toBe("live");
});

test("a stop is sent at once and ends the hold", () => {
  const { driver, types } = setup();
  driver.press("keys", RIGHT, 1000);
  driver.stop();
  expect(types()).toEqual(["drive", "stop", "release"]);
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason: "stopped" });
});

test("anyone may stop", () => {
  const { driver, types } = setup({ holder: "other" });
  driver.stop();
  expect(types()).toEqual(["stop"]);
});

test("a stop pressed without a connection is sent first once it is back, and only once", () => {
  const { driver, types, timers, disconnect, reconnect } = setup();
  disconnect();
  driver.stop();
  expect(driver.pendingStop.value).toMatchObject({ isLost: true });
  timers.advance(4000);
  reconnect();
  expect(driver.pendingStop.value).toMatchObject({ isLost: false });
  driver.receiveLease(lease("you", { epoch: 2 }));
  driver.press("keys", RIGHT, timers.now());
  expect(types()).toEqual(["stop", "drive"]);
  disconnect();
  reconnect();
  expect(types().filter((type) => type === "stop")).toHaveLength(1);
});

test("a stop pressed too long ago is not sent any more", () => {
  const { driver, types, timers, disconnect, reconnect } = setup();
  disconnect();
  driver.stop();
  timers.advance(5001);
  reconnect();
  expect(types()).toEqual([]);
  expect(driver.pendingStop.value).toBeNull();
});

test("a press after a stop discards it, even one that cannot drive", () => {
  const { driver, types, env, disconnect, reconnect } = setup();
  disconnect();
  driver.stop();
  env.blockedReason = "offline";
  driver.press("keys", RIGHT, 1000);
  reconnect();
  expect(types()).toEqual([]);
});

test("a stop is confirmed by the pong of a later ping, not of an earlier one", () => {
  const { driver, timers, env, types, disconnect, reconnect } = setup();
  const beforeMs = timers.now();
  timers.advance(100);
  driver.stop();
  expect(env.pings).toBe(1);
  driver.receivePong(beforeMs);
  expect(driver.pendingStop.value).not.toBeNull();
  driver.receivePong(timers.now());
  expect(driver.pendingStop.value).toBeNull();
  disconnect();
  reconnect();
  expect(types()).toEqual(["stop"]);
});

test("a stop that was lost with its socket is sent again", () => {
  const { driver, types, timers, disconnect, reconnect } = setup();
  driver.stop();
  timers.advance(300);
  disconnect();
  expect(driver.pendingStop.value).toMatchObject({ isLost: true });
  timers.advance(250);
  reconnect();
  expect(types()).toEqual(["stop", "stop"]);
});

test("a stop that is not confirmed counts as lost, although the socket still looks open", () => {
  const { driver, timers, env } = setup();
  driver.stop();
  timers.advance(2499);
  expect(driver.pendingStop.value).toMatchObject({ isLost: false });
  expect(env.reconnects).toBe(0);
  timers.advance(1);
  expect(driver.pendingStop.value).toMatchObject({ isLost: true });
  expect(env.reconnects).toBe(1);
  driver.receivePong(timers.now());
  expect(driver.pendingStop.value).toBeNull();
});

test("a lost connection cuts the hold, and reconnecting does not revive it", () => {
  const { driver, types, timers } = setup();
  driver.press("keys", RIGHT, 1000);
  driver.receiveDisconnected();
  driver.receiveLease(lease("you", { epoch: 2 }));
  driver.move("keys", DIAGONAL, 1500);
  timers.advance(500);
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason: "offline" });
  expect(types().filter((type) => type === "drive")).toHaveLength(1);
});

test("a driver who does nothing for a minute returns the lease", () => {
  const { driver, types, timers } = setup();
  driver.press("keys", RIGHT, 1000);
  timers.advance(5000);
  driver.release("keys");
  timers.advance(59_000);
  expect(types()).not.toContain("lease.return");
  timers.advance(1000);
  expect(types().at(-1)).toBe("lease.return");
});

test("a driver who keeps holding does not lose the lease by idling", () => {
  const { driver, types, timers } = setup();
  driver.press("keys", RIGHT, 1000);
  timers.advance(120_000);
  expect(types()).not.toContain("lease.return");
});
