// Texts and colours for the connection panel.
import type { AxisState } from "../wire/messages";
import { codeText, t } from "../words/words";

/** The state of an axis in plain words; the link's own reason if it has one. */
export function axisText(axis: AxisState | null): string {
  switch (axis?.link) {
    case undefined:
      return t("axis.unknown");
    case "ready":
    case "disabled":
    case "connecting":
    case "closed":
      return t(`axis.${axis.link}`);
    case "settling":
      return t("axis.connecting");
    case "searching":
      return codeText("link", axis.reason, "axis.searching");
    case "waiting":
      return codeText("link", axis.reason, "axis.out_of_reach");
  }
}

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
  return delayMs === null && isLive ? t("panel.unknown") : latencyText(delayMs);
}

/** A latency in whole milliseconds, or a dash before anything was measured. */
export function latencyText(delayMs: number | null): string {
  return delayMs === null ? "–" : t("panel.ms", { count: Math.round(delayMs) });
}
