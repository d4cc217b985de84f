// The door: who has no session sees how to come in, and who has one sees the page behind it.
import type { ComponentChildren } from "preact";
import { Arch } from "../page/arch";
import { LanguageSwitch } from "../words/language-switch";
import { type Key, t } from "../words/words";
import type { Access, AccessProblem, AccessState, SignedOutReason } from "./access";
import type { PasskeyLack } from "./webauthn";
import "./login.css";

export interface DoorProps {
  readonly access: Access;
  /** Why passkeys cannot work here. */
  readonly lack: PasskeyLack;
  readonly children: ComponentChildren;
}

export function Door({ access, lack, children }: DoorProps) {
  const state = access.state.value;
  switch (state.kind) {
    case "checking":
      return <DoorScreen topic="checking" title="Belvedere" />;
    case "unreachable":
      return (
        <DoorScreen topic="unreachable" title="Belvedere" texts={[t("status.stop_lost")]}>
          <button type="button" class="primary" onClick={() => void access.retry()}>
            {t("action.try_again")}
          </button>
        </DoorScreen>
      );
    case "signed_out":
      return <SignInScreen access={access} state={state} lack={lack} />;
    case "invited":
      return <JoinScreen access={access} state={state} />;
    case "in":
      return children;
  }
}

interface JoinScreenProps {
  readonly access: Access;
  readonly state: Extract<AccessState, { kind: "invited" }>;
}

/** What this is, what the room knows of a visit, and one button. */
function JoinScreen({ access, state }: JoinScreenProps) {
  const { invitation, current } = state;
  const isBusy = access.isBusy.value;
  const guest = invitation.role === "guest" ? [t("drive.watch_only")] : [];
  const texts = [t("join.invited"), ...guest, t("join.visit_book")];
  return (
    <DoorScreen topic="invited" title={t("join.hello", { name: invitation.name })} texts={texts}>
      <Problem access={access} />
      <button type="button" class="primary" disabled={isBusy} onClick={() => void access.redeem()}>
        {t("join.come_in")}
      </button>
      {current === null ? (
        <p class="door-note">{t("join.once")}</p>
      ) : (
        <button type="button" class="secondary" disabled={isBusy} onClick={() => access.keepSession()}>
          {t("join.stay", { name: current.name })}
        </button>
      )}
    </DoorScreen>
  );
}

const REASONS = {
  none: ["login.need_link", "login.need_link.detail"],
  not_invited: ["join.unknown", "join.ask_again"],
  incomplete: ["join.incomplete", "join.incomplete.detail"],
  left: ["start.goodbye", "status.ended.detail"],
  ended: ["status.ended", "status.ended.detail"],
} as const satisfies Record<SignedOutReason, readonly [title: Key, detail: Key]>;

interface SignInScreenProps {
  readonly access: Access;
  readonly state: Extract<AccessState, { kind: "signed_out" }>;
  readonly lack: PasskeyLack;
}

function SignInScreen({ access, state, lack }: SignInScreenProps) {
  const [title, detail] = REASONS[state.reason];
  const words = state.words ?? { text: t(title), detail: t(detail) };
  const needsLink = lack !== "none" || words.detail !== t("status.ended.detail"); // else a passkey will do
  return (
    <DoorScreen topic={state.reason} title={words.text} texts={needsLink ? [words.detail] : []}>
      <Problem access={access} />
      {lack === "none" ? (
        <>
          <button
            type="button"
            class="primary"
            disabled={access.isBusy.value}
            onClick={() => void access.signIn()}
          >
            {t("login.sign_in")}
          </button>
          <p class="door-note">{t(access.isBusy.value ? "login.waiting" : "login.how")}</p>
        </>
      ) : (
        lack === "browser" && <p class="door-note">{t("login.unsupported")}</p>
      )}
    </DoorScreen>
  );
}

const PROBLEMS = {
  offline: "status.stop_lost",
  cancelled: "login.cancelled",
  unknown_passkey: "login.unknown_passkey",
  too_fast: "problem.too_fast",
  too_many: "passkeys.too_many",
  failed: "login.failed",
} as const satisfies Record<NonNullable<AccessProblem>, Key>;

/** What went wrong with the last attempt; nothing while nothing did. */
export function Problem({ access }: { readonly access: Access }) {
  const problem = access.problem.value;
  return (
    <p class="problem" role="alert">
      {problem === null ? "" : t(PROBLEMS[problem])}
    </p>
  );
}

interface DoorScreenProps {
  readonly topic: string;
  readonly title: string;
  readonly texts?: readonly string[];
  readonly children?: ComponentChildren;
}

function DoorScreen({ topic, title, texts = [], children }: DoorScreenProps) {
  return (
    <main class="door" data-door={topic}>
      <LanguageSwitch />
      <div class="door-content">
        <Arch />
        <h1>{title}</h1>
        {texts.map((text) => (
          <p key={text} class="door-text">
            {text}
          </p>
        ))}
        <div class="door-actions">{children}</div>
      </div>
    </main>
  );
}
