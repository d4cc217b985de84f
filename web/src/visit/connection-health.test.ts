import { expect, test } from "vitest";
import { axis } from "../testing/examples";
import { axisHealth, axisText, latencyText, pictureDelayText, worstHealth } from "./connection-health";

test.each([
  [null, "unknown", "busy"],
  [axis(), "ready", "good"],
  [axis({ link: "disabled" }), "no motor", "off"],
  [axis({ link: "settling" }), "connecting", "busy"],
  [axis({ link: "searching" }), "searching", "bad"],
  [axis({ link: "searching", reason: "not_found" }), "out of reach", "bad"],
  [axis({ link: "waiting", reason: "adapter_off" }), "Bluetooth is off", "bad"],
  [axis({ link: "waiting", reason: "no_adapter" }), "no Bluetooth adapter", "bad"],
  [axis({ link: "waiting", reason: "a reason of tomorrow" }), "out of reach", "bad"],
  [axis({ link: "closed" }), "switched off", "bad"],
])("the text and health of an axis: %o", (state, text, health) => {
  expect(axisText(state)).toBe(text);
  expect(axisHealth(state)).toBe(health);
});

test("the whole is as bad as its worst part that has a unit", () => {
  expect(worstHealth("good", "bad")).toBe("bad");
  expect(worstHealth("good", "busy")).toBe("busy");
  expect(worstHealth("good", "off")).toBe("good");
  expect(worstHealth("off", "off")).toBe("off");
});

test("latencies are whole milliseconds, or a dash before any", () => {
  expect(latencyText(12.4)).toBe("12 ms");
  expect(latencyText(null)).toBe("–");
});

test("a delay that the browser does not tell is unknown, not a guess", () => {
  expect(pictureDelayText(null, true)).toBe("unknown");
  expect(pictureDelayText(null, false)).toBe("–");
  expect(pictureDelayText(12.4, true)).toBe("12 ms");
});
