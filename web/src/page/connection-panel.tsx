// The quiet corner: a dot, and for those who ask, how each axis is reached and how long things take.
import { useSignal } from "@preact/signals";
import { axisHealth, axisWords, delayWords, type Health, worst } from "../visit/connection-health";
import type { Visit } from "../visit/visit";

const HEALTH_WORDS: Record<Health, string> = {
  good: "all is well",
  busy: "getting ready",
  bad: "something is out of reach",
  off: "no head fitted",
};

export function Corner({ visit }: { visit: Visit }) {
  const isOpen = useSignal(false);
  const { pan, tilt } = visit.house.value;
  const health = worst(axisHealth(pan), axisHealth(tilt));
  return (
    <div class="corner">
      {isOpen.value && <Panel visit={visit} />}
      <button
        type="button"
        class="corner-dot"
        aria-expanded={isOpen.value}
        aria-label={`Connection: ${HEALTH_WORDS[health]}`}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        <Dot health={health} />
      </button>
    </div>
  );
}

function Panel({ visit }: { visit: Visit }) {
  const { head, pan, tilt, stage } = visit.house.value;
  const { commandMs, pictureMs } = visit.figures.value;
  const others = Math.max(0, (stage?.viewers ?? 1) - 1);
  return (
    <section class="panel" aria-label="Connection">
      {head !== "" && <h2>{head}</h2>}
      <dl>
        <dt>Left and right</dt>
        <dd>
          <Dot health={axisHealth(pan)} /> {axisWords(pan)}
        </dd>
        <dt>Up and down</dt>
        <dd>
          <Dot health={axisHealth(tilt)} /> {axisWords(tilt)}
        </dd>
        <dt title="From your hand until the command left for the camera head">Command</dt>
        <dd data-figure="command">{delayWords(commandMs)}</dd>
        <dt title="From the camera to this screen">Picture</dt>
        <dd data-figure="glass">{delayWords(pictureMs)}</dd>
        <dt>Also looking</dt>
        <dd>{others === 0 ? "nobody" : others}</dd>
      </dl>
    </section>
  );
}

function Dot({ health }: { health: Health }) {
  return <i class={`dot dot-${health}`} aria-hidden="true" />;
}
