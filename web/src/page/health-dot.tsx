// The state of a connection as a small drawing.
import type { ComponentChildren } from "preact";
import type { Health } from "../visit/connection-health";

export function HealthDot({ health }: { health: Health }) {
  return (
    <svg class={`dot dot-${health}`} viewBox="0 0 16 16" aria-hidden="true">
      {DOTS[health]}
    </svg>
  );
}

/** Each state has a shape of its own, for who cannot tell the colours apart. */
const DOTS: Readonly<Record<Health, ComponentChildren>> = {
  good: <circle cx="8" cy="8" r="7" />,
  busy: <circle class="dot-line" cx="8" cy="8" r="5.5" stroke-dasharray="5 3.64" />,
  bad: <path d="M8 0.5L15.8 14.5H0.2z" />,
  off: <circle class="dot-line" cx="8" cy="8" r="5.5" />,
};
