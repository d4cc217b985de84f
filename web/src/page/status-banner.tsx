// The one thing to say over the picture, and the one thing to do about it.
import type { Visit } from "../visit/visit";

export function Message({ visit }: { visit: Visit }) {
  const { topic, words, more, action } = visit.saying.value;
  return (
    <div class="message" data-topic={topic}>
      <div class="message-words" role="status">
        {words !== "" && <p>{words}</p>}
        {more !== "" && <p class="more">{more}</p>}
      </div>
      {action === "take_over" && (
        <button type="button" class="primary small" onClick={() => visit.driver.takeLease()}>
          Take over
        </button>
      )}
      {action === "try_again" && (
        <button type="button" class="primary small" onClick={() => visit.retryNow()}>
          Try again
        </button>
      )}
    </div>
  );
}
