// What the places of pointers are measured by. If it changes while a finger rests, the finger's place changes: what was
// dragged until then says nothing any more.

export interface SurfaceGeometry {
  readonly leftPx: number;
  readonly topPx: number;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Changes with the page's zoom. */
  readonly pixelRatio: number;
  /** Of the magnifier that two fingers control, and of a keyboard that pushes the page away. */
  readonly viewport: readonly [scale: number, leftPx: number, topPx: number];
  /** A phone that is turned upside down has the same size as before. */
  readonly angleDeg: number;
}

/** Browsers round places, and change them by a pixel when a bar of theirs appears. */
const TOLERANCE_PX = 2;
const SCALE_TOLERANCE = 0.001;

export function readGeometry(surface: HTMLElement): SurfaceGeometry {
  const { left, top, width, height } = surface.getBoundingClientRect();
  const viewport = window.visualViewport;
  const orientation: ScreenOrientation | undefined = screen.orientation; // Safari before 16.4 has none
  return {
    leftPx: left,
    topPx: top,
    widthPx: width,
    heightPx: height,
    pixelRatio: window.devicePixelRatio,
    viewport: [viewport?.scale ?? 1, viewport?.offsetLeft ?? 0, viewport?.offsetTop ?? 0],
    angleDeg: orientation?.angle ?? 0,
  };
}

/** Whether places measured by both can be compared. */
export function isSameGeometry(one: SurfaceGeometry, other: SurfaceGeometry): boolean {
  const lengths: readonly (readonly [number, number])[] = [
    [one.leftPx, other.leftPx],
    [one.topPx, other.topPx],
    [one.widthPx, other.widthPx],
    [one.heightPx, other.heightPx],
    [one.viewport[1], other.viewport[1]],
    [one.viewport[2], other.viewport[2]],
  ];
  return (
    lengths.every(([a, b]) => Math.abs(a - b) <= TOLERANCE_PX) &&
    Math.abs(one.pixelRatio - other.pixelRatio) <= SCALE_TOLERANCE &&
    Math.abs(one.viewport[0] - other.viewport[0]) <= SCALE_TOLERANCE &&
    one.angleDeg === other.angleDeg
  );
}

/** Calls `run` whenever the geometry may have changed, also while no pointer moves. */
export function onGeometryEvent(surface: HTMLElement, run: () => void, signal: AbortSignal): void {
  window.addEventListener("resize", run, { signal });
  window.addEventListener("scroll", run, { signal, capture: true, passive: true });
  window.visualViewport?.addEventListener("resize", run, { signal });
  window.visualViewport?.addEventListener("scroll", run, { signal });
  const orientation: ScreenOrientation | undefined = screen.orientation;
  orientation?.addEventListener("change", run, { signal });
  const observer = new ResizeObserver(run);
  observer.observe(surface);
  signal.addEventListener("abort", () => observer.disconnect());
}
