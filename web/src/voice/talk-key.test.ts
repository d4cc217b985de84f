// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { WHOLE_WINDOW } from "../drive/input-area";
import { listenToTalkKey } from "./talk-key";

function setup() {
  const calls: string[] = [];
  const stop = listenToTalkKey(
    {
      press: () => calls.push("press"),
      release: () => calls.push("release"),
      interrupt: () => calls.push("interrupt"),
      end: () => calls.push("end"),
    },
    WHOLE_WINDOW,
  );
  const key = (kind: "keydown" | "keyup", init: KeyboardEventInit, target: EventTarget = window) =>
    target.dispatchEvent(new KeyboardEvent(kind, { bubbles: true, ...init }));
  return { calls, stop, key };
}

test("holding T talks, once, and no other key does", () => {
  const { calls, stop, key } = setup();
  for (const code of ["Space", "KeyW", "KeyA", "KeyS", "KeyD", "ArrowUp"]) {
    key("keydown", { code });
    key("keyup", { code });
  }
  key("keydown", { code: "KeyT" });
  key("keydown", { code: "KeyT", repeat: true });
  key("keydown", { code: "KeyT" });
  key("keyup", { code: "KeyT" });
  key("keyup", { code: "KeyT" });
  expect(calls).toEqual(["press", "release"]);
  stop();
});

test("a page that loses the focus may never hear of the release", () => {
  const { calls, stop, key } = setup();
  key("keydown", { code: "KeyT" });
  window.dispatchEvent(new Event("blur"));
  key("keyup", { code: "KeyT" });
  expect(calls).toEqual(["press", "interrupt"]);
  stop();
});

test("a shortcut of the browser interrupts, as macOS tells no release while Command is down", () => {
  const { calls, stop, key } = setup();
  key("keydown", { code: "KeyT", ctrlKey: true });
  expect(calls).toEqual(["interrupt"]);
  stop();
});

test("whoever writes does not talk", () => {
  const { calls, stop, key } = setup();
  const field = document.createElement("input");
  document.body.append(field);
  key("keydown", { code: "KeyT" }, field);
  expect(calls).toEqual([]);
  stop();
  field.remove();
});

test("leaving the view ends it, and nothing is listened to any more", () => {
  const { calls, stop, key } = setup();
  stop();
  key("keydown", { code: "KeyT" });
  expect(calls).toEqual(["end"]);
});
