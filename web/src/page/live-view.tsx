// The live picture, and the few controls over it.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { GamepadSettings } from "../drive/gamepad-settings";
import { listenForGamepads } from "../drive/gamepads";
import { velocityOf } from "../drive/hold";
import type { InputArea } from "../drive/input-area";
import { KeyInput } from "../drive/key-input";
import { PointerInput } from "../drive/pointer-input";
import { ScaledInput } from "../drive/scaled-input";
import { watchFrames } from "../stage/frames";
import type { Timers } from "../time/timers";
import type { Visit } from "../visit/visit";
import { t } from "../words/words";
import { Arrows } from "./arrows";
import { PictureFraming } from "./framing";
import { FramingButton } from "./framing-button";
import { JoystickOverlay } from "./joystick-overlay";
import { keepLastFrame } from "./last-frame";
import { Picture } from "./picture";
import { StatusBanner } from "./status-banner";
import type { StillPorts } from "./still";
import { StopButton } from "./stop-button";
import { keepScreenOn } from "./wake-lock";

export interface LiveViewProps {
  readonly visit: Visit;
  /** Where the picture of WebRTC is played. */
  readonly video: HTMLVideoElement;
  readonly timers: Timers;
  readonly stills: StillPorts;
  readonly area: InputArea;
  /** Whether another screen is over it, so that nothing in it can be reached. */
  readonly isCovered: boolean;
}

export function LiveView({ visit, video, timers, stills, area, isCovered }: LiveViewProps) {
  const surface = useRef<HTMLDivElement>(null);
  const videoPlace = useRef<HTMLDivElement>(null);
  const drawn = useRef<HTMLCanvasElement>(null);
  const lastFrame = useRef<HTMLCanvasElement>(null);
  const framing = useMemo(() => new PictureFraming(() => window.localStorage), []);
  const gamepads = useMemo(() => new GamepadSettings(() => window.localStorage), []);
  const input = useMemo(() => new ScaledInput(visit.driver, () => framing.zoom.value), [visit, framing]);
  const pointer = useMemo(() => new PointerInput(input, timers, framing), [input, timers, framing]);

  useEffect(
    () => listenToInputs(surface.current, { pointer, input, framing, gamepads, timers, area }),
    [pointer, input, framing, gamepads, timers, area],
  );
  useEffect(() => focusOnce(surface.current, isCovered), [isCovered]);
  useEffect(keepScreenOn, []);
  useLayoutEffect(() => videoPlace.current?.replaceChildren(video), [video]);
  useEffect(() => watchFrames(video, (frame) => visit.receiveFrame(frame)), [video, visit]);
  useEffect(() => showLastFrame(video, drawn.current, lastFrame.current, visit), [video, visit]);
  useEffect(() => followPictureSize(video, framing), [video, framing]);
  useEffect(() => drawPictures(drawn.current, visit, framing), [visit, framing]);

  const controls = useControls(visit.viewer.value.kind);
  const voice = visit.talk.voice.value;
  const hold = visit.driver.hold.value;
  return (
    <main
      class="live-view"
      inert={isCovered}
      style={{ "--letterbox": `${framing.letterboxPx}px` }}
      data-framing={framing.framing.value}
      data-zoom={framing.zoom.value.toFixed(2)}
      {...stateAttributes(visit)}
    >
      <div
        ref={surface}
        class="drag-surface"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys turn the camera while it has the focus
        tabIndex={0}
        aria-label={t("live.name")}
      >
        <Picture framing={framing}>
          <canvas ref={lastFrame} class="picture last-frame" />
          <div ref={videoPlace} class="video-place" />
          <canvas ref={drawn} class="picture drawn-picture" />
        </Picture>
        <Arrows velocity={velocityOf(hold)} />
        <JoystickOverlay joystick={pointer.joystick} isCut={hold.kind === "cut"} />
      </div>
      {!isCovered && <StatusBanner visit={visit} />}
      {controls !== null && <controls.HandoverPanel visit={visit} />}
      <button type="button" class="leave" onClick={() => visit.leave()}>
        {t("action.leave")}
      </button>
      {controls !== null && <controls.VoiceCorner visit={visit} area={area} />}
      <StopButton visit={visit} />
      <div class="tools">
        {controls !== null && voice !== null && <controls.SoundButton visit={visit} voice={voice} />}
        {controls !== null && <controls.StillButton visit={visit} ports={stills} timers={timers} />}
        <FramingButton framing={framing} />
        {controls !== null && <controls.ConnectionPanel visit={visit} gamepads={gamepads} />}
      </div>
    </main>
  );
}

type Controls = typeof import("./controls");

/** Null until they are loaded; whenever the picture's state changes, it is tried again. */
function useControls(state: string): Controls | null {
  const [loaded, setLoaded] = useState<Controls | null>(null);
  useEffect(() => {
    if (loaded === null && state !== "closed") {
      import("./controls").then(setLoaded, () => {}); // the server cannot be reached, which the page says by itself
    }
  }, [loaded, state]);
  return loaded;
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

/** Keys belong to the picture as soon as it is seen. */
function focusOnce(surface: HTMLElement | null, isCovered: boolean) {
  if (!isCovered) {
    surface?.focus({ preventScroll: true });
  }
}

interface Inputs {
  readonly pointer: PointerInput;
  readonly input: ScaledInput;
  readonly framing: PictureFraming;
  readonly gamepads: GamepadSettings;
  readonly timers: Timers;
  readonly area: InputArea;
}

function listenToInputs(surface: HTMLElement | null, inputs: Inputs) {
  const { pointer, input, framing, gamepads, timers, area } = inputs;
  if (surface === null) {
    return;
  }
  const stopListening = [
    pointer.listen(surface),
    new KeyInput(input, timers).listen(area),
    listenForGamepads(input, area, gamepads),
    framing.listenToKeys(area),
  ];
  return () => {
    for (const stop of stopListening) {
      stop();
    }
  };
}

/** Before its first frame a stream of WebRTC claims to have 2x2 pixels, which would frame the socket's picture square. */
const NO_PICTURE_PX = 2;

function followPictureSize(video: HTMLVideoElement, framing: PictureFraming) {
  const onResize = () => {
    if (video.videoWidth > NO_PICTURE_PX) {
      framing.receivePictureSize(video.videoWidth, video.videoHeight);
    }
  };
  video.addEventListener("resize", onResize);
  return () => video.removeEventListener("resize", onResize);
}

/** Draws what comes by the socket on a canvas over the video. */
function drawPictures(canvas: HTMLCanvasElement | null, visit: Visit, framing: PictureFraming) {
  visit.painter.attach(canvas, (width, height) => framing.receivePictureSize(width, height));
  return () => visit.painter.attach(null);
}

function showLastFrame(
  video: HTMLVideoElement,
  drawn: HTMLCanvasElement | null,
  lastFrame: HTMLCanvasElement | null,
  visit: Visit,
) {
  if (drawn === null || lastFrame === null) {
    return;
  }
  return keepLastFrame(() => (visit.way.peek() === "stream" ? drawn : video), lastFrame, visit.viewer);
}
