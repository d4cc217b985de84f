// Who need not knock, whether guests hear the room, and the quiet hours.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { weekdayText } from "../words/times";
import { codeText, t } from "../words/words";
import { changed, endsNextDay, isComplete, MOST_SPANS, withNight, without } from "./hours-edit";
import type { Hours, PersonRow, RoomApi, RoomRules, Welcome } from "./room-api";

const WEEKDAYS = [0, 1, 2, 3, 4, 5, 6] as const;

type Note = "none" | "saved" | "failed";

export function RulesEditor({ api }: { api: RoomApi }) {
  const rules = useSignal<RoomRules | null>(null);
  const note = useSignal<Note>("none");
  const receive = (received: RoomRules | null, success: Note) => {
    note.value = received === null ? "failed" : success;
    rules.value = received ?? rules.value;
  };
  useEffect(() => void api.rules().then((received) => receive(received, "none")), [api]);
  return (
    <div class="room-settings">
      <p class="room-doing" role="status">
        {note.value === "none" ? "" : t(`hours.${note.value}`)}
      </p>
      {rules.value !== null && (
        <>
          <WelcomeList
            people={rules.value.people}
            choose={async (person, welcome) => receive(await api.setWelcome(person, welcome), "saved")}
          />
          <GuestsHear
            mayHear={rules.value.guests_hear}
            choose={async (mayHear) => receive(await api.setGuestsHear(mayHear), "saved")}
          />
          <HoursEditor
            saved={rules.value.hours}
            save={async (hours) => receive(await api.setHours(hours), "saved")}
          />
        </>
      )}
    </div>
  );
}

interface WelcomeListProps {
  readonly people: readonly PersonRow[];
  readonly choose: (person: string, welcome: Welcome) => Promise<void>;
}

function WelcomeList({ people, choose }: WelcomeListProps) {
  return (
    <section>
      <h2 class="room-title">{t("room.welcome.title")}</h2>
      <ul>
        {people.map(({ person, name, role, welcome }) => (
          <li key={person} data-person={person}>
            <span class="room-name">{name}</span>
            <span class="room-doing">{codeText("role", role, "panel.unknown")}</span>
            <button
              type="button"
              class="room-plain"
              aria-pressed={welcome === "always"}
              onClick={() => void choose(person, welcome === "always" ? "asked" : "always")}
            >
              {t(welcome === "always" ? "room.welcome.always" : "room.welcome.asked")}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface GuestsHearProps {
  readonly mayHear: boolean;
  readonly choose: (mayHear: boolean) => Promise<void>;
}

function GuestsHear({ mayHear, choose }: GuestsHearProps) {
  return (
    <section class="room-hours">
      <h2 class="room-title">{t("room.guests.title")}</h2>
      <div class="room-answers">
        <button
          type="button"
          class="room-plain"
          data-guests-hear={mayHear}
          aria-pressed={mayHear}
          onClick={() => void choose(!mayHear)}
        >
          {t(mayHear ? "room.guests.hear" : "room.guests.deaf")}
        </button>
      </div>
    </section>
  );
}

interface HoursEditorProps {
  readonly saved: readonly Hours[];
  readonly save: (hours: readonly Hours[]) => Promise<void>;
}

function HoursEditor({ saved, save }: HoursEditorProps) {
  const hours = useSignal(saved);
  const day = useSignal<number | null>(null);
  useEffect(() => {
    hours.value = saved;
  }, [saved]);
  return (
    <section class="room-hours">
      <h2 class="room-title">{t("hours.title")}</h2>
      <p class="room-doing">
        {t("hours.meaning")} {hours.value.length === 0 && t("hours.none")}
      </p>
      <ul>
        {hours.value.map((span, index) => (
          <Span key={index} span={span} index={index} hours={hours} />
        ))}
      </ul>
      <div class="room-answers">
        <select
          aria-label={t("hours.day")}
          value={day.value ?? "all"}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            day.value = chosen === "all" ? null : Number(chosen);
          }}
        >
          <option value="all">{t("hours.every_day")}</option>
          {WEEKDAYS.map((each) => (
            <option key={each} value={each}>
              {weekdayText(each)}
            </option>
          ))}
        </select>
        <button
          type="button"
          class="room-plain"
          disabled={hours.value.length >= MOST_SPANS}
          onClick={() => {
            hours.value = withNight(hours.value, day.value);
          }}
        >
          {t("hours.add")}
        </button>
        <button
          type="button"
          class="primary small"
          disabled={hours.value === saved || !isComplete(hours.value)}
          onClick={() => void save(hours.value)}
        >
          {t("hours.save")}
        </button>
      </div>
    </section>
  );
}

interface SpanProps {
  readonly span: Hours;
  readonly index: number;
  readonly hours: Signal<readonly Hours[]>;
}

function Span({ span, index, hours }: SpanProps) {
  const change = (change: Partial<Hours>) => {
    hours.value = changed(hours.value, index, change);
  };
  return (
    <li>
      <span class="room-name">{weekdayText(span.weekday)}</span>
      <span class="room-doing room-span">
        <input
          type="time"
          aria-label={t("hours.from")}
          value={span.from}
          onInput={(event) => change({ from: event.currentTarget.value })}
        />
        –
        <input
          type="time"
          aria-label={t("hours.to")}
          value={span.until}
          onInput={(event) => change({ until: event.currentTarget.value })}
        />
        {endsNextDay(span) && t("hours.is_next_day")}
      </span>
      <button
        type="button"
        class="secondary"
        onClick={() => {
          hours.value = without(hours.value, index);
        }}
      >
        {t("hours.remove")}
      </button>
    </li>
  );
}
