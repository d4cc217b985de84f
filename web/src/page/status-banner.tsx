// The status message over the picture, with a button where the visitor can do something about it.
import type { Visit } from "../visit/visit";
import { t } from "../words/words";

export function StatusBanner({ visit }: { visit: Visit }) {
  const { topic, text, detail, action } = visit.statusMessage.value;
  return (
    <div class="status-banner" data-topic={topic}>
      <div role="status">
        {text !== "" && <p>{text}</p>}
        {detail !== "" && <p class="detail">{detail}</p>}
      </div>
      {action === "take_over" && (
        <button type="button" class="primary small" onClick={() => visit.driver.takeLease()}>
          {t("action.take_over")}
        </button>
      )}
      {action === "ask" && (
        <button type="button" class="primary small" onClick={() => visit.handover.ask()}>
          {t("action.ask")}
        </button>
      )}
      {action === "drive_again" && (
        <button type="button" class="primary small" onClick={() => visit.handover.watchOnly(false)}>
          {t("action.drive_again")}
        </button>
      )}
      {action === "play" && (
        <button type="button" class="primary small" onClick={() => visit.player.playByTap()}>
          {t("action.play")}
        </button>
      )}
      {action === "try_again" && (
        <button type="button" class="primary small" onClick={() => visit.retryNow()}>
          {t("action.try_again")}
        </button>
      )}
    </div>
  );
}
