// Who has no session sees how to come in, and who has one sees the page behind it.
import type { ComponentChildren } from "preact";
import { Arch } from "../page/arch";
import { LanguageSwitch } from "../words/language-switch";
import { type Key, t } from "../words/words";
import type { Access, AccessProblem, AccessState, SignedOutReason } from "./access";
import type { PasskeyLack } from "./webauthn";
import "./login.css";

export interface LoginGateProps {
  readonly access: Access;
  /** Why passkeys cannot work here. */
  readonly lack: PasskeyLack;
  readonly children: ComponentChildren;
}

export function LoginGate({ access, lack, children }: LoginGateProps) {
  const state = access.state.value;
  switch (state.kind) {
    case "checking":
      return <LoginScreen topic="checking" title="Belvedere" />;
    case "unreachable":
      return (
        <LoginScreen topic="unreachable" title="Belvedere" texts={[t("status.stop_lost")]}>
          <button type="button" class="primary" onClick={() => void access.retry()}>
            {t("action.try_again")}
          </button>
        </LoginScreen>
      );
    case "misrouted":
      return (
        <LoginScreen topic="misrouted" title={t("status.misrouted")} texts={[t("status.misrouted.detail")]}>
          <button type="button" class="primary" onClick={() => void access.retry()}>
            {t("action.try_again")}
          </button>
        </LoginScreen>
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
    <LoginScreen topic="invited" title={t("join.hello", { name: invitation.name })} texts={texts}>
      <Problem access={access} />
      <button type="button" class="primary" disabled={isBusy} onClick={() => void access.redeem()}>
        {t("join.come_in")}
      </button>
      {current === null ? (
        <p class="login-note">{t("join.once")}</p>
      ) : (
        <button type="button" class="secondary" disabled={isBusy} onClick={() => access.keepSession()}>
          {t("join.stay", { name: current.name })}
        </button>
      )}
    </LoginScreen>
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
    <LoginScreen topic={state.reason} title={words.text} texts={needsLink ? [words.detail] : []}>
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
          <p class="login-note">{t(access.isBusy.value ? "login.waiting" : "login.how")}</p>
        </>
      ) : (
        lack === "browser" && <p class="login-note">{t("login.unsupported")}</p>
      )}
    </LoginScreen>
  );
}

const PROBLEMS = {
  offline: "status.stop_lost",
  cancelled: "login.cancelled",
  unknown_passkey: "login.unknown_passkey",
  too_fast: "problem.too_fast",
  too_many: "passkeys.too_many",
  store_failed: "problem.store_failed",
  misrouted: "status.misrouted",
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

interface LoginScreenProps {
  readonly topic: string;
  readonly title: string;
  readonly texts?: readonly string[];
  readonly children?: ComponentChildren;
}

function LoginScreen({ topic, title, texts = [], children }: LoginScreenProps) {
  return (
    <main class="login-screen" data-login={topic}>
      <LanguageSwitch />
      <div class="login-content">
        <Arch />
        <h1>{title}</h1>
        {texts.map((text) => (
          <p key={text} class="login-text">
            {text}
          </p>
        ))}
        <div class="login-actions">{children}</div>
      </div>
    </main>
  );
}
