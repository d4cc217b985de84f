// Edits the quiet hours: a list of spans that the resident changes and then saves as a whole.
import type { Hours } from "./room-api";

/** As many as the server takes. */
export const MOST_SPANS = 28;
const NIGHT: Omit<Hours, "weekday"> = { from: "22:00", until: "07:00" };
const DAYS = [0, 1, 2, 3, 4, 5, 6] as const;

/** In the order of the week. */
export function sorted(hours: readonly Hours[]): Hours[] {
  return [...hours].sort((a, b) => a.weekday - b.weekday || a.from.localeCompare(b.from));
}

/** With the night of this weekday, or of every one (null), that the resident then changes. */
export function withNight(hours: readonly Hours[], weekday: number | null): Hours[] {
  const days = weekday === null ? DAYS : [weekday];
  return sorted([...hours, ...days.map((day) => ({ weekday: day, ...NIGHT }))].slice(0, MOST_SPANS));
}

export function changed(hours: readonly Hours[], index: number, change: Partial<Hours>): Hours[] {
  return hours.map((span, at) => (at === index ? { ...span, ...change } : span));
}

export function without(hours: readonly Hours[], index: number): Hours[] {
  return hours.filter((_, at) => at !== index);
}

/** Whether a span goes over midnight. A time that the browser's field left empty is no time. */
export function endsNextDay({ from, until }: Hours): boolean {
  return until <= from;
}

export function isComplete(hours: readonly Hours[]): boolean {
  return hours.every(({ from, until }) => from !== "" && until !== "");
}
