// The live picture, and the few controls over it.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { listenToGamepads } from "../drive/gamepad-input";
import { velocityOf } from "../drive/hold";
import type { InputArea } from "../drive/input-area";
import { KeyInput } from "../drive/key-input";
import { PointerInput } from "../drive/pointer-input";
import { ScaledInput } from "../drive/scaled-input";
import { watchFrames } from "../stage/frames";
import type { Timers } from "../time/timers";
import type { Visit } from "../visit/visit";
import { SoundButton } from "../voice/sound-button";
import { VoiceCorner } from "../voice/voice-corner";
import { t } from "../words/words";
import { Arrows } from "./arrows";
import { ConnectionPanel } from "./connection-panel";
import { PictureFraming } from "./framing";
import { FramingButton } from "./framing-button";
import { HandoverPanel } from "./handover-panel";
import { JoystickOverlay } from "./joystick-overlay";
import { keepLastFrame } from "./last-frame";
import { Picture } from "./picture";
import { StatusBanner } from "./status-banner";
import type { StillPorts } from "./still";
import { StillButton } from "./still-button";
import { StopButton } from "./stop-button";
import { keepScreenOn } from "./wake-lock";

export interface LiveViewProps {
  readonly visit: Visit;
  readonly timers: Timers;
  readonly stills: StillPorts;
  readonly area: InputArea;
}

export function LiveView({ visit, timers, stills, area }: LiveViewProps) {
  const surface = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const drawn = useRef<HTMLCanvasElement>(null);
  const lastFrame = useRef<HTMLCanvasElement>(null);
  const framing = useMemo(() => new PictureFraming(() => window.localStorage), []);
  const input = useMemo(() => new ScaledInput(visit.driver, () => framing.zoom.value), [visit, framing]);
  const pointer = useMemo(() => new PointerInput(input, timers, framing), [input, timers, framing]);

  useEffect(
    () => listenToInputs(surface.current, pointer, input, framing, timers, area),
    [pointer, input, framing, timers, area],
  );
  useEffect(keepScreenOn, []);
  useEffect(() => reportFrames(video.current, visit), [visit]);
  useEffect(() => showLastFrame(video.current, drawn.current, lastFrame.current, visit), [visit]);
  useEffect(() => followPictureSize(video.current, framing), [framing]);
  useEffect(() => drawPictures(drawn.current, visit, framing), [visit, framing]);
  useEffect(() => showStream(video.current, visit.stream.value), [visit.stream.value]);

  const hold = visit.driver.hold.value;
  return (
    <main
      class="live-view"
      style={{ "--letterbox": `${framing.letterboxPx}px` }}
      data-framing={framing.framing.value}
      data-zoom={framing.zoom.value.toFixed(2)}
      {...stateAttributes(visit)}
    >
      <div ref={surface} class="drag-surface" role="application" tabIndex={-1} aria-label={t("live.name")}>
        <Picture framing={framing}>
          <canvas ref={lastFrame} class="picture last-frame" />
          <video ref={video} class="picture" muted playsInline autoPlay disablePictureInPicture />
          <canvas ref={drawn} class="picture drawn-picture" />
        </Picture>
        <Arrows velocity={velocityOf(hold)} />
        <JoystickOverlay joystick={pointer.joystick} isCut={hold.kind === "cut"} />
      </div>
      <StatusBanner visit={visit} />
      <HandoverPanel visit={visit} />
      <button type="button" class="leave" onClick={() => visit.leave()}>
        {t("action.leave")}
      </button>
      <VoiceCorner visit={visit} area={area} />
      <StopButton visit={visit} />
      <div class="tools">
        {visit.talk.voice.value !== null && <SoundButton visit={visit} voice={visit.talk.voice.value} />}
        <StillButton visit={visit} ports={stills} timers={timers} />
        <FramingButton framing={framing} />
        <ConnectionPanel visit={visit} />
      </div>
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
    "data-talk": visit.talk.state.value.kind,
    "data-microphone": visit.talk.voice.value?.microphone ?? "none",
    "data-first-picture-ms": String(Math.round(visit.firstPictureMs.value ?? -1)),
  };
}

function listenToInputs(
  surface: HTMLElement | null,
  pointer: PointerInput,
  input: ScaledInput,
  framing: PictureFraming,
  timers: Timers,
  area: InputArea,
) {
  if (surface === null) {
    return;
  }
  surface.focus({ preventScroll: true });
  const stopListening = [
    pointer.listen(surface),
    new KeyInput(input, timers).listen(area),
    listenToGamepads(input, area),
    framing.listenToKeys(area),
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

/** Before its first frame a stream of WebRTC claims to have 2x2 pixels, which would frame the socket's picture square. */
const NO_PICTURE_PX = 2;

function followPictureSize(video: HTMLVideoElement | null, framing: PictureFraming) {
  const onResize = () => {
    if (video !== null && video.videoWidth > NO_PICTURE_PX) {
      framing.receivePictureSize(video.videoWidth, video.videoHeight);
    }
  };
  video?.addEventListener("resize", onResize);
  return () => video?.removeEventListener("resize", onResize);
}

/** Draws what comes by the socket on a canvas over the video. */
function drawPictures(canvas: HTMLCanvasElement | null, visit: Visit, framing: PictureFraming) {
  visit.painter.attach(canvas, (width, height) => framing.receivePictureSize(width, height));
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
