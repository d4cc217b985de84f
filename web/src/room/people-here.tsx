// Who looks, hears or drives now, and since when: large enough to be read from across the room.
import type { Timers } from "../time/timers";
import type { PersonHere } from "../wire/messages";
import { whenText } from "../words/times";
import { t } from "../words/words";
import type { RoomControl } from "./room-control";

export function PeopleHere({ control, timers }: { control: RoomControl; timers: Timers }) {
  const room = control.room.value;
  if (room === null) {
    return <section class="room-people" data-count="unknown" />;
  }
  const { here, quiet_until } = room;
  return (
    <section class="room-people" data-count={here.length}>
      <h1 class="room-title">
        {here.length === 0 ? t("room.nobody") : t("room.looking", { count: here.length })}
      </h1>
      {quiet_until !== null && (
        <p class="room-quiet">{t("room.quiet_until", { time: whenText(quiet_until, timers.wallNow()) })}</p>
      )}
      <ul>
        {here.map((person) => (
          <Person key={person.person} person={person} control={control} timers={timers} />
        ))}
      </ul>
    </section>
  );
}

interface PersonProps {
  readonly person: PersonHere;
  readonly control: RoomControl;
  readonly timers: Timers;
}

function Person({ person, control, timers }: PersonProps) {
  const { name, since, looks, hears, drives, talks } = person;
  const time = t("room.since", { time: whenText(since, timers.wallNow()) });
  const doing = [
    ...(drives ? [t("room.drives")] : looks ? [t("room.looks")] : []),
    ...(hears ? [t("room.hears")] : []),
    ...(talks ? [t("room.talks")] : []),
  ];
  return (
    <li data-person={person.person} data-drives={drives}>
      <span class="room-name">{name}</span>
      <span class="room-doing">
        {doing.join(" · ")} {time}
      </span>
      <button type="button" class="secondary" onClick={() => control.answer(person.person, "no")}>
        {t("room.end_visit_of", { name })}
      </button>
    </li>
  );
}
