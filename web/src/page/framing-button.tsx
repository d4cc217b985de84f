// The button that switches between the whole picture and a filled screen; while the picture is zoomed, it undoes that.
import { t } from "../words/words";
import { type PictureFraming, zoomText } from "./framing";

export function FramingButton({ framing }: { framing: PictureFraming }) {
  const zoom = framing.zoom.value;
  const isFilling = framing.framing.value === "fill";
  if (zoom > 1) {
    return (
      <button
        type="button"
        class="tool zoom"
        aria-label={t("live.undo_zoom_of", { zoom: zoomText(zoom) })}
        title={t("live.undo_zoom")}
        onClick={() => framing.toggle()}
      >
        {t("live.zoom", { zoom: zoomText(zoom) })}
      </button>
    );
  }
  if (!framing.hasChoice.value) {
    return null;
  }
  const name = t(isFilling ? "live.show_whole" : "live.fill_screen");
  return (
    <button type="button" class="tool" aria-label={name} title={name} onClick={() => framing.toggle()}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={isFilling ? WHOLE : FILL} />
      </svg>
    </button>
  );
}

/** Corners that point inwards. */
const WHOLE = "M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5";
/** Corners that point outwards. */
const FILL = "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5";
