import { expect, test } from "vitest";
import { GamepadSettings, type SettingsStorage } from "./gamepad-settings";

function storageOf(saved: string | null = null) {
  const values = new Map<string, string>(saved === null ? [] : [["belvedere-gamepad-dead-zone", saved]]);
  const storage: SettingsStorage = {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
  };
  return () => storage;
}

test("the dead zone is remembered on this device", () => {
  const storage = storageOf();
  expect(new GamepadSettings(storage).deadZone.value).toBe(0.12);
  new GamepadSettings(storage).setDeadZone(0.3);
  expect(new GamepadSettings(storage).deadZone.value).toBe(0.3);
});

test.each([
  ["0", 0.05],
  ["7", 0.6],
  ["NaN", 0.12],
  ["sofa", 0.12],
])("of %j that somebody has saved, %s is left", (saved, expected) => {
  expect(new GamepadSettings(storageOf(saved)).deadZone.value).toBe(expected);
});

test("where nothing can be saved, it holds until the page is closed", () => {
  const settings = new GamepadSettings(() => {
    throw new DOMException("refused", "SecurityError");
  });
  expect(settings.deadZone.value).toBe(0.12);
  settings.setDeadZone(0.2);
  expect(settings.deadZone.value).toBe(0.2);
});

test("it knows whether there is a gamepad", () => {
  const settings = new GamepadSettings(storageOf());
  expect(settings.isConnected.value).toBe(false);
  settings.receiveConnected(true);
  expect(settings.isConnected.value).toBe(true);
});
