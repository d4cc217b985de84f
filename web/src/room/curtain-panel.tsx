// The curtain: what the server says about it, and one huge button. Closing is one tap. Opening asks first, in another
// place of the screen and not at once, so that neither a cat nor a second tap by mistake opens it.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Timers } from "../time/timers";
import type { CurtainView } from "../wire/messages";
import { whenText } from "../words/times";
import { t } from "../words/words";
import type { RoomControl } from "./room-control";
import type { Wish } from "./safe-switch";

/** The answer to "Open it?" counts only after this long. */
const CONFIRM_AFTER_MS = 700;
/** A question that nobody answers is a no. */
const QUESTION_MS = 10_000;

type Question = "none" | "asked" | "ready";

export function CurtainPanel({ control, timers }: { control: RoomControl; timers: Timers }) {
  const question = useSignal<Question>("none");
  const curtain = control.room.value?.curtain ?? null;
  const wish = control.curtain.wish.value;
  const mayOpen = curtain?.closed === true && control.isConnected.value && wish !== "opening";
  const isAsking = question.value !== "none" && mayOpen;
  const isAsked = question.value !== "none";
  useEffect(() => {
    if (!isAsked) {
      return;
    }
    const cancels = [
      timers.after(CONFIRM_AFTER_MS, () => {
        question.value = "ready";
      }),
      timers.after(QUESTION_MS, () => {
        question.value = "none";
      }),
    ];
    return () => {
      for (const cancel of cancels) {
        cancel();
      }
    };
  }, [isAsked, timers, question]);
  const answer = (isOpening: boolean) => {
    question.value = "none";
    if (isOpening) {
      control.curtain.open();
    }
  };
  return (
    <section
      class="curtain"
      data-curtain={curtain === null ? "unknown" : curtain.closed ? "closed" : "open"}
      data-wish={wish}
    >
      <p class="curtain-state" role="status">
        {stateText(curtain, wish)}
      </p>
      <p class="room-doing">{detailText(curtain, wish, timers)}</p>
      {isAsking ? (
        <OpenQuestion isReady={question.value === "ready"} answer={answer} />
      ) : mayOpen ? (
        <button
          type="button"
          class="curtain-button"
          data-closes
          onClick={() => {
            question.value = "asked";
          }}
        >
          {t("room.curtain.open")}
        </button>
      ) : (
        <button
          type="button"
          class="curtain-button curtain-closing"
          data-closes
          onClick={() => control.curtain.close()}
        >
          {t(wish === "closing" || wish === "close_unknown" ? "room.curtain.closing" : "room.curtain.close")}
        </button>
      )}
    </section>
  );
}

/** Closes the curtain where the huge button is not in sight. */
export function CurtainShortcut({ control }: { control: RoomControl }) {
  const curtain = control.room.value?.curtain ?? null;
  if (curtain?.closed === true) {
    return <span class="room-doing">{t("room.curtain.closed")}</span>;
  }
  return (
    <button type="button" class="curtain-closing" data-closes onClick={() => control.curtain.close()}>
      {t(control.curtain.wish.value === "none" ? "room.curtain.close" : "room.curtain.closing")}
    </button>
  );
}

function OpenQuestion({ isReady, answer }: { isReady: boolean; answer: (isOpening: boolean) => void }) {
  return (
    <div class="curtain-question">
      <button type="button" class="curtain-button" data-closes onClick={() => answer(false)}>
        {t("room.curtain.keep_closed")}
      </button>
      <button type="button" class="room-plain" disabled={!isReady} onClick={() => answer(true)}>
        {t("room.curtain.confirm_open")}
      </button>
    </div>
  );
}

function stateText(curtain: CurtainView | null, wish: Wish): string {
  if (wish === "close_unknown") {
    return t("room.curtain.close_unknown");
  }
  if (wish === "opening") {
    return t("room.curtain.opening");
  }
  if (wish === "closing") {
    return t("room.curtain.closing");
  }
  if (curtain === null) {
    return t("room.curtain.unknown");
  }
  return t(curtain.closed ? "room.curtain.closed" : "room.curtain.is_open");
}

function detailText(curtain: CurtainView | null, wish: Wish, timers: Timers): string {
  if (curtain === null) {
    return "";
  }
  if (wish === "open_failed") {
    return t("room.curtain.open_failed");
  }
  const { by, since, closed } = curtain;
  if (since === null || by === "") {
    return closed ? t("room.curtain.closed.detail") : "";
  }
  const when = whenText(since, timers.wallNow());
  return t(closed ? "room.curtain.closed_by" : "room.curtain.opened_by", { name: by, when });
}
