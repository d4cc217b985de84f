// The room as it is seen: the live picture, and over it the few things a visitor may need.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { listenToGamepads } from "../drive/gamepad-input";
import { velocityOf } from "../drive/hold";
import { KeyInput } from "../drive/key-input";
import { PointerInput } from "../drive/pointer-input";
import { watchFrames } from "../stage/frames";
import type { Timers } from "../time/timers";
import type { Visit } from "../visit/visit";
import { Arrows } from "./arrows";
import { Corner } from "./connection-panel";
import { Ring } from "./joystick-overlay";
import { keepLastPicture } from "./last-frame";
import { Message } from "./status-banner";
import { StopButton } from "./stop-button";
import { keepAwake } from "./wake-lock";

export interface RoomProps {
  readonly visit: Visit;
  readonly timers: Timers;
}

export function Room({ visit, timers }: RoomProps) {
  const surface = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const afterimage = useRef<HTMLCanvasElement>(null);
  const pointer = useMemo(() => new PointerInput(visit.driver), [visit]);

  useEffect(() => listenToHands(surface.current, pointer, visit, timers), [pointer, visit, timers]);
  useEffect(keepAwake, []);
  useEffect(() => showFrames(video.current, visit), [visit]);
  useEffect(() => showAfterimage(video.current, afterimage.current, visit), [visit]);
  useEffect(() => showStream(video.current, visit.stream.value), [visit.stream.value]);

  const hold = visit.driver.hold.value;
  return (
    <main class="room" {...facts(visit)}>
      <div
        ref={surface}
        class="surface"
        role="application"
        tabIndex={-1}
        aria-label="Live view. Drag, or hold the arrow keys, to look around. Escape stops the camera."
      >
        <div class="frame">
          <canvas ref={afterimage} class="picture afterimage" />
          <video ref={video} class="picture" muted playsInline autoPlay disablePictureInPicture />
          <Arrows velocity={velocityOf(hold)} />
        </div>
        <Ring joystick={pointer.joystick} isCut={hold.kind === "cut"} />
      </div>
      <Message visit={visit} />
      <button type="button" class="leave" onClick={() => visit.leave()}>
        Leave
      </button>
      <StopButton visit={visit} />
      <Corner visit={visit} />
    </main>
  );
}

/** The state of the visit for styles and tests: read-only, and described in web/README.md. */
function facts(visit: Visit): Record<`data-${string}`, string> {
  const { pan, tilt } = visit.house.value;
  return {
    "data-picture": visit.viewer.value.kind,
    "data-topic": visit.saying.value.topic,
    "data-hold": visit.driver.hold.value.kind,
    "data-lease": visit.driver.lease.value?.holder ?? "unknown",
    "data-pan-link": pan?.link ?? "unknown",
    "data-tilt-link": tilt?.link ?? "unknown",
    "data-moving": String((pan?.velocity ?? 0) !== 0 || (tilt?.velocity ?? 0) !== 0),
    "data-first-picture-ms": String(Math.round(visit.firstPictureMs.value ?? -1)),
  };
}

function listenToHands(surface: HTMLElement | null, pointer: PointerInput, visit: Visit, timers: Timers) {
  if (surface === null) {
    return;
  }
  surface.focus({ preventScroll: true });
  const offs = [
    pointer.listen(surface),
    new KeyInput(visit.driver, timers).listen(),
    listenToGamepads(visit.driver),
  ];
  return () => {
    for (const off of offs) {
      off();
    }
  };
}

function showFrames(video: HTMLVideoElement | null, visit: Visit) {
  return video === null ? undefined : watchFrames(video, (frame) => visit.receiveFrame(frame));
}

function showAfterimage(video: HTMLVideoElement | null, canvas: HTMLCanvasElement | null, visit: Visit) {
  return video === null || canvas === null ? undefined : keepLastPicture(video, canvas, visit.viewer);
}

/** A muted picture may play by itself; a browser that saves power and refuses is asked again with the next one. */
function showStream(video: HTMLVideoElement | null, stream: MediaStream | null) {
  if (video !== null) {
    video.srcObject = stream;
    video.play().catch(() => {});
  }
}
