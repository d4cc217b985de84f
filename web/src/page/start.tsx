// The first screen: one button, and what became of the visit where there is no picture.
import type { Saying } from "../visit/saying";
import type { Visit } from "../visit/visit";
import { Arch } from "./arch";

export function Start({ visit }: { visit: Visit }) {
  const isInside = visit.isInside.value;
  const saying = visit.saying.value;
  return (
    <div class="start" data-topic={isInside ? saying.topic : "outside"}>
      <Arch />
      <h1>Belvedere</h1>
      <div class="start-words" role="status">
        {isInside ? <Words saying={saying} /> : <p>The view from home is one tap away.</p>}
      </div>
      <Choice visit={visit} />
    </div>
  );
}

function Words({ saying }: { saying: Saying }) {
  return (
    <>
      <p>{saying.words}</p>
      {saying.more !== "" && <p class="more">{saying.more}</p>}
    </>
  );
}

function Choice({ visit }: { visit: Visit }) {
  if (!visit.isInside.value) {
    return (
      <button type="button" class="primary" onClick={() => visit.join()}>
        Look around
      </button>
    );
  }
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
