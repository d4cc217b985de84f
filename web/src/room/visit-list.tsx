// The visit book: one line a visit, each of which can be deleted, and the whole as a file.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Timers } from "../time/timers";
import { durationText, timeText, whenText } from "../words/times";
import { t } from "../words/words";
import type { RoomApi, VisitRow } from "./room-api";

interface Book {
  readonly visits: readonly VisitRow[];
  readonly more: boolean;
  readonly kept: boolean;
}

type Note = "none" | "failed" | "delete_failed";

export function VisitList({ api, timers }: { api: RoomApi; timers: Timers }) {
  const book = useSignal<Book | null>(null);
  const note = useSignal<Note>("none");
  const load = async (before: string | null) => {
    const page = await api.visits(before);
    if (page === null) {
      note.value = "failed";
      return;
    }
    note.value = "none";
    const older = before === null ? [] : (book.value?.visits ?? []);
    book.value = { ...page, visits: [...older, ...page.visits] };
  };
  const remove = async (id: string) => {
    const isDeleted = await api.deleteVisit(id);
    note.value = isDeleted ? "none" : "delete_failed";
    if (isDeleted && book.value !== null) {
      book.value = { ...book.value, visits: book.value.visits.filter((visit) => visit.id !== id) };
    }
  };
  useEffect(() => void load(null), [api]);
  return (
    <section class="room-book" data-note={note.value}>
      <h1 class="room-title">{t("book.title")}</h1>
      <p class="room-doing" role="status">
        {noteText(note.value, book.value)}
      </p>
      <ul>
        {book.value?.visits.map((visit) => (
          <Line key={visit.id} visit={visit} timers={timers} remove={() => void remove(visit.id)} />
        ))}
      </ul>
      <div class="room-answers">
        {book.value?.more === true && (
          <button
            type="button"
            class="room-plain"
            onClick={() => void load(book.value?.visits.at(-1)?.id ?? null)}
          >
            {t("book.more")}
          </button>
        )}
        {(book.value?.visits.length ?? 0) > 0 &&
          (["csv", "json"] as const).map((format) => (
            <a key={format} class="room-plain" href={api.exportPath(format)} download={`visits.${format}`}>
              {t("book.export")} ({format.toUpperCase()})
            </a>
          ))}
      </div>
    </section>
  );
}

function noteText(note: Note, book: Book | null): string {
  if (note !== "none") {
    return t(`book.${note}`);
  }
  if (book === null) {
    return "";
  }
  if (!book.kept) {
    return t("book.not_kept");
  }
  return book.visits.length === 0 ? t("book.empty") : "";
}

interface LineProps {
  readonly visit: VisitRow;
  readonly timers: Timers;
  readonly remove: () => void;
}

function Line({ visit, timers, remove }: LineProps) {
  const when = whenText(visit.began_utc_s * 1000, timers.wallNow());
  return (
    <li data-visit={visit.id}>
      <span class="book-when">{when}</span>
      <span class="room-name">{visit.name}</span>
      <span class="room-doing">{deeds(visit).join(" · ")}</span>
      <button
        type="button"
        class="secondary"
        aria-label={t("book.delete_of", { name: visit.name, when })}
        onClick={remove}
      >
        {t("book.delete")}
      </button>
    </li>
  );
}

/** What the person did, in the order in which it happens. */
export function deeds(visit: VisitRow): string[] {
  return [
    ...(visit.knocks > 0 ? [t("book.knocked")] : []),
    ...(visit.refusals > 0 ? [t("book.refused")] : []),
    ...(visit.ways.length > 0 ? [t("book.looked", { duration: durationOf(visit.looked_s) })] : []),
    ...(visit.drove_s > 0 ? [t("book.drove", { duration: durationOf(visit.drove_s) })] : []),
    ...(visit.talked_utc_s > 0
      ? [
          t("book.talked", {
            duration: durationOf(visit.talked_s),
            time: timeText(visit.talked_utc_s * 1000),
          }),
        ]
      : []),
    ...(visit.stills > 0 ? [t("book.stills", { count: visit.stills })] : []),
  ];
}

/** Whoever looked for no whole second did look. */
function durationOf(seconds: number): string {
  return durationText(Math.max(1, seconds) * 1000);
}
