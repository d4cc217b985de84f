// The button for what the room's microphone hears: on or off, how loud, and whether the room can be heard at all.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Visit } from "../visit/visit";
import type { Voice } from "../wire/messages";
import { t } from "../words/words";
import { FULL_VOLUME, type Hearing } from "./hearing";

export function SoundButton({ visit, voice }: { visit: Visit; voice: Voice }) {
  const { hearing } = visit;
  const audio = useRef<HTMLAudioElement>(null);
  const isOpen = useSignal(false);
  useEffect(() => {
    hearing.attach(audio.current);
    return () => hearing.attach(null);
  }, [hearing]);
  useEffect(() => listenToTaps(hearing), [hearing]);
  const isOn = hearing.state.value !== "off";
  return (
    <div class="sound">
      {/* biome-ignore lint/a11y/useMediaCaption: nobody writes down what is said in a room */}
      <audio ref={audio} />
      {isOpen.value && <SoundPanel visit={visit} voice={voice} />}
      <button
        type="button"
        class="tool"
        data-sound={hearing.state.value}
        aria-expanded={isOpen.value}
        aria-label={t(isOn ? "sound.name_on" : "sound.name_off")}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d={isOn && voice.hears ? LOUD : QUIET} />
        </svg>
      </button>
    </div>
  );
}

function SoundPanel({ visit, voice }: { visit: Visit; voice: Voice }) {
  const { hearing } = visit;
  const isOn = hearing.state.value !== "off";
  return (
    <section class="sound-panel" aria-label={t("sound.name")}>
      <p>{soundText(voice, visit)}</p>
      <input
        type="range"
        min={0}
        max={FULL_VOLUME}
        step={5}
        aria-label={t("sound.volume")}
        value={hearing.volume.value}
        disabled={!isOn}
        onInput={(event) => hearing.setVolume(Number(event.currentTarget.value))}
      />
      <button type="button" class="secondary" aria-pressed={isOn} onClick={() => hearing.turn(!isOn)}>
        {t(isOn ? "sound.turn_off" : "sound.turn_on")}
      </button>
    </section>
  );
}

/** Whether this page can hear the room, and if not, why. */
function soundText(voice: Voice, visit: Visit): string {
  if (voice.hears && visit.sound.value === null) {
    return t("sound.no_way");
  }
  return t(
    voice.hears || voice.microphone !== "open" ? `sound.room.${voice.microphone}` : "sound.not_for_you",
  );
}

/** The first tap anywhere lets the browser play. */
function listenToTaps(hearing: Hearing) {
  const controller = new AbortController();
  for (const kind of ["pointerup", "keydown"] as const) {
    window.addEventListener(kind, () => hearing.receiveTap(), { capture: true, signal: controller.signal });
  }
  return () => controller.abort();
}

const LOUD = "M4 10v4h3l5 4V6l-5 4zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11";
const QUIET = "M4 10v4h3l5 4V6l-5 4zM16 9.5l5 5M21 9.5l-5 5";
