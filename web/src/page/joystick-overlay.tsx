// The stick under the finger: a ring for full speed, a knob for now.
import type { ReadonlySignal } from "@preact/signals";
import type { Joystick } from "../drive/pointer-input";

export function Ring({ joystick, isCut }: { joystick: ReadonlySignal<Joystick | null>; isCut: boolean }) {
  const held = joystick.value;
  if (held === null) {
    return null;
  }
  const length = Math.hypot(held.dxPx, held.dyPx);
  const within = length > held.reachPx ? held.reachPx / length : 1;
  const knobX = held.centreXPx + held.dxPx * within;
  const knobY = held.centreYPx + held.dyPx * within;
  return (
    <svg class={isCut ? "ring ring-cut" : "ring"} aria-hidden="true">
      <circle class="ring-reach" cx={held.centreXPx} cy={held.centreYPx} r={held.reachPx} />
      <line class="ring-line" x1={held.centreXPx} y1={held.centreYPx} x2={knobX} y2={knobY} />
      <circle class="ring-centre" cx={held.centreXPx} cy={held.centreYPx} r={4} />
      <circle class="ring-knob" cx={knobX} cy={knobY} r={held.isTouch ? 30 : 16} />
    </svg>
  );
}
