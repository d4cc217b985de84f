// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeDriveInput } from "../testing/fake-drive-input";
import { FakeTimers } from "../testing/fake-timers";
import { elementArea } from "./input-area";
import { KeyInput } from "./key-input";

const element = document.createElement("div");
const inside = document.createElement("button");
const alsoInside = document.createElement("button");
const elsewhere = document.createElement("input");
element.append(inside, alsoInside);

let stopListening = () => {};
beforeEach(() => document.body.append(element, elsewhere));
afterEach(() => stopListening());

function setup() {
  const driveInput = new FakeDriveInput();
  stopListening = new KeyInput(driveInput, new FakeTimers()).listen(elementArea(element));
  const press = (target: HTMLElement) =>
    target.dispatchEvent(
      new KeyboardEvent("keydown", { code: "ArrowRight", bubbles: true, cancelable: true }),
    );
  return { driveInput, press };
}

test("keys that are meant for another part of the page do not drive, and do what they do there", () => {
  const { driveInput, press } = setup();
  expect(press(elsewhere)).toBe(true);
  expect(driveInput.calls).toEqual([]);
  expect(press(inside)).toBe(false);
  expect(driveInput.callNames).toEqual(["press"]);
});

test.each([
  ["another part of the page", elsewhere],
  ["nothing", null],
])("when the focus goes to %s, held keys count as released: their release is heard there", (_, to) => {
  const { driveInput, press } = setup();
  press(inside);
  inside.dispatchEvent(new FocusEvent("focusout", { bubbles: true, relatedTarget: to }));
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test("a focus that stays within releases nothing", () => {
  const { driveInput, press } = setup();
  press(inside);
  inside.dispatchEvent(new FocusEvent("focusout", { bubbles: true, relatedTarget: alsoInside }));
  expect(driveInput.callNames).toEqual(["press"]);
});
