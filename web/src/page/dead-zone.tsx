// A slider for worn gamepads.
import { type GamepadSettings, MAX_DEAD_ZONE, MIN_DEAD_ZONE } from "../drive/gamepad-settings";
import { t } from "../words/words";

/** How far from its middle a stick may rest. */
export function DeadZone({ gamepads }: { gamepads: GamepadSettings }) {
  return (
    <label class="dead-zone">
      {t("panel.dead_zone")}
      <input
        type="range"
        min={MIN_DEAD_ZONE}
        max={MAX_DEAD_ZONE}
        step="0.01"
        value={gamepads.deadZone.value}
        onInput={(event) => gamepads.setDeadZone(Number(event.currentTarget.value))}
      />
      <span class="explanation">{t("panel.dead_zone.meaning")}</span>
    </label>
  );
}
