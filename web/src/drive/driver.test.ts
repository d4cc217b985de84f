import { expect, test } from "vitest";
import { lease, notice } from "../testing/examples";
import { FakeTimers } from "../testing/fake-timers";
import type { ClientMessage, ErrorMessage } from "../wire/messages";
import { Driver } from "./driver";
import type { CutReason } from "./hold";
import { velocity } from "./velocity";

const RIGHT = velocity(1, 0);
const DIAGONAL = velocity(0.5, 0.5);

function stage({ holder = "you" as "you" | "nobody" | "other" | null } = {}) {
  const timers = new FakeTimers();
  const said: ClientMessage[] = [];
  const house = { whyNot: null as CutReason | null, isOpen: true, pings: 0, reconnects: 0 };
  const driver = new Driver({
    timers,
    send: (message) => house.isOpen && said.push(message) > 0,
    isBackedUp: () => false,
    heard: () => ({ serverMs: 50_000, ageMs: 0 }),
    whyNot: () => house.whyNot,
    ping: () => {
      house.pings += 1;
    },
    reconnect: () => {
      house.reconnects += 1;
    },
  });
  if (holder !== null) {
    driver.receiveLease(lease(holder));
  }
  const types = () => said.map(({ type }) => type);
  const goOffline = () => {
    house.isOpen = false;
    driver.receiveOffline();
  };
  const comeBack = () => {
    house.isOpen = true;
    driver.receiveOnline();
  };
  return { timers, said, types, driver, house, goOffline, comeBack };
}

const refusal = (code: string): ErrorMessage => ({ type: "error", code, message: "", closing: false });

test("who has the lease drives at once", () => {
  const { driver, said } = stage();
  driver.press("keys", RIGHT, 1000);
  expect(said).toMatchObject([{ type: "drive", epoch: 1, hold: 1, pan: 1 }]);
});

test("the first press asks for the lease and drives as soon as it is given", () => {
  const { driver, types } = stage({ holder: "nobody" });
  driver.press("keys", RIGHT, 1000);
  expect(types()).toEqual(["lease.acquire"]);
  driver.receiveLease(lease("you", { epoch: 3 }));
  expect(types()).toEqual(["lease.acquire", "drive"]);
});

test("letting go before the lease is given moves nothing", () => {
  const { driver, types, timers } = stage({ holder: "nobody" });
  driver.press("keys", RIGHT, 1000);
  driver.letGo("keys");
  driver.receiveLease(lease("you"));
  timers.pass(500);
  expect(types()).toEqual(["lease.acquire"]);
});

test.each<CutReason>(["no_picture", "offline", "other_drives", "out_of_reach"])(
  "a press that cannot drive (%s) is dead from the start and says nothing",
  (reason) => {
    const { driver, said, house } = stage();
    house.whyNot = reason;
    driver.press("keys", RIGHT, 1000);
    expect(driver.hold.value).toMatchObject({ kind: "cut", reason });
    house.whyNot = null;
    driver.move("keys", RIGHT, 1100);
    expect(said).toEqual([]);
  },
);

test("a lease refused ends the hold that asked for it", () => {
  const { driver } = stage({ holder: "nobody" });
  driver.press("keys", RIGHT, 1000);
  driver.receiveRefusal(refusal("someone_else_drives"));
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason: "other_drives" });
});

test("when someone takes over, the hold is cut and a move changes nothing", () => {
  const { driver, types, timers } = stage();
  driver.press("keys", RIGHT, 1000);
  driver.receiveLease(lease("other", { epoch: 2 }));
  driver.move("keys", DIAGONAL, 1010);
  timers.pass(500);
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason: "other_drives" });
  expect(types()).toEqual(["drive", "release"]);
});

test("taking over is a wish of its own and drives only with the next press", () => {
  const { driver, types } = stage({ holder: "other" });
  driver.takeOver();
  driver.receiveLease(lease("you", { epoch: 5 }));
  expect(types()).toEqual(["lease.take"]);
  driver.press("keys", RIGHT, 1000);
  expect(types()).toEqual(["lease.take", "drive"]);
});

test.each([
  ["hold_expired", "too_slow"],
  ["hold_too_long", "too_long"],
  ["stopped", "stopped"],
  ["lease_lost", "other_drives"],
  ["clock_jumped", "too_slow"],
  ["closing", "offline"],
] as const)("the notice %s ends the hold (%s)", (code, reason) => {
  const { driver, timers, said } = stage();
  driver.press("keys", RIGHT, 1000);
  driver.receiveNotice(notice(code, 1));
  const count = said.length;
  timers.pass(500);
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason });
  expect(said).toHaveLength(count);
});

test("a notice about an earlier hold leaves the present one alone", () => {
  const { driver } = stage();
  driver.press("keys", RIGHT, 1000);
  driver.letGo("keys");
  driver.press("keys", RIGHT, 1200);
  driver.receiveNotice(notice("hold_expired", 1));
  expect(driver.hold.value).toMatchObject({ kind: "live", number: 2 });
});

test("one axis out of reach leaves the other one to the hand", () => {
  const { driver } = stage();
  driver.press("keys", DIAGONAL, 1000);
  driver.receiveNotice(notice("link_lost", 1, "tilt"));
  expect(driver.hold.value).toMatchObject({ kind: "live", lost: ["tilt"] });
  driver.receiveNotice(notice("link_lost", 1, "pan"));
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason: "out_of_reach" });
});

test("a refusal about an earlier hold leaves the present one alone", () => {
  const { driver } = stage();
  driver.press("keys", RIGHT, 1000);
  driver.letGo("keys");
  driver.press("keys", RIGHT, 1010);
  driver.receiveRefusal({ ...refusal("hold_ended"), hold: 1 });
  expect(driver.hold.value.kind).toBe("live");
  driver.receiveRefusal({ ...refusal("hold_ended"), hold: 2 });
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason: "too_slow" });
});

test("a refusal that does not concern the hand leaves it alone", () => {
  const { driver, timers } = stage();
  driver.press("keys", RIGHT, 1000);
  timers.pass(200);
  driver.receiveRefusal(refusal("old_sequence"));
  driver.receiveRefusal(refusal("too_fast"));
  expect(driver.hold.value.kind).toBe("live");
});

test("stop is said first and ends the hold", () => {
  const { driver, types } = stage();
  driver.press("keys", RIGHT, 1000);
  driver.stop();
  expect(types()).toEqual(["drive", "stop", "release"]);
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason: "stopped" });
});

test("stop may be said by anyone", () => {
  const { driver, types } = stage({ holder: "other" });
  driver.stop();
  expect(types()).toEqual(["stop"]);
});

test("a stop pressed without a connection is said first when it is back, and once", () => {
  const { driver, types, timers, goOffline, comeBack } = stage();
  goOffline();
  driver.stop();
  expect(driver.openStop.value).toMatchObject({ isLost: true });
  timers.pass(4000);
  comeBack();
  expect(driver.openStop.value).toMatchObject({ isLost: false });
  driver.receiveLease(lease("you", { epoch: 2 }));
  driver.press("keys", RIGHT, timers.now());
  expect(types()).toEqual(["stop", "drive"]);
  goOffline();
  comeBack();
  expect(types().filter((type) => type === "stop")).toHaveLength(1);
});

test("a stop that is no longer what the visitor sees is not said any more", () => {
  const { driver, types, timers, goOffline, comeBack } = stage();
  goOffline();
  driver.stop();
  timers.pass(5001);
  comeBack();
  expect(types()).toEqual([]);
  expect(driver.openStop.value).toBeNull();
});

test("a press after the stop takes it back, even one that cannot drive", () => {
  const { driver, types, house, goOffline, comeBack } = stage();
  goOffline();
  driver.stop();
  house.whyNot = "offline";
  driver.press("keys", RIGHT, 1000);
  comeBack();
  expect(types()).toEqual([]);
});

test("a stop has arrived when a ping that followed it is answered, not one from before", () => {
  const { driver, timers, house, types, goOffline, comeBack } = stage();
  const beforeMs = timers.now();
  timers.pass(100);
  driver.stop();
  expect(house.pings).toBe(1);
  driver.receivePong(beforeMs);
  expect(driver.openStop.value).not.toBeNull();
  driver.receivePong(timers.now());
  expect(driver.openStop.value).toBeNull();
  goOffline();
  comeBack();
  expect(types()).toEqual(["stop"]);
});

test("a stop that went down with its socket is said again", () => {
  const { driver, types, timers, goOffline, comeBack } = stage();
  driver.stop();
  timers.pass(300);
  goOffline();
  expect(driver.openStop.value).toMatchObject({ isLost: true });
  timers.pass(250);
  comeBack();
  expect(types()).toEqual(["stop", "stop"]);
});

test("a stop that nothing answers counts as lost, although the socket seems to stand", () => {
  const { driver, timers, house } = stage();
  driver.stop();
  timers.pass(2499);
  expect(driver.openStop.value).toMatchObject({ isLost: false });
  expect(house.reconnects).toBe(0);
  timers.pass(1);
  expect(driver.openStop.value).toMatchObject({ isLost: true });
  expect(house.reconnects).toBe(1);
  driver.receivePong(timers.now());
  expect(driver.openStop.value).toBeNull();
});

test("a lost connection cuts the hold, and coming back does not bring it to life", () => {
  const { driver, types, timers } = stage();
  driver.press("keys", RIGHT, 1000);
  driver.receiveOffline();
  driver.receiveLease(lease("you", { epoch: 2 }));
  driver.move("keys", DIAGONAL, 1500);
  timers.pass(500);
  expect(driver.hold.value).toMatchObject({ kind: "cut", reason: "offline" });
  expect(types().filter((type) => type === "drive")).toHaveLength(1);
});

test("a driver who rests for a minute lets others drive", () => {
  const { driver, types, timers } = stage();
  driver.press("keys", RIGHT, 1000);
  timers.pass(5000);
  driver.letGo("keys");
  timers.pass(59_000);
  expect(types()).not.toContain("lease.return");
  timers.pass(1000);
  expect(types().at(-1)).toBe("lease.return");
});

test("a driver who holds on does not lose the lease to idleness", () => {
  const { driver, types, timers } = stage();
  driver.press("keys", RIGHT, 1000);
  timers.pass(120_000);
  expect(types()).not.toContain("lease.return");
});
