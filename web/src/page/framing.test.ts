// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { WHOLE_WINDOW } from "../drive/input-area";
import { PictureFraming, zoomText } from "./framing";

const UPRIGHT = { widthPx: 390, heightPx: 844 };
const WIDE = { widthPx: 844, heightPx: 390 };
const AT = { xPx: 195, yPx: 422 };

class FakeStorage {
  readonly entries = new Map<string, string>();

  getItem(key: string): string | null {
    return this.entries.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.entries.set(key, value);
  }
}

function setup(storage = new FakeStorage()) {
  const framing = new PictureFraming(() => storage);
  framing.receiveScreen(UPRIGHT);
  return { framing, storage };
}

test("an upright screen is filled, a wide one shows the whole picture", () => {
  const { framing } = setup();
  expect(framing.framing.value).toBe("fill");
  framing.receiveScreen(WIDE);
  expect(framing.framing.value).toBe("fit");
});

test("each way to hold the device remembers what was chosen for it", () => {
  const { framing, storage } = setup();
  framing.toggle();
  expect(framing.framing.value).toBe("fit");
  framing.receiveScreen(WIDE);
  framing.toggle();
  expect(framing.framing.value).toBe("fill");
  const later = setup(storage).framing;
  expect(later.framing.value).toBe("fit");
  later.receiveScreen(WIDE);
  expect(later.framing.value).toBe("fill");
});

test("a remembered value that is none counts as not chosen", () => {
  const storage = new FakeStorage();
  storage.entries.set("belvedere-framing-upright", "stretch");
  expect(setup(storage).framing.framing.value).toBe("fill");
});

test.each([
  [
    "refuses to be asked for",
    () => {
      throw new DOMException("denied", "SecurityError");
    },
  ],
  [
    "refuses every call",
    () => ({
      getItem: () => {
        throw new DOMException("denied", "SecurityError");
      },
      setItem: () => {
        throw new DOMException("full", "QuotaExceededError");
      },
    }),
  ],
])("a storage that %s costs only the memory", (_, storage) => {
  const framing = new PictureFraming(storage);
  framing.receiveScreen(UPRIGHT);
  framing.receiveDoubleTap();
  expect(framing.framing.value).toBe("fit");
});

test("a double tap on a zoomed picture undoes the zoom first", () => {
  const { framing } = setup();
  framing.zoomBy(3, AT, AT);
  expect(framing.zoom.value).toBe(3);
  framing.receiveDoubleTap();
  expect([framing.zoom.value, framing.framing.value]).toEqual([1, "fill"]);
  framing.receiveDoubleTap();
  expect(framing.framing.value).toBe("fit");
});

test("the picture glides to where a button sends it, and follows fingers at once", () => {
  const { framing } = setup();
  framing.toggle();
  expect(framing.isGliding.value).toBe(true);
  framing.zoomBy(2, AT, AT);
  expect(framing.isGliding.value).toBe(false);
  framing.receiveKey("0");
  expect(framing.isGliding.value).toBe(true);
  framing.receiveScreen(WIDE);
  expect(framing.isGliding.value).toBe(false);
});

test("the bars beside the picture do not depend on the zoom, so that no button jumps under a finger", () => {
  const { framing } = setup();
  expect(framing.letterboxPx).toBe(0);
  framing.toggle();
  const barPx = (844 - (390 * 9) / 16) / 2;
  expect(framing.letterboxPx).toBeCloseTo(barPx);
  framing.zoomBy(4, AT, AT);
  expect(framing.letterboxPx).toBeCloseTo(barPx);
});

test("the picture's own shape counts, once it is known", () => {
  const { framing } = setup();
  framing.receivePictureSize(0, 0);
  expect(framing.placement.value.scale).toBeCloseTo(844 / 720);
  framing.receivePictureSize(640, 480);
  expect(framing.placement.value.scale).toBeCloseTo(844 / 480);
  expect(framing.pictureSize.value).toEqual({ widthPx: 640, heightPx: 480 });
});

test("where both framings look the same there is nothing to choose", () => {
  const { framing } = setup();
  expect(framing.hasChoice.value).toBe(true);
  framing.receiveScreen({ widthPx: 1280, heightPx: 720 });
  expect(framing.hasChoice.value).toBe(false);
});

test("plus and minus zoom, zero undoes it, and the browser keeps its own shortcuts", () => {
  const { framing } = setup();
  const stop = framing.listenToKeys(WHOLE_WINDOW);
  const press = (key: string, changes: KeyboardEventInit = {}) => {
    const event = new KeyboardEvent("keydown", { key, cancelable: true, ...changes });
    window.dispatchEvent(event);
    return event.defaultPrevented;
  };
  expect(press("+")).toBe(true);
  expect(press("=")).toBe(true);
  expect(framing.zoom.value).toBeCloseTo(1.25 ** 2);
  expect(press("-")).toBe(true);
  expect(framing.zoom.value).toBeCloseTo(1.25);
  expect(press("+", { ctrlKey: true })).toBe(false);
  expect(press("x")).toBe(false);
  expect(press("0")).toBe(true);
  expect(framing.zoom.value).toBe(1);
  stop();
  expect(press("+")).toBe(false);
});

test("the zoom is written with one decimal", () => {
  expect(zoomText(2.46)).toBe("2.5");
});
