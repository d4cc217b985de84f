// The first screen: one button, and what became of the visit where there is no picture.
import type { Saying } from "../visit/status-message";
import type { Goodbye, Visit } from "../visit/visit";
import { Arch } from "./arch";

export function Start({ visit }: { visit: Visit }) {
  const isInside = visit.isInside.value;
  const saying = isInside ? visit.saying.value : OUTSIDE[visit.goodbye.value];
  return (
    <div class="start" data-topic={isInside ? visit.saying.value.topic : "outside"}>
      <Arch />
      <h1>Belvedere</h1>
      <div class="start-words" role="status">
        <p>{saying.words}</p>
        {saying.more !== "" && <p class="more">{saying.more}</p>}
      </div>
      {isInside ? <Waiting visit={visit} /> : <Choice visit={visit} />}
    </div>
  );
}

const ONE_TAP = { words: "The view from home is one tap away.", more: "" };

/** What is said to those who do not look: on their way in, and on their way out. */
const OUTSIDE: Record<Goodbye, Pick<Saying, "words" | "more">> = {
  none: ONE_TAP,
  possible: ONE_TAP,
  asking: { words: "Saying goodbye…", more: "" },
  failed: { words: "Home is out of reach.", more: "Your visit has not ended yet. Please try again." },
  done: { words: "Goodbye, and until next time.", more: "To come in again, ask for a new link." },
};

function Choice({ visit }: { visit: Visit }) {
  const goodbye = visit.goodbye.value;
  if (goodbye === "done" || goodbye === "asking") {
    return null;
  }
  return (
    <div class="choices">
      <button type="button" class="primary" onClick={() => visit.join()}>
        Look around
      </button>
      {goodbye !== "none" && (
        <button type="button" class="plain" onClick={() => void visit.sayGoodbye()}>
          End my visit
        </button>
      )}
    </div>
  );
}

/** What can be done while there is no picture. */
function Waiting({ visit }: { visit: Visit }) {
  const { topic, action } = visit.saying.value;
  if (topic === "ended") {
    return null;
  }
  return (
    <div class="choices">
      {action === "try_again" && (
        <button type="button" class="primary" onClick={() => visit.retryNow()}>
          Try again
        </button>
      )}
      <button type="button" class="plain" onClick={() => visit.leave()}>
        Cancel
      </button>
    </div>
  );
}
