// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import { FakeDriveInput } from "../testing/fake-drive-input";
import { GamepadSettings } from "./gamepad-settings";
import { listenForGamepads } from "./gamepads";
import { WHOLE_WINDOW } from "./input-area";

let pads: Partial<Gamepad>[] = [];
let frames: FrameRequestCallback[] = [];
navigator.getGamepads = () => pads as Gamepad[];
vi.stubGlobal("requestAnimationFrame", (run: FrameRequestCallback) => frames.push(run));

afterEach(() => {
  pads = [];
  frames = [];
});

const PAD = { index: 0, id: "pad", connected: true, timestamp: 0, buttons: [] };

/** The browser paints: gamepads are read. */
function paint(x: number, atMs: number): void {
  pads = [{ ...PAD, axes: [x, 0] }];
  for (const run of frames.splice(0)) {
    run(atMs);
  }
}

function listening() {
  const driveInput = new FakeDriveInput();
  const settings = new GamepadSettings(() => localStorage);
  const stop = listenForGamepads(driveInput, WHOLE_WINDOW, settings);
  return { driveInput, settings, stop };
}

test.each(["connected before", "connected later"])(
  "a gamepad that is %s drives until listening ends",
  async (when) => {
    document.hasFocus = () => true;
    pads = when === "connected before" ? [{ ...PAD, axes: [0, 0] }] : [];
    const { driveInput, settings, stop } = listening();
    if (when === "connected later") {
      pads = [{ ...PAD, axes: [0, 0] }];
      window.dispatchEvent(new Event("gamepadconnected"));
    }
    await vi.dynamicImportSettled();
    paint(0, 16);
    expect(settings.isConnected.value).toBe(true);
    paint(1, 32);
    stop();
    expect(driveInput.callNames).toEqual(["press", "release"]);
  },
);

test("one that comes after listening has ended does nothing", async () => {
  const { driveInput, stop } = listening();
  window.dispatchEvent(new Event("gamepadconnected"));
  stop();
  await vi.dynamicImportSettled();
  expect(frames).toEqual([]);
  expect(driveInput.calls).toEqual([]);
});
