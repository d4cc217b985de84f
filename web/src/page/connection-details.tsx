// What the connection panel shows when it is open: the state of each axis, and the latencies.
import { axisHealth, axisText, latencyText, pictureDelayText } from "../visit/connection-health";
import type { Visit } from "../visit/visit";
import { LanguageSwitch } from "../words/language-switch";
import { t } from "../words/words";
import type { ConnectionPanelProps } from "./connection-panel";
import { DeadZone } from "./dead-zone";
import { HealthDot } from "./health-dot";

export function ConnectionDetails({ visit, gamepads }: ConnectionPanelProps) {
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

function wayText(visit: Visit) {
  if (visit.way.value === "ivs") {
    return "panel.by_ivs";
  }
  return visit.isIndirect.value ? "panel.indirectly" : "panel.directly";
}
