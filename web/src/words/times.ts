// Dates, times and durations as the reader's language writes them, in the time zone of the reader's device.
import { locale } from "./language";

/** A time of day, such as "7:30 PM" or "19:30". */
export function timeText(atMs: number): string {
  return dateTimeFormat({ hour: "numeric", minute: "2-digit" }).format(atMs);
}

/** A date, such as "May 3" or "5月3日"; with the year only if it is not that of `nowMs`. */
export function dateText(atMs: number, nowMs: number): string {
  const isThisYear = new Date(atMs).getFullYear() === new Date(nowMs).getFullYear();
  return dateTimeFormat({ month: "long", day: "numeric", ...(isThisYear ? {} : { year: "numeric" }) }).format(
    atMs,
  );
}

/** A time of day, and its date before it if that is not the date of `nowMs`. */
export function whenText(atMs: number, nowMs: number): string {
  const isToday = new Date(atMs).toDateString() === new Date(nowMs).toDateString();
  return isToday
    ? timeText(atMs)
    : dateTimeFormat({ month: "short", day: "numeric", hour: "numeric", minute: "2-digit" }).format(atMs);
}

/** The name of a day of the week; Monday is 0, as in Python. */
export function weekdayText(day: number, width: "long" | "short" = "long"): string {
  const monday = Date.UTC(2024, 0, 1);
  return dateTimeFormat({ weekday: width, timeZone: "UTC" }).format(monday + day * 86_400_000);
}

/** A duration of seconds, minutes or hours, such as "5 min" or "5分钟"; never less than one minute but for zero. */
export function durationText(durationMs: number): string {
  const minutes = durationMs <= 0 ? 0 : Math.max(1, Math.round(durationMs / 60_000));
  const hours = Math.floor(minutes / 60);
  const parts = [
    ...(hours > 0 ? [unitText(hours, "hour")] : []),
    ...(hours === 0 || minutes % 60 > 0 ? [unitText(minutes % 60, "minute")] : []),
  ];
  return parts.join(" ");
}

function unitText(value: number, unit: "hour" | "minute"): string {
  return new Intl.NumberFormat(locale.value, { style: "unit", unit, unitDisplay: "short" }).format(value);
}

function dateTimeFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale.value, options);
}
