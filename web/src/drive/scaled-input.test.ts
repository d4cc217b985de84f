import { expect, test } from "vitest";
import { FakeDriveInput } from "../testing/fake-drive-input";
import { ScaledInput } from "./scaled-input";
import { velocity } from "./velocity";

test("the picture's zoom divides the speed, at every press and move", () => {
  const driveInput = new FakeDriveInput();
  const view = { zoom: 4 };
  const scaled = new ScaledInput(driveInput, () => view.zoom);
  scaled.press("keys", velocity(1, -0.4), 0);
  expect(driveInput.velocity).toEqual({ pan: 0.25, tilt: -0.1 });
  scaled.release("keys");
  view.zoom = 2;
  scaled.press("keys", velocity(1, 0), 0);
  expect(driveInput.velocity).toEqual({ pan: 0.5, tilt: 0 });
});

test("zooming in slows a hold down at its next move, zooming out makes it no faster before the next press", () => {
  const driveInput = new FakeDriveInput();
  const view = { zoom: 2 };
  const scaled = new ScaledInput(driveInput, () => view.zoom);
  scaled.press("keys", velocity(0.4, 0), 0);
  view.zoom = 4;
  scaled.move("keys", velocity(0.4, 0), 0);
  expect(driveInput.velocity?.pan).toBe(0.1);
  view.zoom = 1;
  scaled.move("keys", velocity(0.4, 0), 0);
  expect(driveInput.velocity?.pan).toBe(0.1);
  scaled.release("keys");
  scaled.press("keys", velocity(0.4, 0), 0);
  expect(driveInput.velocity?.pan).toBe(0.4);
});

test("nothing makes it faster", () => {
  const driveInput = new FakeDriveInput();
  new ScaledInput(driveInput, () => 0.1).press("keys", velocity(0.5, 0), 0);
  expect(driveInput.velocity).toEqual({ pan: 0.5, tilt: 0 });
});

test("releases and stops pass through", () => {
  const driveInput = new FakeDriveInput();
  const scaled = new ScaledInput(driveInput, () => 4);
  scaled.prepare();
  scaled.release("keys");
  scaled.stop();
  expect(driveInput.callNames).toEqual(["release", "stop"]);
  expect(driveInput.preparations).toBe(1);
});
