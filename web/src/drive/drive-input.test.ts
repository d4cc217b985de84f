// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { onPageInactive } from "./drive-input";

function hide(isHidden: boolean): void {
  Object.defineProperty(document, "visibilityState", {
    value: isHidden ? "hidden" : "visible",
    configurable: true,
  });
  document.dispatchEvent(new Event("visibilitychange"));
}

test("blur, pagehide, freeze and hiding are all reported, until the signal aborts", () => {
  let count = 0;
  const controller = new AbortController();
  onPageInactive(() => {
    count += 1;
  }, controller.signal);
  window.dispatchEvent(new Event("blur"));
  window.dispatchEvent(new Event("pagehide"));
  document.dispatchEvent(new Event("freeze"));
  hide(true);
  expect(count).toBe(4);
  hide(false);
  expect(count).toBe(4);
  controller.abort();
  window.dispatchEvent(new Event("blur"));
  expect(count).toBe(4);
});
