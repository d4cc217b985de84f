// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { isSameGeometry, onGeometryEvent, readGeometry, type SurfaceGeometry } from "./surface-geometry";

const UPRIGHT: SurfaceGeometry = {
  leftPx: 0,
  topPx: 0,
  widthPx: 390,
  heightPx: 844,
  pixelRatio: 3,
  viewport: [1, 0, 0],
  angleDeg: 0,
};

test.each<[string, Partial<SurfaceGeometry>]>([
  ["turned on its side", { widthPx: 844, heightPx: 390, angleDeg: 90 }],
  ["turned upside down", { angleDeg: 180 }],
  ["made smaller by a keyboard", { heightPx: 500 }],
  ["pushed away by a keyboard", { viewport: [1, 0, 260] }],
  ["magnified by the browser", { pixelRatio: 3.75 }],
  ["magnified by two fingers", { viewport: [1.5, 40, 90] }],
  ["scrolled within another page", { topPx: -30 }],
  ["moved aside", { leftPx: 12 }],
])("a surface that was %s is another one", (_, changes) => {
  expect(isSameGeometry(UPRIGHT, { ...UPRIGHT, ...changes })).toBe(false);
});

test("a pixel more or less is the same", () => {
  const nearly = { ...UPRIGHT, topPx: 0.5, heightPx: 842.4, viewport: [1, 0, 1] as const };
  expect(isSameGeometry(UPRIGHT, nearly)).toBe(true);
});

test("it is read from where the surface is", () => {
  const surface = document.createElement("div");
  surface.getBoundingClientRect = () => new DOMRect(200, 50, 400, 300);
  expect(readGeometry(surface)).toMatchObject({ leftPx: 200, topPx: 50, widthPx: 400, heightPx: 300 });
});

test("a window that is resized or scrolled is a reason to look, until listening ends", () => {
  let calls = 0;
  const controller = new AbortController();
  onGeometryEvent(document.createElement("div"), () => calls++, controller.signal);
  const before = calls;
  window.dispatchEvent(new Event("resize"));
  document.body.dispatchEvent(new Event("scroll"));
  expect(calls - before).toBe(2);
  controller.abort();
  window.dispatchEvent(new Event("resize"));
  expect(calls - before).toBe(2);
});
