// Stop, always within reach, for anyone who looks.
import type { Visit } from "../visit/visit";

export function StopButton({ visit }: { visit: Visit }) {
  const stop = () => visit.driver.stop();
  return (
    <button
      type="button"
      class="stop"
      aria-label="Stop the camera"
      onPointerDown={stop}
      // A finger has stopped the head on its way down; this is for keys and for those who read by ear.
      onClick={(event) => event.detail === 0 && stop()}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <rect x="6" y="6" width="12" height="12" rx="2.5" />
      </svg>
    </button>
  );
}
