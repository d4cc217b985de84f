// Texts and colours for the connection panel.
import type { AxisState } from "../wire/messages";

/** The state of an axis in plain words; the link's own reason if it has one. */
export function axisText(axis: AxisState | null): string {
  switch (axis?.link) {
    case undefined:
      return "unknown";
    case "ready":
      return "ready";
    case "disabled":
      return "no motor";
    case "searching":
      return REASON_TEXT[axis.reason] ?? "searching";
    case "connecting":
    case "settling":
      return "connecting";
    case "waiting":
      return REASON_TEXT[axis.reason] ?? "out of reach";
    case "closed":
      return "switched off";
  }
}

const REASON_TEXT: Readonly<Record<string, string | undefined>> = {
  not_found: "out of reach",
  no_adapter: "no Bluetooth adapter",
  adapter_off: "Bluetooth is off",
  no_permission: "no permission for Bluetooth",
  connect_failed: "can’t connect",
  no_characteristic: "wrong device",
  refused: "rejects commands",
  unanswered: "not responding",
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

/** The health of the whole: that of its worst part, leaving out axes without a unit. */
export function worstHealth(...parts: readonly Health[]): Health {
  return (["bad", "busy", "good"] as const).find((health) => parts.includes(health)) ?? "off";
}

/** The picture's delay; a browser that does not say when a frame was captured leaves it unknown. */
export function pictureDelayText(delayMs: number | null, isLive: boolean): string {
  return delayMs === null && isLive ? "unknown" : latencyText(delayMs);
}

/** A latency in whole milliseconds, or a dash before anything was measured. */
export function latencyText(delayMs: number | null): string {
  return delayMs === null ? "–" : `${Math.round(delayMs)} ms`;
}
