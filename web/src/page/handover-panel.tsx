// What the driver sees of the others: who asks for the camera, and to whom it can be given.
import { useSignal } from "@preact/signals";
import type { Visit } from "../visit/visit";
import type { Asker, Watcher } from "../wire/messages";
import { t } from "../words/words";

export function HandoverPanel({ visit }: { visit: Visit }) {
  const { asking, watching } = visit.handover.offers.value;
  const others = watching.filter(({ to }) => !asking.some(({ asker }) => asker === to));
  if (asking.length === 0 && others.length === 0) {
    return null;
  }
  return (
    <section class="handover" aria-label={t("handover.name")}>
      <div role="alert">
        {asking.map((each) => (
          <Question key={each.asker} visit={visit} {...each} />
        ))}
      </div>
      {asking.length === 0 && <HandOver visit={visit} watching={others} />}
    </section>
  );
}

function Question({ visit, asker, name }: Asker & { visit: Visit }) {
  return (
    <div class="question">
      <p>{t("handover.asks", { name })}</p>
      <button type="button" class="primary small" onClick={() => visit.handover.reply(asker, true)}>
        {t("handover.yes")}
      </button>
      <button type="button" class="secondary" onClick={() => visit.handover.reply(asker, false)}>
        {t("handover.no")}
      </button>
    </div>
  );
}

function HandOver({ visit, watching }: { visit: Visit; watching: Watcher[] }) {
  const isOpen = useSignal(false);
  const give = (to: string) => {
    isOpen.value = false;
    visit.handover.give(to);
  };
  return (
    <div class="hand-over">
      <button
        type="button"
        class="secondary"
        aria-expanded={isOpen.value}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        {t("handover.give")}
      </button>
      {isOpen.value &&
        watching.map(({ to, name }) => (
          <button key={to} type="button" class="secondary" onClick={() => give(to)}>
            {t("handover.give_to", { name })}
          </button>
        ))}
    </div>
  );
}
