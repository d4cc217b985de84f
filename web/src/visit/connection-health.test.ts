import { expect, test } from "vitest";
import { axis } from "../testing/examples";
import { axisHealth, axisWords, delayWords, worst } from "./connection-health";

test.each([
  [null, "unknown", "busy"],
  [axis(), "ready", "good"],
  [axis({ link: "disabled" }), "not fitted", "off"],
  [axis({ link: "settling" }), "connecting", "busy"],
  [axis({ link: "searching" }), "looking for it", "bad"],
  [axis({ link: "searching", reason: "not_found" }), "out of reach", "bad"],
  [axis({ link: "waiting", reason: "adapter_off" }), "Bluetooth is off", "bad"],
  [axis({ link: "waiting", reason: "no_adapter" }), "Bluetooth adapter missing", "bad"],
  [axis({ link: "waiting", reason: "a reason of tomorrow" }), "out of reach", "bad"],
  [axis({ link: "closed" }), "switched off", "bad"],
])("an axis in words and colour: %o", (state, words, health) => {
  expect(axisWords(state)).toBe(words);
  expect(axisHealth(state)).toBe(health);
});

test("the whole is as bad as its worst part that ought to work", () => {
  expect(worst("good", "bad")).toBe("bad");
  expect(worst("good", "busy")).toBe("busy");
  expect(worst("good", "off")).toBe("good");
  expect(worst("off", "off")).toBe("off");
});

test("delays are whole milliseconds, and a dash before any", () => {
  expect(delayWords(12.4)).toBe("12 ms");
  expect(delayWords(null)).toBe("–");
});
