// A button with a coloured dot that opens a panel: the state of each axis, and the latencies.
import { useSignal } from "@preact/signals";
import {
  axisHealth,
  axisText,
  type Health,
  latencyText,
  pictureDelayText,
  worstHealth,
} from "../visit/connection-health";
import type { Visit } from "../visit/visit";

const HEALTH_TEXT: Record<Health, string> = {
  good: "everything works",
  busy: "connecting",
  bad: "something isn’t working",
  off: "no motors",
};

export function ConnectionPanel({ visit }: { visit: Visit }) {
  const isOpen = useSignal(false);
  const { pan, tilt } = visit.serverState.value;
  const health = worstHealth(axisHealth(pan), axisHealth(tilt));
  return (
    <>
      {isOpen.value && <Panel visit={visit} />}
      <div class="connection-anchor">
        {visit.isIndirect.value && !isOpen.value && <p class="connection-note">Indirect picture</p>}
        <button
          type="button"
          class="tool connection-button"
          aria-expanded={isOpen.value}
          aria-label={`Connection: ${HEALTH_TEXT[health]}`}
          onClick={() => {
            isOpen.value = !isOpen.value;
          }}
        >
          <HealthDot health={health} />
        </button>
      </div>
    </>
  );
}

function Panel({ visit }: { visit: Visit }) {
  const { headName, pan, tilt, stage } = visit.serverState.value;
  const { commandMs, pictureMs } = visit.latencies.value;
  const others = Math.max(0, (stage?.viewers ?? 1) - 1); // the stage counts this page too
  return (
    <section class="connection-panel" aria-label="Connection">
      {headName !== "" && <h2>{headName}</h2>}
      <dl>
        <dt>Left and right</dt>
        <dd>
          <HealthDot health={axisHealth(pan)} /> {axisText(pan)}
        </dd>
        <dt>Up and down</dt>
        <dd>
          <HealthDot health={axisHealth(tilt)} /> {axisText(tilt)}
        </dd>
        <dt title="The time from your touch until the camera’s motor is told">Control delay</dt>
        <dd data-latency="command">{latencyText(commandMs)}</dd>
        <dt title="The time from the camera to this screen">Picture delay</dt>
        <dd data-latency="picture">{pictureDelayText(pictureMs, visit.viewer.value.kind === "live")}</dd>
        <dt>Picture comes</dt>
        <dd>{visit.isIndirect.value ? "indirectly" : "directly"}</dd>
        <dt>Also watching</dt>
        <dd>{others === 0 ? "nobody" : others}</dd>
      </dl>
      {visit.isIndirect.value && (
        <p class="explanation">
          This network lets no direct picture through, so it comes the way web pages do. It may be a little
          later.
        </p>
      )}
    </section>
  );
}

function HealthDot({ health }: { health: Health }) {
  return <i class={`dot dot-${health}`} aria-hidden="true" />;
}
