// The live picture, and the few controls over it.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { listenToGamepads } from "../drive/gamepad-input";
import { velocityOf } from "../drive/hold";
import { KeyInput } from "../drive/key-input";
import { PointerInput } from "../drive/pointer-input";
import { watchFrames } from "../stage/frames";
import type { Timers } from "../time/timers";
import type { Visit } from "../visit/visit";
import { Arrows } from "./arrows";
import { ConnectionPanel } from "./connection-panel";
import { JoystickOverlay } from "./joystick-overlay";
import { keepLastFrame } from "./last-frame";
import { StatusBanner } from "./status-banner";
import { StopButton } from "./stop-button";
import { keepScreenOn } from "./wake-lock";

export interface LiveViewProps {
  readonly visit: Visit;
  readonly timers: Timers;
}

export function LiveView({ visit, timers }: LiveViewProps) {
  const surface = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const drawn = useRef<HTMLCanvasElement>(null);
  const lastFrame = useRef<HTMLCanvasElement>(null);
  const pointer = useMemo(() => new PointerInput(visit.driver), [visit]);

  useEffect(() => listenToInputs(surface.current, pointer, visit, timers), [pointer, visit, timers]);
  useEffect(keepScreenOn, []);
  useEffect(() => reportFrames(video.current, visit), [visit]);
  useEffect(() => drawPictures(drawn.current, visit), [visit]);
  useEffect(() => showLastFrame(video.current, drawn.current, lastFrame.current, visit), [visit]);
  useEffect(() => showStream(video.current, visit.stream.value), [visit.stream.value]);

  const hold = visit.driver.hold.value;
  return (
    <main class="live-view" {...stateAttributes(visit)}>
      <div
        ref={surface}
        class="drag-surface"
        role="application"
        tabIndex={-1}
        aria-label="Live view. Drag, or hold the arrow keys, to look around. Press Escape to stop the camera."
      >
        <div class="picture-box">
          <canvas ref={lastFrame} class="picture last-frame" />
          <video ref={video} class="picture" muted playsInline autoPlay disablePictureInPicture />
          <canvas ref={drawn} class="picture drawn-picture" />
          <Arrows velocity={velocityOf(hold)} />
        </div>
        <JoystickOverlay joystick={pointer.joystick} isCut={hold.kind === "cut"} />
      </div>
      <StatusBanner visit={visit} />
      <button type="button" class="leave" onClick={() => visit.leave()}>
        Leave
      </button>
      <StopButton visit={visit} />
      <ConnectionPanel visit={visit} />
    </main>
  );
}

/** The state of the visit for styles and tests, as described in web/README.md. */
function stateAttributes(visit: Visit): Record<`data-${string}`, string> {
  const { pan, tilt } = visit.serverState.value;
  return {
    "data-picture": visit.viewer.value.kind,
    "data-way": visit.way.value ?? "none",
    "data-indirect": String(visit.isIndirect.value),
    "data-topic": visit.statusMessage.value.topic,
    "data-hold": visit.driver.hold.value.kind,
    "data-lease": visit.driver.lease.value?.holder ?? "unknown",
    "data-pan-link": pan?.link ?? "unknown",
    "data-tilt-link": tilt?.link ?? "unknown",
    "data-moving": String((pan?.velocity ?? 0) !== 0 || (tilt?.velocity ?? 0) !== 0),
    "data-first-picture-ms": String(Math.round(visit.firstPictureMs.value ?? -1)),
  };
}

function listenToInputs(surface: HTMLElement | null, pointer: PointerInput, visit: Visit, timers: Timers) {
  if (surface === null) {
    return;
  }
  surface.focus({ preventScroll: true });
  const stopListening = [
    pointer.listen(surface),
    new KeyInput(visit.driver, timers).listen(),
    listenToGamepads(visit.driver),
  ];
  return () => {
    for (const stop of stopListening) {
      stop();
    }
  };
}

function reportFrames(video: HTMLVideoElement | null, visit: Visit) {
  return video === null ? undefined : watchFrames(video, (frame) => visit.receiveFrame(frame));
}

/** Draws what comes by the socket on a canvas over the video. */
function drawPictures(canvas: HTMLCanvasElement | null, visit: Visit) {
  visit.painter.attach(canvas);
  return () => visit.painter.attach(null);
}

function showLastFrame(
  video: HTMLVideoElement | null,
  drawn: HTMLCanvasElement | null,
  lastFrame: HTMLCanvasElement | null,
  visit: Visit,
) {
  if (video === null || drawn === null || lastFrame === null) {
    return;
  }
  return keepLastFrame(() => (visit.way.peek() === "stream" ? drawn : video), lastFrame, visit.viewer);
}

/** Muted video may autoplay; a browser that refuses, to save power, is asked again with the next stream. */
function showStream(video: HTMLVideoElement | null, stream: MediaStream | null) {
  if (video !== null) {
    video.srcObject = stream;
    video.play().catch(() => {});
  }
}
