// Who talks to the room, at the top of its page and large: the voice has no face.
import { t } from "../words/words";
import type { RoomControl } from "./room-control";

export function Talking({ control }: { control: RoomControl }) {
  const talking = control.room.value?.here.filter(({ talks }) => talks) ?? [];
  return (
    <div class="room-talking" aria-live="polite">
      {talking.map(({ person, name, heard }) => (
        <p key={person} data-person={person} data-heard={heard}>
          {t(heard ? "talk.talks" : "room.microphone_of", { name })}
        </p>
      ))}
    </div>
  );
}
