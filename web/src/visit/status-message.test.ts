import { expect, test } from "vitest";
import { cut, cutAxis, NO_HOLD, press } from "../drive/hold";
import { velocity } from "../drive/velocity";
import { axis, lease } from "../testing/examples";
import { statusMessageFor, type VisitState } from "./status-message";

const ALL_WELL: VisitState = {
  channel: { kind: "open" },
  viewer: { kind: "live" },
  roomAccess: { kind: "open" },
  wallNowMs: 1_800_000_000_000,
  streamLack: null,
  isPlayRefused: false,
  hold: NO_HOLD,
  lease: lease("nobody"),
  freeInS: null,
  answer: null,
  isWatchOnly: false,
  pendingStop: null,
  pan: axis(),
  tilt: axis(),
  stage: { available: true, viewers: 1, reason: "" },
  hasSeenPicture: true,
  hasDriven: true,
};
const RIGHT = press(NO_HOLD, "keys", velocity(1, 0), 0);
const UNREACHABLE = axis({ link: "waiting", reason: "not_found" });

const NO_CAMERA: VisitState["stage"] = { available: false, viewers: 1, reason: "unplugged" };

const topic = (changes: Partial<VisitState>) => statusMessageFor({ ...ALL_WELL, ...changes }).topic;

test("when all is well there is no message", () => {
  expect(statusMessageFor(ALL_WELL)).toEqual({ topic: "nothing", text: "", detail: "", action: null });
});

test("an ended visit says why, if the server said so", () => {
  const text = (channel: VisitState["channel"]) =>
    statusMessageFor({ ...ALL_WELL, channel, viewer: { kind: "ended" } }).text;
  expect(text({ kind: "ended", reason: "expired" })).toBe("The time of this visit is over.");
  expect(text({ kind: "ended", reason: "of_a_later_server" })).toBe("This visit has ended.");
  expect(text({ kind: "ended", reason: "" })).toBe("This visit has ended.");
  expect(text({ kind: "closed" })).toBe("This visit has ended.");
});

test("what is wrong with the camera is said in plain words, and whether waiting helps", () => {
  const shown = (reason: string) => {
    const stage = { ...NO_CAMERA, reason } as VisitState["stage"];
    const { text, detail } = statusMessageFor({ ...ALL_WELL, viewer: { kind: "frozen" }, stage });
    return [text, detail];
  };
  expect(shown("unplugged")).toEqual([
    "The camera is not plugged in.",
    "Someone at home has to look after it.",
  ]);
  expect(shown("busy")).toEqual([
    "Another program is using the camera.",
    "The picture comes back by itself.",
  ]);
  const unknown = ["There is no picture from the camera right now.", "The picture comes back by itself."];
  expect(shown("failed")).toEqual(unknown);
  expect(shown("of_a_later_server")).toEqual(unknown);
  expect(shown("")).toEqual(unknown);
});

test("a visitor who has not driven yet is told how", () => {
  expect(topic({ hasDriven: false })).toBe("hint");
  expect(topic({ hasDriven: false, hold: RIGHT })).toBe("nothing");
});

test.each<[string, Partial<VisitState>, string]>([
  [
    "joining for the first time",
    { viewer: { kind: "joining", attempt: 0, after: null }, hasSeenPicture: false },
    "opening",
  ],
  ["joining again", { viewer: { kind: "joining", attempt: 1, after: null } }, "picture_lost"],
  ["waiting to join again", { viewer: { kind: "waiting", failure: "failed" } }, "picture_lost"],
  ["a frozen picture", { viewer: { kind: "frozen" } }, "picture_frozen"],
  ["too many viewers", { viewer: { kind: "waiting", failure: "full" } }, "full"],
  ["trying again after that", { viewer: { kind: "joining", attempt: 1, after: "full" } }, "full"],
  ["a blocked network", { viewer: { kind: "waiting", failure: "blocked" } }, "blocked"],
  [
    "trying again in a blocked network",
    { viewer: { kind: "joining", attempt: 2, after: "blocked" }, hasSeenPicture: false },
    "blocked",
  ],
  ["a proxy that changes the host", { viewer: { kind: "waiting", failure: "misrouted" } }, "misrouted"],
  ["a browser without the codec", { viewer: { kind: "waiting", failure: "no_codec" } }, "no_codec"],
  [
    "a first picture that waits for a tap",
    { viewer: { kind: "joining", attempt: 0, after: null }, isPlayRefused: true, hasSeenPicture: false },
    "tap_to_see",
  ],
  ["a picture that the browser paused", { viewer: { kind: "frozen" }, isPlayRefused: true }, "tap_to_see"],
  ["a picture that comes by the socket instead", { isPlayRefused: true }, "nothing"],
  ["no camera picture", { viewer: { kind: "waiting", failure: "no_picture" } }, "no_picture"],
  [
    "no camera picture, as the server says",
    { viewer: { kind: "waiting", failure: "failed" }, stage: NO_CAMERA },
    "no_picture",
  ],
  ["a picture frozen for want of a camera", { viewer: { kind: "frozen" }, stage: NO_CAMERA }, "no_picture"],
  [
    "joining without a camera",
    { viewer: { kind: "joining", attempt: 0, after: null }, stage: NO_CAMERA, hasSeenPicture: false },
    "no_picture",
  ],
  ["a picture that came before the server said so", { stage: NO_CAMERA }, "nothing"],
  [
    "too many viewers, without a camera",
    { viewer: { kind: "waiting", failure: "full" }, stage: NO_CAMERA },
    "full",
  ],
  ["an ended visit, noticed by the viewer", { viewer: { kind: "ended" } }, "ended"],
  ["an ended visit, noticed by the channel", { channel: { kind: "ended", reason: "" } }, "ended"],
  ["the channel's first attempt", { channel: { kind: "connecting", attempt: 0 } }, "nothing"],
  ["the channel's next attempt", { channel: { kind: "connecting", attempt: 1 } }, "reconnecting"],
  ["waiting for the channel", { channel: { kind: "waiting", attempt: 0 } }, "reconnecting"],
  ["someone else driving", { lease: lease("other") }, "other_drives"],
  ["both units out of reach", { pan: UNREACHABLE, tilt: UNREACHABLE }, "out_of_reach"],
  ["one unit out of reach", { tilt: UNREACHABLE }, "out_of_reach"],
  ["an axis that is not fitted", { tilt: axis({ link: "disabled" }) }, "nothing"],
  [
    "the only fitted axis out of reach",
    { tilt: axis({ link: "disabled" }), pan: UNREACHABLE },
    "out_of_reach",
  ],
  ["a cut hold", { hold: cut(RIGHT, "too_long") }, "hold_cut"],
  [
    "a press while another drives",
    { hold: cut(RIGHT, "other_drives"), lease: lease("other") },
    "other_drives",
  ],
  ["turning against the limit", { hold: RIGHT, pan: axis({ limit: 1 }) }, "limit"],
  ["turning away from the limit", { hold: RIGHT, pan: axis({ limit: -1 }) }, "nothing"],
])("%s", (_what, changes, expected) => {
  expect(topic(changes)).toBe(expected);
});

test("what makes the rest impossible comes first", () => {
  const everything = {
    viewer: { kind: "frozen" },
    channel: { kind: "waiting", attempt: 2 },
    pan: UNREACHABLE,
  } as const;
  expect(topic(everything)).toBe("picture_frozen");
  expect(topic({ ...everything, viewer: { kind: "live" } })).toBe("reconnecting");
});

test("a lost stop comes before everything but the end of the visit", () => {
  const lost = { pendingStop: { pressedAtMs: 0, isLost: true } } as const;
  const shown = statusMessageFor({
    ...ALL_WELL,
    ...lost,
    viewer: { kind: "frozen" },
    channel: { kind: "waiting", attempt: 1 },
  });
  expect(shown.text).toContain("Home can’t be reached");
  expect(shown.detail).toContain("the camera stops by itself");
  expect(topic({ ...lost, viewer: { kind: "ended" } })).toBe("ended");
  expect(topic({ pendingStop: { pressedAtMs: 0, isLost: false } })).toBe("nothing");
});

test("taking over is offered only where it would be granted", () => {
  expect(statusMessageFor({ ...ALL_WELL, lease: lease("other") }).action).toBe("take_over");
  expect(statusMessageFor({ ...ALL_WELL, lease: lease("other", { can_take: false }) }).action).toBeNull();
});

const GRANDMAS = lease("other", { driver: "Grandma", can_take: false, can_ask: true });
const shown = (changes: Partial<VisitState>) => {
  const { text, detail, action } = statusMessageFor({ ...ALL_WELL, ...changes });
  return [text, detail, action];
};

test("everybody sees who drives by name, and can ask", () => {
  expect(shown({ lease: GRANDMAS })).toEqual(["Grandma is turning the camera.", "", "ask"]);
  expect(shown({ lease: { ...GRANDMAS, can_ask: false } })[2]).toBeNull();
});

test("a driver whose connection is lost is named, with the time until the camera is free", () => {
  const lost = { lease: { ...GRANDMAS, free_at: 9000 } };
  expect(shown({ ...lost, freeInS: 8 })).toEqual([
    "Grandma has lost the connection.",
    "The camera is free in 8 seconds.",
    null,
  ]);
  expect(shown({ ...lost, freeInS: 1 })[1]).toBe("The camera is free in 1 second.");
});

test("while the driver is asked the page waits, and says how it ended", () => {
  expect(shown({ lease: { ...GRANDMAS, asked_until: 1 } }).slice(1)).toEqual([
    "You have asked. Waiting for an answer…",
    null,
  ]);
  expect(shown({ lease: GRANDMAS, answer: "denied" }).slice(1)).toEqual([
    "They would like to go on for a little longer.",
    null,
  ]);
  expect(shown({ lease: GRANDMAS, answer: "unanswered" })[1]).toContain("Nobody has answered");
  expect(shown({ lease: lease("you"), answer: "granted" })[0]).toBe("It is your turn now.");
  expect(topic({ lease: lease("you") })).toBe("nothing");
});

test("while the head is parked nobody can take it", () => {
  expect(shown({ lease: lease("house", { can_take: false }) })).toEqual([
    "The camera is turning to its resting place.",
    "",
    null,
  ]);
});

test("who only watches is told so, whoever drives, and can change that", () => {
  expect(shown({ isWatchOnly: true })).toEqual(["You are only watching.", "", "drive_again"]);
  expect(shown({ isWatchOnly: true, lease: GRANDMAS })).toEqual([
    "Grandma is turning the camera.",
    "You are only watching.",
    "drive_again",
  ]);
});

test("a cut hold always says what to do", () => {
  const shown = statusMessageFor({ ...ALL_WELL, hold: cut(RIGHT, "too_late") });
  expect(shown.detail).toBe("Let go and press again.");
});

test("an axis that comes back during a hold needs a new press, and the message says so", () => {
  const diagonal = press(NO_HOLD, "keys", velocity(0.5, 0.5), 0);
  const hold = cutAxis(diagonal, "pan", "out_of_reach");
  expect(topic({ hold, pan: UNREACHABLE })).toBe("out_of_reach");
  expect(topic({ hold })).toBe("hold_cut");
});

test("a limit is named by the direction the visitor turned", () => {
  const down = press(NO_HOLD, "keys", velocity(0, -1), 0);
  expect(statusMessageFor({ ...ALL_WELL, hold: down, tilt: axis({ limit: -1 }) }).text).toContain("down");
});

test.each<[VisitState["roomAccess"], string, string, string | null]>([
  [
    { kind: "curtain", untilMs: null, wasLooking: true },
    "The curtain is closed.",
    "Nobody can see or hear anything now. The picture comes back when someone at home opens it.",
    null,
  ],
  [
    { kind: "knock", untilMs: null, wasLooking: false },
    "Would you like to look in?",
    "Knock, and someone at home will answer.",
    "knock",
  ],
  [
    { kind: "waiting", untilMs: 1, wasLooking: false },
    "You have knocked.",
    "Waiting for an answer. It may take a minute…",
    null,
  ],
  [
    { kind: "refused", untilMs: null, wasLooking: false },
    "It is not a good moment.",
    "Please knock again a little later.",
    null,
  ],
  [
    { kind: "refused", untilMs: null, wasLooking: true },
    "Someone at home would like to be undisturbed now.",
    "Please come back another time.",
    null,
  ],
  [
    { kind: "quiet", untilMs: null, wasLooking: true },
    "It is a quiet time at home.",
    "Please come back after that.",
    null,
  ],
  [{ kind: "open_again", after: "curtain" }, "The curtain is open again.", "Would you like to look?", "look"],
  [{ kind: "open_again", after: "quiet" }, "Come in!", "Would you like to look?", "look"],
])("what the room says is told kindly: %j", (roomAccess, text, detail, action) => {
  const shown = statusMessageFor({ ...ALL_WELL, viewer: { kind: "closed" }, roomAccess });
  expect([shown.text, shown.detail, shown.action]).toEqual([text, detail, action]);
});

test("quiet hours and a refusal say until when, if that is known", () => {
  const untilMs = ALL_WELL.wallNowMs + 3_600_000;
  const text = (kind: "quiet" | "refused") => {
    const shown = statusMessageFor({ ...ALL_WELL, roomAccess: { kind, untilMs, wasLooking: false } });
    return `${shown.text} ${shown.detail}`;
  };
  expect(text("quiet")).toMatch(/until .*\d:\d\d/);
  expect(text("refused")).toMatch(/knock again after .*\d:\d\d/);
});

test("a picture that was refused although the room is open is asked for by a tap", () => {
  const shown = statusMessageFor({ ...ALL_WELL, viewer: { kind: "withheld" } });
  expect([shown.topic, shown.action]).toEqual(["open_again", "look"]);
});

test("a stop that may not have arrived is said before anything of the room", () => {
  const roomAccess = { kind: "curtain", untilMs: null, wasLooking: true } as const;
  expect(topic({ roomAccess, pendingStop: { isLost: true } as VisitState["pendingStop"] })).toBe("stop_lost");
});

test.each([
  ["secure_context", "https://"],
  ["decoder", "Chrome, Edge, Safari or Firefox"],
  [null, "WebSockets"],
] as const)(
  "who is blocked and lacks %s is told what helps, and what the owner can do",
  (streamLack, help) => {
    const viewer = { kind: "waiting", failure: "blocked" } as const;
    const { detail, action } = statusMessageFor({ ...ALL_WELL, viewer, streamLack });
    expect(detail).toContain(help);
    expect(detail).toContain("The owner can help with a relay");
    expect(action).toBe("try_again");
  },
);
