// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { listenToCurtainKeys } from "./curtain-key";

let stop = () => {};
afterEach(() => {
  stop();
  document.body.replaceChildren();
});

function setup() {
  const closed = { count: 0 };
  stop = listenToCurtainKeys(document, () => {
    closed.count += 1;
  });
  const press = (key: string, init: KeyboardEventInit = {}) => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init });
    (document.activeElement ?? document.body).dispatchEvent(event);
    return event.defaultPrevented;
  };
  const focus = (html: string) => {
    document.body.innerHTML = html;
    (document.body.firstElementChild as HTMLElement).focus();
  };
  return { closed, press, focus };
}

test.each([" ", "Enter", "c", "C"])("the key %j closes", (key) => {
  const { closed, press } = setup();
  expect(press(key)).toBe(true);
  expect(closed.count).toBe(1);
});

test.each(["o", "a", "Tab", "Escape"])("the key %j does nothing", (key) => {
  const { closed, press } = setup();
  expect(press(key)).toBe(false);
  expect(closed.count).toBe(0);
});

test("a shortcut of the browser is not for the curtain", () => {
  const { closed, press } = setup();
  press("c", { ctrlKey: true });
  press("c", { metaKey: true });
  expect(closed.count).toBe(0);
});

test("on the curtain's own button a key closes and never presses it, because it may say Open", () => {
  const { closed, press, focus } = setup();
  focus("<button data-closes>Open the curtain</button>");
  expect(press("Enter")).toBe(true);
  expect(closed.count).toBe(1);
});

test("in a field keys are typed", () => {
  const { closed, press, focus } = setup();
  focus("<input>");
  expect(press("c")).toBe(false);
  expect(closed.count).toBe(0);
});
