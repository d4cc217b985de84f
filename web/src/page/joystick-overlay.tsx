// The stick under the finger: a ring for full speed, a knob for now.
import type { ReadonlySignal } from "@preact/signals";
import type { Stick } from "../drive/pointer-input";

export function Ring({ stick, isCut }: { stick: ReadonlySignal<Stick | null>; isCut: boolean }) {
  const held = stick.value;
  if (held === null) {
    return null;
  }
  const length = Math.hypot(held.dx, held.dy);
  const within = length > held.reach ? held.reach / length : 1;
  const knobX = held.x + held.dx * within;
  const knobY = held.y + held.dy * within;
  return (
    <svg class={isCut ? "ring ring-cut" : "ring"} aria-hidden="true">
      <circle class="ring-reach" cx={held.x} cy={held.y} r={held.reach} />
      <line class="ring-line" x1={held.x} y1={held.y} x2={knobX} y2={knobY} />
      <circle class="ring-centre" cx={held.x} cy={held.y} r={4} />
      <circle class="ring-knob" cx={knobX} cy={knobY} r={held.isTouch ? 30 : 16} />
    </svg>
  );
}
