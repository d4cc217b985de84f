// The room's microphone: what the server says about it, and the switch, one tap or the key M.
import { useEffect } from "preact/hooks";
import type { MicrophoneView } from "../wire/messages";
import { t } from "../words/words";
import type { RoomControl } from "./room-control";
import type { Wish } from "./safe-switch";

export function MicrophonePanel({ control }: { control: RoomControl }) {
  useEffect(() => listenToKey(() => control.toggleMicrophone()), [control]);
  const microphone = control.room.value?.microphone ?? null;
  const wish = control.microphone.wish.value;
  if (microphone?.exists === false) {
    return null;
  }
  const isOff = microphone?.off === true;
  return (
    <section class="microphone" data-microphone={nameOf(microphone)} data-wish={wish}>
      <p class="microphone-state" aria-live="polite">
        {stateText(microphone, wish)}
      </p>
      <button
        type="button"
        class={isOff ? "room-plain" : "room-plain curtain-closing"}
        aria-pressed={isOff}
        aria-keyshortcuts="M"
        onClick={() => control.toggleMicrophone()}
      >
        {t(isOff ? "room.microphone.turn_on" : "room.microphone.turn_off")}
      </button>
    </section>
  );
}

function nameOf(microphone: MicrophoneView | null): string {
  if (microphone === null) {
    return "unknown";
  }
  return microphone.off ? "off" : microphone.open ? "open" : "on";
}

function stateText(microphone: MicrophoneView | null, wish: Wish): string {
  if (wish === "close_unknown" || wish === "open_failed") {
    return t(`room.microphone.${wish}`);
  }
  if (wish === "closing" || wish === "opening") {
    return t("room.connecting");
  }
  if (microphone === null) {
    return t("room.microphone.unknown");
  }
  return t(
    microphone.off ? "room.microphone.off" : microphone.open ? "room.microphone.open" : "room.microphone.on",
  );
}

function listenToKey(toggle: () => void) {
  const onKey = (event: KeyboardEvent) => {
    const isTyping = document.activeElement?.matches("input, select, textarea") === true;
    const isShortcut = event.ctrlKey || event.metaKey || event.altKey;
    if (event.key.toLowerCase() === "m" && !event.repeat && !isTyping && !isShortcut) {
      event.preventDefault();
      toggle();
    }
  };
  document.addEventListener("keydown", onKey, { capture: true });
  return () => document.removeEventListener("keydown", onKey, { capture: true });
}
