import { expect, test } from "vitest";
import { cut, cutAxis, NO_HOLD, press } from "../drive/hold";
import { velocity } from "../drive/velocity";
import { axis, lease } from "../testing/examples";
import { type Situation, say } from "./status-message";

const WELL: Situation = {
  channel: { kind: "open" },
  viewer: { kind: "live" },
  hold: NO_HOLD,
  lease: lease("nobody"),
  pendingStop: null,
  pan: axis(),
  tilt: axis(),
  stage: { available: true, viewers: 1 },
  hasSeen: true,
  hasDriven: true,
};
const RIGHT = press(NO_HOLD, "keys", velocity(1, 0), 0);
const AWAY = axis({ link: "waiting", reason: "not_found" });

const topic = (changes: Partial<Situation>) => say({ ...WELL, ...changes }).topic;

test("when all is well nothing is said", () => {
  expect(say(WELL)).toEqual({ topic: "nothing", words: "", more: "", action: null });
});

test("an ended visit is told why, where that is known", () => {
  const words = (channel: Situation["channel"]) => say({ ...WELL, channel, viewer: { kind: "ended" } }).words;
  expect(words({ kind: "ended", reason: "The time of this visit is over." })).toBe(
    "The time of this visit is over.",
  );
  expect(words({ kind: "ended", reason: "" })).toBe("This visit has ended.");
  expect(words({ kind: "closed" })).toBe("This visit has ended.");
});

test("a visitor who has not yet driven is told how", () => {
  expect(topic({ hasDriven: false })).toBe("hint");
  expect(topic({ hasDriven: false, hold: RIGHT })).toBe("nothing");
});

test.each<[string, Partial<Situation>, string]>([
  ["the first opening", { viewer: { kind: "joining", attempt: 0 }, hasSeen: false }, "opening"],
  ["fetching a lost picture", { viewer: { kind: "joining", attempt: 1 } }, "picture_lost"],
  ["waiting for it", { viewer: { kind: "waiting", failure: "failed" } }, "picture_lost"],
  ["a picture that stands still", { viewer: { kind: "frozen" } }, "picture_frozen"],
  ["a full house", { viewer: { kind: "waiting", failure: "full" } }, "full"],
  ["a dark camera", { viewer: { kind: "waiting", failure: "no_picture" } }, "no_picture"],
  [
    "a dark camera, as the house says",
    { viewer: { kind: "waiting", failure: "failed" }, stage: { available: false, viewers: 0 } },
    "no_picture",
  ],
  ["an ended visit, heard by the picture", { viewer: { kind: "ended" } }, "ended"],
  ["an ended visit, heard by the channel", { channel: { kind: "ended", reason: "" } }, "ended"],
  ["the channel's first attempt", { channel: { kind: "connecting", attempt: 0 } }, "nothing"],
  ["the channel's next attempt", { channel: { kind: "connecting", attempt: 1 } }, "reconnecting"],
  ["waiting for the channel", { channel: { kind: "waiting", attempt: 0 } }, "reconnecting"],
  ["someone else driving", { lease: lease("other") }, "other_drives"],
  ["both units out of reach", { pan: AWAY, tilt: AWAY }, "out_of_reach"],
  ["one unit out of reach", { tilt: AWAY }, "out_of_reach"],
  ["an axis that is not fitted", { tilt: axis({ link: "disabled" }) }, "nothing"],
  ["the only fitted axis out of reach", { tilt: axis({ link: "disabled" }), pan: AWAY }, "out_of_reach"],
  ["a cut hold", { hold: cut(RIGHT, "too_long") }, "let_go"],
  [
    "a press while another drives",
    { hold: cut(RIGHT, "other_drives"), lease: lease("other") },
    "other_drives",
  ],
  ["turning against the end", { hold: RIGHT, pan: axis({ limit: 1 }) }, "limit"],
  ["turning away from the end", { hold: RIGHT, pan: axis({ limit: -1 }) }, "nothing"],
])("%s", (_what, changes, expected) => {
  expect(topic(changes)).toBe(expected);
});

test("what makes the rest impossible is said first", () => {
  const everything = {
    viewer: { kind: "frozen" },
    channel: { kind: "waiting", attempt: 2 },
    pan: AWAY,
  } as const;
  expect(topic(everything)).toBe("picture_frozen");
  expect(topic({ ...everything, viewer: { kind: "live" } })).toBe("reconnecting");
});

test("a stop that did not get through is told before all else but the visit's end", () => {
  const lost = { pendingStop: { pressedAtMs: 0, isLost: true } } as const;
  const said = say({
    ...WELL,
    ...lost,
    viewer: { kind: "frozen" },
    channel: { kind: "waiting", attempt: 1 },
  });
  expect(said.words).toContain("Home is out of reach");
  expect(said.more).toContain("the camera stops by itself");
  expect(topic({ ...lost, viewer: { kind: "ended" } })).toBe("ended");
  expect(topic({ pendingStop: { pressedAtMs: 0, isLost: false } })).toBe("nothing");
});

test("taking over is offered only where it would be granted", () => {
  expect(say({ ...WELL, lease: lease("other") }).action).toBe("take_over");
  expect(say({ ...WELL, lease: lease("other", { can_take: false }) }).action).toBeNull();
});

test("a cut hold always says what to do", () => {
  const said = say({ ...WELL, hold: cut(RIGHT, "too_late") });
  expect(said.more).toBe("Let go and press again.");
});

test("an axis that came back during a hold waits for a fresh press, and says so", () => {
  const diagonal = press(NO_HOLD, "keys", velocity(0.5, 0.5), 0);
  const hold = cutAxis(diagonal, "pan", "out_of_reach");
  expect(topic({ hold, pan: AWAY })).toBe("out_of_reach");
  expect(topic({ hold })).toBe("let_go");
});

test("the end of the way is named in the visitor's directions", () => {
  const down = press(NO_HOLD, "keys", velocity(0, -1), 0);
  expect(say({ ...WELL, hold: down, tilt: axis({ limit: -1 }) }).words).toContain("down");
});
