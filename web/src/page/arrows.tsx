// An arrow at each edge of the picture, as bright as the speed in its direction: feedback for keys and gamepads.
import type { Velocity } from "../drive/velocity";

const SIDES = ["left", "right", "up", "down"] as const;

export function Arrows({ velocity }: { velocity: Velocity }) {
  const speeds = {
    left: -velocity.pan,
    right: velocity.pan,
    up: velocity.tilt,
    down: -velocity.tilt,
  };
  return (
    <>
      {SIDES.map((side) => (
        <svg
          key={side}
          class={`arrow arrow-${side}`}
          viewBox="0 0 24 24"
          aria-hidden="true"
          style={{ opacity: speeds[side] > 0 ? 0.4 + 0.6 * speeds[side] : 0 }}
        >
          <path d="M9 5l7 7-7 7" />
        </svg>
      ))}
    </>
  );
}
