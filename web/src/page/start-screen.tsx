// The start screen: the button to join, and messages while there is no picture.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { StatusMessage } from "../visit/status-message";
import type { Visit } from "../visit/visit";
import type { EndVisitState } from "../visit/visit-ports";
import { LanguageSwitch } from "../words/language-switch";
import { t } from "../words/words";
import { Arch } from "./arch";

export interface StartScreenProps {
  readonly visit: Visit;
  /** Whether there is no live view behind it: then it is the page's main landmark. */
  readonly isAlone: boolean;
  /** More ways to go, while the visit has not begun. */
  readonly menu?: ComponentChildren;
}

export function StartScreen({ visit, isAlone, menu }: StartScreenProps) {
  const isJoined = visit.isJoined.value;
  const { text, detail } = isJoined ? visit.statusMessage.value : notJoined(visit.endVisitState.value);
  const Landmark = isAlone ? "main" : "div";
  return (
    <Landmark class="start-screen" data-topic={isJoined ? visit.statusMessage.value.topic : "not_joined"}>
      <Arch />
      <h1>Belvedere</h1>
      <div class="start-message" role="status">
        <p>{text}</p>
        {detail !== "" && <p class="detail">{detail}</p>}
      </div>
      <LanguageSwitch />
      {isJoined ? <JoiningActions visit={visit} /> : <StartActions visit={visit} />}
      {!isJoined && menu}
    </Landmark>
  );
}

/** Shown before joining, and after leaving. */
function notJoined(state: EndVisitState): Pick<StatusMessage, "text" | "detail"> {
  switch (state) {
    case "unavailable":
    case "available":
      return { text: t("start.welcome"), detail: "" };
    case "pending":
      return { text: t("start.ending"), detail: "" };
    case "failed":
      return { text: t("status.stop_lost"), detail: t("start.not_ended") };
    case "done":
      return { text: t("start.goodbye"), detail: t("status.ended.detail") };
  }
}

function StartActions({ visit }: { visit: Visit }) {
  const first = useRef<HTMLButtonElement>(null);
  const endVisitState = visit.endVisitState.value;
  const hasLeft = endVisitState === "available";
  useEffect(() => {
    if (hasLeft) {
      first.current?.focus({ preventScroll: true }); // the button that had the focus is gone
    }
  }, [hasLeft]);
  if (endVisitState === "done" || endVisitState === "pending") {
    return null;
  }
  return (
    <div class="actions">
      <button ref={first} type="button" class="primary" onClick={() => visit.join()}>
        {t("start.look_around")}
      </button>
      {endVisitState !== "unavailable" && (
        <button type="button" class="secondary" onClick={() => void visit.endVisit()}>
          {t("start.end_visit")}
        </button>
      )}
    </div>
  );
}

/** After joining, until the first picture arrives. */
function JoiningActions({ visit }: { visit: Visit }) {
  const { topic, action } = visit.statusMessage.value;
  if (topic === "ended") {
    return null;
  }
  return (
    <div class="actions">
      {action === "try_again" && (
        <button type="button" class="primary" onClick={() => visit.retryNow()}>
          {t("action.try_again")}
        </button>
      )}
      {action === "play" && (
        <button type="button" class="primary" onClick={() => visit.player.playByTap()}>
          {t("action.play")}
        </button>
      )}
      {action === "knock" && (
        <button type="button" class="primary" onClick={() => visit.knock()}>
          {t("access.knock.button")}
        </button>
      )}
      {action === "look" && (
        <button type="button" class="primary" onClick={() => visit.lookAgain()}>
          {t("start.look_around")}
        </button>
      )}
      <button type="button" class="secondary" onClick={() => visit.leave()}>
        {t("action.cancel")}
      </button>
    </div>
  );
}
