// Draws the virtual joystick under the pointer: a circle at full speed, and a knob at the present speed.
import type { ReadonlySignal } from "@preact/signals";
import type { Joystick } from "../drive/pointer-input";

export interface JoystickOverlayProps {
  readonly joystick: ReadonlySignal<Joystick | null>;
  readonly isCut: boolean;
}

export function JoystickOverlay({ joystick, isCut }: JoystickOverlayProps) {
  const stick = joystick.value;
  if (stick === null) {
    return null;
  }
  const length = Math.hypot(stick.dxPx, stick.dyPx);
  const scale = length > stick.reachPx ? stick.reachPx / length : 1; // the knob stays within the circle
  const knobX = stick.centreXPx + stick.dxPx * scale;
  const knobY = stick.centreYPx + stick.dyPx * scale;
  return (
    <svg class={isCut ? "joystick joystick-cut" : "joystick"} aria-hidden="true">
      <circle class="joystick-range" cx={stick.centreXPx} cy={stick.centreYPx} r={stick.reachPx} />
      <line class="joystick-line" x1={stick.centreXPx} y1={stick.centreYPx} x2={knobX} y2={knobY} />
      <circle class="joystick-centre" cx={stick.centreXPx} cy={stick.centreYPx} r={4} />
      <circle class="joystick-knob" cx={knobX} cy={knobY} r={stick.isTouch ? 30 : 16} />
    </svg>
  );
}
