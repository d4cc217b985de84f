// A button with a drawing of the connection's state, which opens a panel.
import { useSignal } from "@preact/signals";
import type { GamepadSettings } from "../drive/gamepad-settings";
import { axisHealth, worstHealth } from "../visit/connection-health";
import type { Visit } from "../visit/visit";
import { t } from "../words/words";
import { ConnectionDetails } from "./connection-details";
import { HealthDot } from "./health-dot";

export interface ConnectionPanelProps {
  readonly visit: Visit;
  readonly gamepads: GamepadSettings;
}

export function ConnectionPanel({ visit, gamepads }: ConnectionPanelProps) {
  const isOpen = useSignal(false);
  const { pan, tilt } = visit.serverState.value;
  const health = worstHealth(axisHealth(pan), axisHealth(tilt));
  return (
    <>
      {isOpen.value && <ConnectionDetails visit={visit} gamepads={gamepads} />}
      <div class="connection-anchor">
        {visit.isIndirect.value && !isOpen.value && <p class="connection-note">{t("panel.indirect")}</p>}
        <button
          type="button"
          class="tool connection-button"
          aria-expanded={isOpen.value}
          aria-label={t(`panel.name_of.${health}`)}
          onClick={() => {
            isOpen.value = !isOpen.value;
          }}
        >
          <HealthDot health={health} />
        </button>
      </div>
    </>
  );
}
