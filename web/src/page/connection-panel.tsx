// A button with a coloured dot that opens a panel: the state of each axis, and the latencies.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { type GamepadSettings, MAX_DEAD_ZONE, MIN_DEAD_ZONE } from "../drive/gamepad-settings";
import {
  axisHealth,
  axisText,
  type Health,
  latencyText,
  pictureDelayText,
  worstHealth,
} from "../visit/connection-health";
import type { Visit } from "../visit/visit";
import { LanguageSwitch } from "../words/language-switch";
import { t } from "../words/words";

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
      {isOpen.value && <Panel visit={visit} gamepads={gamepads} />}
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

function Panel({ visit, gamepads }: ConnectionPanelProps) {
  const { headName, pan, tilt, stage } = visit.serverState.value;
  const { commandMs, pictureMs } = visit.latencies.value;
  const others = Math.max(0, (stage?.viewers ?? 1) - 1); // the stage counts this page too
  return (
    <section class="connection-panel" aria-label={t("panel.name")}>
      {headName !== "" && <h2>{headName}</h2>}
      <dl>
        <dt>{t("panel.pan")}</dt>
        <dd>
          <HealthDot health={axisHealth(pan)} /> {axisText(pan)}
        </dd>
        <dt>{t("panel.tilt")}</dt>
        <dd>
          <HealthDot health={axisHealth(tilt)} /> {axisText(tilt)}
        </dd>
        <dt title={t("panel.control_delay.meaning")}>{t("panel.control_delay")}</dt>
        <dd data-latency="command">{latencyText(commandMs)}</dd>
        <dt title={t("panel.picture_delay.meaning")}>{t("panel.picture_delay")}</dt>
        <dd data-latency="picture">{pictureDelayText(pictureMs, visit.viewer.value.kind === "live")}</dd>
        <dt>{t("panel.picture_comes")}</dt>
        <dd data-comes-by={visit.way.value ?? "none"}>{t(wayText(visit))}</dd>
        <dt>{t("panel.also_watching")}</dt>
        <dd>{others === 0 ? t("panel.nobody") : others}</dd>
      </dl>
      {visit.isIndirect.value && <p class="explanation">{t("panel.indirect.meaning")}</p>}
      {!visit.handover.isWatchOnly.value && (
        <button type="button" class="secondary" onClick={() => visit.handover.watchOnly(true)}>
          {t("action.watch_only")}
        </button>
      )}
      {gamepads.isConnected.value && <DeadZone gamepads={gamepads} />}
      <LanguageSwitch />
    </section>
  );
}

/** For sticks that are worn: how far from their middle they may rest. */
function DeadZone({ gamepads }: { gamepads: GamepadSettings }) {
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

function wayText(visit: Visit) {
  if (visit.way.value === "ivs") {
    return "panel.by_ivs";
  }
  return visit.isIndirect.value ? "panel.indirectly" : "panel.directly";
}

function HealthDot({ health }: { health: Health }) {
  return (
    <svg class={`dot dot-${health}`} viewBox="0 0 16 16" aria-hidden="true">
      {DOTS[health]}
    </svg>
  );
}

/** Each state has a shape of its own, for who cannot tell the colours apart. */
const DOTS: Readonly<Record<Health, ComponentChildren>> = {
  good: <circle cx="8" cy="8" r="7" />,
  busy: <circle class="dot-line" cx="8" cy="8" r="5.5" stroke-dasharray="5 3.64" />,
  bad: <path d="M8 0.5L15.8 14.5H0.2z" />,
  off: <circle class="dot-line" cx="8" cy="8" r="5.5" />,
};
