// Asks the resident about everybody who knocks, above all else on the page.
import type { Timers } from "../time/timers";
import type { PersonKnocking, RoomAnswer } from "../wire/messages";
import { whenText } from "../words/times";
import { t } from "../words/words";
import type { RoomControl } from "./room-control";

const ANSWERS: readonly (readonly [RoomAnswer["answer"], "yes" | "no" | "always"])[] = [
  ["yes", "yes"],
  ["no", "no"],
  ["always", "always"],
];

export function KnockQuestions({ control, timers }: { control: RoomControl; timers: Timers }) {
  const knocks = control.room.value?.knocks ?? [];
  return (
    <div class="room-knocks" role="alert">
      {knocks.map((person) => (
        <Question key={person.person} person={person} control={control} timers={timers} />
      ))}
    </div>
  );
}

interface QuestionProps {
  readonly person: PersonKnocking;
  readonly control: RoomControl;
  readonly timers: Timers;
}

function Question({ person, control, timers }: QuestionProps) {
  return (
    <section class="room-knock" data-person={person.person}>
      <p class="room-title">{t("room.knocks", { name: person.name })}</p>
      <p class="room-doing">{t("room.since", { time: whenText(person.since, timers.wallNow()) })}</p>
      <div class="room-answers">
        {ANSWERS.map(([answer, word]) => (
          <button
            key={answer}
            type="button"
            class={answer === "yes" ? "primary" : "room-plain"}
            onClick={() => control.answer(person.person, answer)}
          >
            {t(`room.knocks.${word}`)}
          </button>
        ))}
      </div>
    </section>
  );
}
