// Gamepads are rare, so what drives with them is loaded once there is one.
import type { DriveInput } from "./drive-input";
import type { GamepadSettings } from "./gamepad-settings";
import type { InputArea } from "./input-area";

/** Reads gamepads from the first one on, until the returned function is called. */
export function listenForGamepads(
  driveInput: DriveInput,
  area: InputArea,
  settings: GamepadSettings,
): () => void {
  let stop: (() => void) | null = null;
  let isOver = false;
  const controller = new AbortController();
  const load = () => {
    import("./gamepad-input").then(
      ({ listenToGamepads }) => {
        if (!isOver && stop === null) {
          stop = listenToGamepads(driveInput, area, settings);
        }
      },
      () => {}, // the server cannot be reached: the next gamepad, or the next view, tries again
    );
  };
  window.addEventListener("gamepadconnected", load, { signal: controller.signal });
  if (navigator.getGamepads?.().some((pad) => pad !== null)) {
    load();
  }
  return () => {
    isOver = true;
    controller.abort();
    stop?.();
  };
}
