// The corner of the live view for voices: whether the room can be heard, who talks, and the button that talks.
import type { InputArea } from "../drive/input-area";
import type { Visit } from "../visit/visit";
import type { Voice } from "../wire/messages";
import { t } from "../words/words";
import type { TalkNote, TalkState } from "./talk";
import { TalkButton } from "./talk-button";

export function VoiceCorner({ visit, area }: { visit: Visit; area: InputArea }) {
  const { talk } = visit;
  const voice = talk.voice.value;
  if (voice === null) {
    return null;
  }
  const note = noteText(talk.note.value, talk.state.value);
  const mayTalk = visit.mayTalk.value;
  return (
    <div class="voice">
      {voice.talking.map((name) => (
        <p key={name} class="voice-talks">
          {t("talk.talks", { name })}
        </p>
      ))}
      <p class="voice-note" aria-live="polite" data-note={talk.note.value ?? "none"}>
        {note}
      </p>
      <p class="voice-room" data-microphone={voice.microphone}>
        {t(microphoneKey(voice))}
      </p>
      {mayTalk && voice.speaker === "ready" && <TalkButton talk={talk} area={area} />}
    </div>
  );
}

function microphoneKey({ microphone }: Voice) {
  return microphone === "off" || microphone === "missing"
    ? (`sound.room.${microphone}` as const)
    : "sound.room.open";
}

function noteText(note: TalkNote | null, state: TalkState): string {
  if (note !== null) {
    return t(`talk.note.${note}`);
  }
  switch (state.kind) {
    case "off":
      return "";
    case "opening":
    case "asking":
      return t("talk.wait");
    case "talking":
      return t(state.mode === "open" ? "talk.heard_open" : "talk.heard");
  }
}
