// The geometry of the picture on the screen: how large it is, and which part of it shows. Pure.
import type { Point } from "../drive/gesture";

/** `fit` shows the whole picture, `fill` fills the screen and crops what is outside. */
export type Framing = "fit" | "fill";

export interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

export interface View {
  readonly framing: Framing;
  /** 1 to MAX_ZOOM, on top of the framing. */
  readonly zoom: number;
  /** The point of the picture in the middle of the screen, as fractions of its width and height. */
  readonly x: number;
  readonly y: number;
}

/** Where the picture is drawn: in a box of its own size in pixels, scaled, with its corner at `leftPx` and `topPx`. */
export interface Placement {
  readonly scale: number;
  readonly leftPx: number;
  readonly topPx: number;
}

/** More than that shows the pixels of a 720p picture, and nothing new. */
export const MAX_ZOOM = 4;
export const MIDDLE = { zoom: 1, x: 0.5, y: 0.5 } as const;

/** Where a picture of this size is on a screen of this size. */
export function place(view: View, picture: Size, screen: Size): Placement {
  const scale = framingScale(view.framing, picture, screen) * view.zoom;
  const { x, y } = clamped(view, picture, scale, screen);
  return {
    scale,
    leftPx: screen.widthPx / 2 - x * picture.widthPx * scale,
    topPx: screen.heightPx / 2 - y * picture.heightPx * scale,
  };
}

/** The view magnified by `factor`, so that what was at `from` on the screen is at `to`, as far as the bounds allow. */
export function zoomed(
  view: View,
  picture: Size,
  screen: Size,
  factor: number,
  from: Point,
  to: Point,
): View {
  if (!(factor > 0 && Number.isFinite(factor)) || screen.widthPx <= 0 || screen.heightPx <= 0) {
    return view;
  }
  const zoom = Math.min(MAX_ZOOM, Math.max(1, view.zoom * factor));
  const before = place(view, picture, screen);
  const scale = framingScale(view.framing, picture, screen) * zoom;
  const point = {
    xPx: (from.xPx - before.leftPx) / before.scale,
    yPx: (from.yPx - before.topPx) / before.scale,
  };
  const x = (point.xPx - (to.xPx - screen.widthPx / 2) / scale) / picture.widthPx;
  const y = (point.yPx - (to.yPx - screen.heightPx / 2) / scale) / picture.heightPx;
  return { ...view, zoom, ...clamped({ x, y }, picture, scale, screen) };
}

/** Screen pixels for each of the picture's, before any zoom. */
export function framingScale(framing: Framing, picture: Size, screen: Size): number {
  const scales = [screen.widthPx / picture.widthPx, screen.heightPx / picture.heightPx];
  return framing === "fit" ? Math.min(...scales) : Math.max(...scales);
}

/** The nearest middle that leaves no gap beside a picture that is larger than the screen; else the picture's own. */
function clamped(
  { x, y }: { readonly x: number; readonly y: number },
  picture: Size,
  scale: number,
  screen: Size,
): { x: number; y: number } {
  const within = (value: number, screenPx: number, shownPx: number) => {
    const half = screenPx / 2 / shownPx;
    return half < 0.5 ? Math.min(1 - half, Math.max(half, value)) : 0.5; // also for NaN, of a screen without size
  };
  return {
    x: within(x, screen.widthPx, picture.widthPx * scale),
    y: within(y, screen.heightPx, picture.heightPx * scale),
  };
}
