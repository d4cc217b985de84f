// The button that talks while it is held: by pointer, by the keys that press a button, or by the key T.
import { useEffect } from "preact/hooks";
import type { InputArea } from "../drive/input-area";
import { t } from "../words/words";
import type { Talk } from "./talk";
import { listenToTalkKey } from "./talk-key";

const PRESSING_KEYS = new Set(["Enter", " "]);

export function TalkButton({ talk, area }: { talk: Talk; area: InputArea }) {
  useEffect(() => listenToTalkKey(talk, area), [talk, area]);
  const state = talk.state.value;
  const isOpen = state.kind !== "off" && state.mode === "open";
  const name = t(isOpen ? "talk.stop" : talk.voice.value?.open === true ? "talk.hold_or_tap" : "talk.hold");
  const onPointerDown = (event: PointerEvent) => {
    if (event.button === 0 && event.currentTarget instanceof HTMLElement) {
      event.currentTarget.setPointerCapture(event.pointerId); // its release is heard of wherever it happens
      talk.press();
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (PRESSING_KEYS.has(event.key)) {
      event.preventDefault(); // or it would be clicked, too
      event.stopPropagation(); // the space bar stops the head everywhere else
      if (!event.repeat) {
        talk.press();
      }
    }
  };
  const onKeyUp = (event: KeyboardEvent) => {
    if (PRESSING_KEYS.has(event.key)) {
      event.preventDefault(); // some browsers click only now
      talk.release();
    }
  };
  return (
    <button
      type="button"
      class="talk"
      data-talk={state.kind}
      aria-label={name}
      aria-keyshortcuts="T"
      aria-pressed={state.kind !== "off"}
      title={name}
      style={{ "--level": talk.level.value.toFixed(2) }}
      onPointerDown={onPointerDown}
      onPointerUp={() => talk.release()}
      onPointerCancel={() => talk.interrupt()}
      onLostPointerCapture={() => talk.interrupt()}
      // Without the focus, which would take the space bar from the head.
      onMouseDown={(event) => event.preventDefault()}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={onKeyDown}
      onKeyUp={onKeyUp}
      onBlur={() => talk.interrupt()}
      // A screen reader's click comes without a pointer or a key, and cannot be held.
      onClick={(event) => event.detail === 0 && talk.tap()}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM6 11a6 6 0 0 0 12 0M12 17v4" />
      </svg>
    </button>
  );
}
