// Talks while the key T is held. Like driving, it counts as released when the page may never hear of the release.
import { onPageInactive } from "../drive/drive-input";
import { type InputArea, onFocusLeft } from "../drive/input-area";
import type { Talk } from "./talk";

/** By place on the keyboard, beside those that drive; the space bar stops the head. */
const KEY = "KeyT";

/** Listens until the returned function is called. */
export function listenToTalkKey(
  talk: Pick<Talk, "press" | "release" | "interrupt" | "end">,
  area: InputArea,
) {
  const controller = new AbortController();
  const until = { signal: controller.signal };
  let isHeld = false;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey) {
      isHeld = false;
      talk.interrupt();
      return;
    }
    if (event.code === KEY && !event.repeat && !isHeld && !isTyping(event)) {
      isHeld = true;
      talk.press();
    }
  };
  const onKeyUp = (event: KeyboardEvent) => {
    if (event.code === KEY && isHeld) {
      isHeld = false;
      talk.release();
    }
  };
  const interrupt = () => {
    isHeld = false;
    talk.interrupt();
  };
  const target: GlobalEventHandlers & EventTarget = area.target;
  target.addEventListener("keydown", (event) => onKeyDown(event as KeyboardEvent), until);
  target.addEventListener("keyup", (event) => onKeyUp(event as KeyboardEvent), until);
  onFocusLeft(area, interrupt, controller.signal);
  onPageInactive(interrupt, controller.signal);
  return () => {
    talk.end();
    controller.abort();
  };
}

function isTyping(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest("input, select, textarea") !== null;
}
