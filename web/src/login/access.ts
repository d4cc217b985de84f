// Who is using this page: knows the session, redeems an invitation, signs in with a passkey. What is shown follows its state.
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Answer, Api } from "../server/api";
import type { InvitationInfo, PasskeyInfo, SessionInfo } from "./answers";
import { type Credentials, type LoginOptions, makeKey, type RegistrationOptions, useKey } from "./webauthn";

/** Why there is no session: nobody came in yet, a link that does not work or is not whole, or a session that is over. */
export type SignedOutReason = "none" | "not_invited" | "incomplete" | "left" | "ended";

/** How the visit said that it has ended; null where it had no words of its own. */
export interface EndWords {
  readonly text: string;
  readonly detail: string;
}

/** What went wrong with the last attempt; null while nothing did. */
export type AccessProblem =
  | "offline"
  | "cancelled"
  | "unknown_passkey"
  | "too_fast"
  | "too_many"
  | "store_failed"
  | "misrouted"
  | "failed"
  | null;

export type AccessState =
  | { readonly kind: "checking" }
  | { readonly kind: "unreachable" }
  /** A proxy on the way changes what tells this page from others. */
  | { readonly kind: "misrouted" }
  | { readonly kind: "signed_out"; readonly reason: SignedOutReason; readonly words: EndWords | null }
  | { readonly kind: "invited"; readonly invitation: InvitationInfo; readonly current: SessionInfo | null }
  | {
      readonly kind: "in";
      readonly session: SessionInfo;
      readonly by: "session" | "link" | "passkey";
      /** By this device's clock; null without an end. */
      readonly endsAtMs: number | null;
    };

export interface AccessPorts {
  readonly api: Api;
  /** Where the browser keeps passkeys; null where they cannot work. */
  readonly credentials: Credentials | null;
  /** What a new passkey is called, such as the kind of this device. */
  deviceName(): string;
  /** The visitor came in by a tap, so the picture may begin at once. */
  enter(): void;
  /** Milliseconds since 1970. */
  nowMs(): number;
}

/** What the secret of every link looks like; messengers and tired eyes lose the end of it. */
const WHOLE_SECRET = /^[\w-]{43}$/;

export class Access {
  readonly #ports: AccessPorts;
  readonly #state = signal<AccessState>({ kind: "checking" });
  readonly #problem = signal<AccessProblem>(null);
  readonly #isBusy = signal(false);
  readonly #passkeys = signal<readonly PasskeyInfo[] | null>(null);
  /** Never in the address bar, the history or the storage of the browser. */
  #secret = "";

  constructor(ports: AccessPorts) {
    this.#ports = ports;
  }

  get state(): ReadonlySignal<AccessState> {
    return this.#state;
  }

  get problem(): ReadonlySignal<AccessProblem> {
    return this.#problem;
  }

  /** Whether an attempt is under way; buttons rest meanwhile. */
  get isBusy(): ReadonlySignal<boolean> {
    return this.#isBusy;
  }

  /** This person's passkeys; null while they are not known. */
  get passkeys(): ReadonlySignal<readonly PasskeyInfo[] | null> {
    return this.#passkeys;
  }

  get canUsePasskeys(): boolean {
    return this.#ports.credentials !== null;
  }

  /** Finds out who this is; with the secret of an invitation, also whom that lets in. It is not used up by that. */
  async start(secret = ""): Promise<void> {
    this.#secret = secret;
    this.#state.value = { kind: "checking" };
    const { api } = this.#ports;
    const [session, invitation] = await Promise.all([
      api.get<SessionInfo>("/session"),
      secret === "" ? null : api.post<InvitationInfo>("/login/invitation/peek", { secret }),
    ]);
    if (isMisrouted(session) || isMisrouted(invitation)) {
      this.#state.value = { kind: "misrouted" };
      return;
    }
    const current = session.kind === "ok" ? session.value : null;
    if (invitation?.kind === "ok" && !isOf(current, invitation.value)) {
      this.#state.value = { kind: "invited", invitation: invitation.value, current };
    } else if (current !== null) {
      this.#receiveSession(current, "session"); // a link that was used up here before is no problem
    } else if (session.kind === "offline" || invitation?.kind === "offline") {
      this.#state.value = { kind: "unreachable" };
    } else {
      this.#receiveSignedOut(invitation === null ? "none" : this.#reason());
    }
  }

  retry(): Promise<void> {
    return this.start(this.#secret);
  }

  /** Uses the invitation up. */
  async redeem(): Promise<void> {
    await this.#attempt(async () => {
      const answer = await this.#ports.api.post<SessionInfo>("/login/invitation", { secret: this.#secret });
      if (answer.kind === "ok") {
        this.#secret = "";
        return this.#comeIn(answer.value, "link");
      }
      const problem = problemOf(answer);
      if (problem === "failed") {
        this.#receiveSignedOut(this.#reason());
        return null;
      }
      return problem;
    });
  }

  /** Leaves the invitation unused, and goes on with the session that there is. */
  keepSession(): void {
    const state = this.#state.value;
    if (state.kind === "invited" && state.current !== null) {
      this.#secret = "";
      this.#receiveSession(state.current, "session");
    }
  }

  async signIn(): Promise<void> {
    await this.#attempt(async () => {
      const { api, credentials } = this.#ports;
      const options = await api.post<LoginOptions>("/login/passkey/options");
      if (options.kind !== "ok" || credentials === null) {
        return problemOf(options);
      }
      const signed = await useKey(credentials, options.value);
      if (signed === null) {
        return "failed";
      }
      const answer = await api.post<SessionInfo>("/login/passkey", signed);
      if (answer.kind !== "ok") {
        return answer.kind === "refused" && answer.status === 403 ? "unknown_passkey" : problemOf(answer);
      }
      return this.#comeIn(answer.value, "passkey");
    });
  }

  /** Registers a passkey of this device; true once it is saved. */
  async addPasskey(): Promise<boolean> {
    let isAdded = false;
    await this.#attempt(async () => {
      const { api, credentials } = this.#ports;
      const options = await api.post<RegistrationOptions>("/passkeys/options");
      if (options.kind !== "ok" || credentials === null) {
        return problemOf(options);
      }
      const made = await makeKey(credentials, options.value);
      if (made === null) {
        return "failed";
      }
      const answer = await api.post<PasskeyInfo>("/passkeys", { label: this.#ports.deviceName(), ...made });
      isAdded = answer.kind === "ok";
      return isAdded ? null : problemOf(answer);
    });
    await this.loadPasskeys();
    return isAdded;
  }

  async removePasskey(id: string): Promise<void> {
    await this.#attempt(async () => {
      const answer = await this.#ports.api.delete(`/passkeys/${id}`);
      return answer.kind === "refused" && answer.status === 404 ? null : problemOf(answer);
    });
    await this.loadPasskeys();
  }

  async loadPasskeys(): Promise<void> {
    const answer = await this.#ports.api.get<readonly PasskeyInfo[]>("/passkeys");
    if (answer.kind === "ok") {
      this.#passkeys.value = answer.value;
    }
  }

  /** The visit has ended; finds out whether the session has, too. The reason may be known only after that. */
  async checkEnded(words: () => EndWords): Promise<void> {
    const session = await this.#ports.api.get<SessionInfo>("/session");
    if (session.kind === "refused" && this.#state.value.kind === "in") {
      const { text, detail } = words();
      this.#receiveSignedOut("ended", { text, detail });
    }
  }

  /** The visitor has left for good. */
  receiveLeft(): void {
    this.#receiveSignedOut("left");
  }

  #comeIn(session: SessionInfo, by: "link" | "passkey"): null {
    this.#receiveSession(session, by);
    this.#ports.enter();
    return null;
  }

  #receiveSession(session: SessionInfo, by: "session" | "link" | "passkey"): void {
    const endsAtMs = session.ends_in_s === null ? null : this.#ports.nowMs() + session.ends_in_s * 1000;
    this.#state.value = { kind: "in", session, by, endsAtMs };
    if (by === "link" && this.canUsePasskeys) {
      void this.loadPasskeys();
    }
  }

  #receiveSignedOut(reason: SignedOutReason, words: EndWords | null = null): void {
    this.#problem.value = null;
    this.#passkeys.value = null;
    this.#state.value = { kind: "signed_out", reason, words };
  }

  #reason(): SignedOutReason {
    return WHOLE_SECRET.test(this.#secret) ? "not_invited" : "incomplete";
  }

  /** One attempt at a time; what the browser or the device rejects is a problem, too. */
  async #attempt(run: () => Promise<AccessProblem>): Promise<void> {
    if (this.#isBusy.value) {
      return;
    }
    this.#isBusy.value = true;
    this.#problem.value = null;
    try {
      this.#problem.value = await run();
    } catch (error) {
      this.#problem.value =
        error instanceof DOMException && error.name === "NotAllowedError" ? "cancelled" : "failed";
    } finally {
      this.#isBusy.value = false;
    }
  }
}

/** The codes that the page has words of its own for where it lets somebody in. */
const TOLD = ["too_fast", "too_many", "store_failed"] as const;

function isOneOf<T extends string>(all: readonly T[], code: string): code is T {
  return (all as readonly string[]).includes(code);
}

/** What the server says of requests whose `Host` or `Origin` is not what this page's browser sent. */
const MISROUTED = ["foreign_origin", "unknown_host"] as const;

function isMisrouted(answer: Answer<unknown> | null): boolean {
  return answer?.kind === "refused" && isOneOf(MISROUTED, answer.code);
}

function problemOf(answer: Answer<unknown>): AccessProblem {
  switch (answer.kind) {
    case "ok":
      return null;
    case "offline":
      return "offline";
    case "refused":
      if (isMisrouted(answer)) {
        return "misrouted";
      }
      return isOneOf(TOLD, answer.code) ? answer.code : "failed";
  }
}

/** Whether a session is that of the person whom an invitation is for; there is nothing to redeem then. */
function isOf(session: SessionInfo | null, { name, role }: InvitationInfo): boolean {
  return session !== null && session.name === name && session.role === role;
}

/** The pages that a link of an invitation may open. */
const INVITED_PATHS = ["/join", "/room"];

/** The secret of an invitation's link, such as /join#SECRET. The fragment never leaves the browser by itself. */
export function secretOf(location: Pick<Location, "pathname" | "hash">): string {
  return INVITED_PATHS.includes(location.pathname) ? location.hash.slice(1) : "";
}
