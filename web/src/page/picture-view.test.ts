import fc from "fast-check";
import { expect, test } from "vitest";
import { type Framing, MAX_ZOOM, MIDDLE, place, type View, zoomed } from "./picture-view";

const PHONE = { widthPx: 390, heightPx: 844 };
const DESKTOP = { widthPx: 1440, heightPx: 900 };
const WIDE = { widthPx: 1280, heightPx: 720 };
const SQUARE = { widthPx: 600, heightPx: 600 };

const view = (framing: Framing, changes: Partial<View> = {}): View => ({ framing, ...MIDDLE, ...changes });

test("fit shows the whole picture in the middle", () => {
  expect(place(view("fit"), WIDE, PHONE)).toEqual({ scale: 390 / 1280, leftPx: 0, topPx: 312.3125 });
  expect(place(view("fit"), SQUARE, DESKTOP)).toEqual({ scale: 1.5, leftPx: 270, topPx: 0 });
});

test("fill leaves no part of the screen empty, and crops both sides alike", () => {
  const { scale, leftPx, topPx } = place(view("fill"), WIDE, PHONE);
  expect(720 * scale).toBeCloseTo(844);
  expect(topPx).toBeCloseTo(0);
  expect(leftPx).toBeCloseTo((390 - (844 * 16) / 9) / 2);
});

test("what is between the fingers stays there", () => {
  const at = { xPx: 300, yPx: 500 };
  const after = zoomed(view("fill"), WIDE, PHONE, 2, at, at);
  const before = place(view("fill"), WIDE, PHONE);
  const now = place(after, WIDE, PHONE);
  const point = ({ leftPx, scale }: { leftPx: number; scale: number }) => (at.xPx - leftPx) / scale;
  expect(after.zoom).toBe(2);
  expect(point(now)).toBeCloseTo(point(before));
});

test("two fingers that move together move the picture", () => {
  const start = view("fill", { zoom: 2 });
  const after = zoomed(start, WIDE, PHONE, 1, { xPx: 100, yPx: 100 }, { xPx: 130, yPx: 80 });
  expect(place(after, WIDE, PHONE).leftPx).toBeCloseTo(place(start, WIDE, PHONE).leftPx + 30);
  expect(place(after, WIDE, PHONE).topPx).toBeCloseTo(place(start, WIDE, PHONE).topPx - 20);
});

test.each([
  [100, MAX_ZOOM],
  [0.01, 1],
  [Number.NaN, 1],
  [0, 1],
  [Number.POSITIVE_INFINITY, 1],
])("a factor of %d leads to a zoom of %d", (factor, zoom) => {
  const middle = { xPx: 195, yPx: 422 };
  expect(zoomed(view("fit"), WIDE, PHONE, factor, middle, middle).zoom).toBe(zoom);
});

test("a screen without a size yet gives numbers all the same", () => {
  const none = { widthPx: 0, heightPx: 0 };
  expect(zoomed(view("fill"), WIDE, none, 2, { xPx: 0, yPx: 0 }, { xPx: 0, yPx: 0 })).toEqual(view("fill"));
  expect(place(view("fill"), WIDE, none)).toEqual({ scale: 0, leftPx: 0, topPx: 0 });
});

const px = fc.double({ min: -500, max: 2000, noNaN: true });
const point = fc.record({ xPx: px, yPx: px });
const size = fc.record({
  widthPx: fc.integer({ min: 200, max: 3000 }),
  heightPx: fc.integer({ min: 200, max: 3000 }),
});

test("over any gestures and screens: no gap beside a picture that is larger than the screen, else it is centred", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("fit" as const, "fill" as const),
      size,
      fc.array(fc.record({ screen: size, factor: fc.double({ min: 0.1, max: 10 }), from: point, to: point })),
      (framing, picture, gestures) => {
        let now = view(framing);
        for (const { screen, factor, from, to } of gestures) {
          now = zoomed(now, picture, screen, factor, from, to);
          expect(now.zoom).toBeGreaterThanOrEqual(1);
          expect(now.zoom).toBeLessThanOrEqual(MAX_ZOOM);
          const { scale, leftPx, topPx } = place(now, picture, screen);
          for (const [screenPx, shownPx, startPx] of [
            [screen.widthPx, picture.widthPx * scale, leftPx],
            [screen.heightPx, picture.heightPx * scale, topPx],
          ] as const) {
            const endPx = screenPx - startPx - shownPx;
            if (shownPx > screenPx) {
              expect(Math.max(startPx, endPx)).toBeLessThan(0.01);
            } else {
              expect(startPx).toBeCloseTo(endPx);
            }
          }
        }
      },
    ),
  );
});
