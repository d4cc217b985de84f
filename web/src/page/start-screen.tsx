// The start screen: the button to join, and messages while there is no picture.
import type { StatusMessage } from "../visit/status-message";
import type { EndVisitState, Visit } from "../visit/visit";
import { Arch } from "./arch";

export function StartScreen({ visit }: { visit: Visit }) {
  const isJoined = visit.isJoined.value;
  const { text, detail } = isJoined ? visit.statusMessage.value : NOT_JOINED[visit.endVisitState.value];
  return (
    <div class="start-screen" data-topic={isJoined ? visit.statusMessage.value.topic : "not_joined"}>
      <Arch />
      <h1>Belvedere</h1>
      <div class="start-message" role="status">
        <p>{text}</p>
        {detail !== "" && <p class="detail">{detail}</p>}
      </div>
      {isJoined ? <JoiningActions visit={visit} /> : <StartActions visit={visit} />}
    </div>
  );
}

const WELCOME = { text: "The view from home is one tap away.", detail: "" };

/** Shown before joining, and after leaving. */
const NOT_JOINED: Record<EndVisitState, Pick<StatusMessage, "text" | "detail">> = {
  unavailable: WELCOME,
  available: WELCOME,
  pending: { text: "Ending your visit…", detail: "" },
  failed: {
    text: "Home can’t be reached right now.",
    detail: "Your visit has not ended yet. Please try again.",
  },
  done: { text: "Goodbye, and until next time.", detail: "To visit again, ask for a new link." },
};

function StartActions({ visit }: { visit: Visit }) {
  const endVisitState = visit.endVisitState.value;
  if (endVisitState === "done" || endVisitState === "pending") {
    return null;
  }
  return (
    <div class="actions">
      <button type="button" class="primary" onClick={() => visit.join()}>
        Look around
      </button>
      {endVisitState !== "unavailable" && (
        <button type="button" class="secondary" onClick={() => void visit.endVisit()}>
          End my visit
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
          Try again
        </button>
      )}
      <button type="button" class="secondary" onClick={() => visit.leave()}>
        Cancel
      </button>
    </div>
  );
}
