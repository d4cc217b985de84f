// Shown over the picture to somebody who came in by a link: how to come back without one. It never hides the way to stop.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { dateText } from "../words/times";
import { t } from "../words/words";
import type { Access } from "./access";
import { Problem } from "./login-gate";

export interface ReturnCardProps {
  readonly access: Access;
  nowMs(): number;
}

export function ReturnCard({ access, nowMs }: ReturnCardProps) {
  const [isDone, setDone] = useState(false);
  const [isSaved, setSaved] = useState(false);
  const state = access.state.value;
  if (state.kind !== "in" || state.by !== "link" || isDone) {
    return null;
  }
  if (!access.canUsePasskeys) {
    const { endsAtMs } = state;
    return endsAtMs === null ? null : (
      <Card title={t("join.stays_until", { date: dateText(endsAtMs, nowMs()) })} why={t("join.no_passkey")}>
        <button type="button" class="primary small" onClick={() => setDone(true)}>
          {t("action.close")}
        </button>
      </Card>
    );
  }
  if (isSaved) {
    return (
      <Card title={t("join.passkey.done")}>
        <button type="button" class="primary small" onClick={() => setDone(true)}>
          {t("action.close")}
        </button>
      </Card>
    );
  }
  if (access.passkeys.value === null || access.passkeys.value.length > 0) {
    return null; // not known yet, or a passkey lets this person in already
  }
  return (
    <Card title={t("join.passkey")} why={t("join.passkey.detail")}>
      <Problem access={access} />
      <button
        type="button"
        class="primary small"
        disabled={access.isBusy.value}
        onClick={() => void access.addPasskey().then(setSaved)}
      >
        {t("join.passkey.yes")}
      </button>
      <button type="button" class="secondary" onClick={() => setDone(true)}>
        {t("join.passkey.later")}
      </button>
    </Card>
  );
}

interface CardProps {
  readonly title: string;
  readonly why?: string;
  readonly children: ComponentChildren;
}

function Card({ title, why, children }: CardProps) {
  return (
    <aside class="return-card">
      <h2>{title}</h2>
      {why !== undefined && <p class="return-why">{why}</p>}
      <div class="return-actions">{children}</div>
    </aside>
  );
}
