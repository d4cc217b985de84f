// Passkeys, as the browser has them: turns the server's options into the browser's, and the browser's answer into JSON.

/** What is used of `navigator.credentials`. */
export type Credentials = Pick<CredentialsContainer, "create" | "get">;

/** Why passkeys cannot work here; "none" where they can. */
export type PasskeyLack = "none" | "address" | "browser";

/** What is used of the window to find that out. */
export interface PasskeyWindow {
  readonly isSecureContext: boolean;
  readonly location: Pick<Location, "hostname">;
  readonly PublicKeyCredential?: unknown;
}

/** Browsers allow passkeys on host names only, and over https, or on localhost. */
export function passkeyLack(window: PasskeyWindow): PasskeyLack {
  const { hostname } = window.location;
  const isAddress = /^[\d.]+$/.test(hostname) || hostname.startsWith("[");
  if (isAddress || !window.isSecureContext) {
    return "address";
  }
  return window.PublicKeyCredential === undefined ? "browser" : "none";
}

/** The server's options for a login, as JSON. */
export interface LoginOptions {
  readonly challenge: string;
  readonly rpId: string;
  readonly timeout: number;
  readonly userVerification: UserVerificationRequirement;
}

/** The server's options for a registration, as JSON. */
export interface RegistrationOptions {
  readonly challenge: string;
  readonly rp: PublicKeyCredentialRpEntity;
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string };
  readonly pubKeyCredParams: PublicKeyCredentialParameters[];
  readonly timeout: number;
  readonly excludeCredentials: readonly { readonly type: "public-key"; readonly id: string }[];
  readonly authenticatorSelection: AuthenticatorSelectionCriteria;
  readonly attestation: AttestationConveyancePreference;
}

/** The device signs; null where it gave no answer of the right kind. Rejects where the visitor or the device refuses. */
export async function useKey(credentials: Credentials, options: LoginOptions): Promise<object | null> {
  const publicKey = { ...options, challenge: fromBase64Url(options.challenge), allowCredentials: [] };
  const credential = await credentials.get({ publicKey });
  const answer = (credential as PublicKeyCredential | null)?.response as
    | AuthenticatorAssertionResponse
    | undefined;
  if (credential === null || answer?.userHandle == null) {
    return null;
  }
  return {
    credential: toBase64Url((credential as PublicKeyCredential).rawId),
    user: toBase64Url(answer.userHandle),
    client_data: toBase64Url(answer.clientDataJSON),
    authenticator_data: toBase64Url(answer.authenticatorData),
    signature: toBase64Url(answer.signature),
  };
}

/** The device makes a key; null and rejections as above. */
export async function makeKey(
  credentials: Credentials,
  options: RegistrationOptions,
): Promise<object | null> {
  const publicKey = {
    ...options,
    challenge: fromBase64Url(options.challenge),
    user: { ...options.user, id: fromBase64Url(options.user.id) },
    excludeCredentials: options.excludeCredentials.map(({ type, id }) => ({ type, id: fromBase64Url(id) })),
  };
  const credential = (await credentials.create({ publicKey })) as PublicKeyCredential | null;
  if (credential === null) {
    return null;
  }
  const answer = credential.response as AuthenticatorAttestationResponse;
  return {
    credential: toBase64Url(credential.rawId),
    client_data: toBase64Url(answer.clientDataJSON),
    attestation: toBase64Url(answer.attestationObject),
  };
}

export function toBase64Url(bytes: ArrayBuffer): string {
  const binary = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
