// The button that stops the head, for everyone who watches.
import type { Visit } from "../visit/visit";
import { t } from "../words/words";

export function StopButton({ visit }: { visit: Visit }) {
  const stop = () => visit.driver.stop();
  return (
    <button
      type="button"
      class="stop"
      aria-label={t("live.stop")}
      onPointerDown={stop}
      // A pointer has stopped the head already when it was pressed. Clicks by keyboard or screen reader come without a
      // pointer event; their `detail` is 0.
      onClick={(event) => event.detail === 0 && stop()}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <rect x="6" y="6" width="12" height="12" rx="2.5" />
      </svg>
    </button>
  );
}
