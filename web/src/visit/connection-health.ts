// What the quiet corner shows: how each axis is reached, and how long commands and pictures take.
import type { AxisState } from "../wire/messages";

/** How an axis fares, in plain words; the link's own reason where one helps. */
export function axisWords(axis: AxisState | null): string {
  switch (axis?.link) {
    case undefined:
      return "unknown";
    case "ready":
      return "ready";
    case "disabled":
      return "not fitted";
    case "searching":
      return REASONS[axis.reason] ?? "looking for it";
    case "connecting":
    case "settling":
      return "connecting";
    case "waiting":
      return REASONS[axis.reason] ?? "out of reach";
    case "closed":
      return "switched off";
  }
}

const REASONS: Readonly<Record<string, string | undefined>> = {
  not_found: "out of reach",
  no_adapter: "Bluetooth adapter missing",
  adapter_off: "Bluetooth is off",
  no_permission: "Bluetooth not allowed",
  connect_failed: "does not connect",
  no_characteristic: "not the right device",
  refused: "refuses commands",
  unanswered: "does not answer",
  lost: "connection lost",
};

export type Health = "good" | "busy" | "bad" | "off";

/** The colour of an axis's dot. */
export function axisHealth(axis: AxisState | null): Health {
  switch (axis?.link) {
    case "ready":
      return "good";
    case undefined:
    case "connecting":
    case "settling":
      return "busy";
    case "disabled":
      return "off";
    default:
      return "bad";
  }
}

/** The dot of the whole: as bad as its worst part that ought to work. */
export function worst(...parts: readonly Health[]): Health {
  return (["bad", "busy", "good"] as const).find((health) => parts.includes(health)) ?? "off";
}

/** A delay for people: whole milliseconds, or a dash before anything was measured. */
export function delayWords(delayMs: number | null): string {
  return delayMs === null ? "–" : `${Math.round(delayMs)} ms`;
}
