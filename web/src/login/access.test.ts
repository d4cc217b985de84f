import { expect, test } from "vitest";
import { Api } from "../server/api";
import { Access, secretOf } from "./access";
import type { Credentials } from "./webauthn";

const ANA = {
  id: "ba9876543210",
  person: "0123456789ab",
  name: "Ana",
  role: "visitor",
  rights: ["look"],
  ends_in_s: 60,
  access: "open",
  rooms: 1,
} as const;
const WORDS = { text: "You have left in another window.", detail: "" };
const ENDS = { endsAtMs: 61_000 };
const INVITED = { name: "Ana", role: "visitor" };
const SECRET = "s".repeat(43);
const OPTIONS = {
  challenge: "AAAA",
  rpId: "localhost",
  timeout: 1,
  userVerification: "required",
  rp: { name: "Belvedere" },
  user: { id: "AAAA", name: "Ana", displayName: "Ana" },
  pubKeyCredParams: [],
  excludeCredentials: [{ type: "public-key", id: "AAAA" }],
  attestation: "none",
};
const BYTES = new Uint8Array([0, 0, 0]).buffer;

/** A server that answers each request with what it was told: a status, and JSON. */
class FakeServer {
  readonly requests: string[] = [];
  readonly bodies: unknown[] = [];
  answers: Record<string, readonly [number, unknown]> = {};

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const request = `${init.method} ${path.replace("/api/v1", "")}`;
    this.requests.push(request);
    this.bodies.push(init.body === undefined ? null : JSON.parse(init.body as string));
    const answer = this.answers[request];
    if (answer === undefined) {
      throw new TypeError("no network");
    }
    const [status, value] = answer;
    return new Response(value === null ? null : JSON.stringify(value), { status });
  }
}

function setup(answers: FakeServer["answers"], device?: Partial<Credentials>) {
  const server = new FakeServer();
  server.answers = answers;
  const entered: string[] = [];
  const response = {
    clientDataJSON: BYTES,
    attestationObject: BYTES,
    authenticatorData: BYTES,
    signature: BYTES,
  };
  const credential = { rawId: BYTES, response: { ...response, userHandle: BYTES } } as unknown as Credential;
  const credentials = { create: async () => credential, get: async () => credential, ...device };
  const access = new Access({
    api: new Api(server),
    credentials: device === undefined ? null : credentials,
    deviceName: () => "Phone",
    enter: () => entered.push("entered"),
    nowMs: () => 1000,
  });
  return { access, server, entered };
}

const IN: FakeServer["answers"] = { "GET /session": [200, ANA] };
const OUT: FakeServer["answers"] = { "GET /session": [401, { code: "no_session", message: "" }] };
const PEEK = "POST /login/invitation/peek";
const REDEEM = "POST /login/invitation";

test("only a link to join has a secret", () => {
  expect(secretOf({ pathname: "/join", hash: "#abc" })).toBe("abc");
  expect(secretOf({ pathname: "/join", hash: "" })).toBe("");
  expect(secretOf({ pathname: "/room", hash: "#abc" })).toBe("abc");
  expect(secretOf({ pathname: "/", hash: "#look" })).toBe("");
});

test("who has a session is in, and the picture waits for a tap", async () => {
  const { access, entered } = setup(IN);
  await access.start();
  expect(access.state.value).toEqual({ kind: "in", session: ANA, by: "session", ...ENDS });
  expect(entered).toEqual([]);
});

test("who has none may sign in, and a server that is not reached is not taken for one that refuses", async () => {
  const { access, server } = setup(OUT);
  await access.start();
  expect(access.state.value).toEqual({ kind: "signed_out", reason: "none", words: null });
  server.answers = { "GET /session": [503, null] };
  await access.retry();
  expect(access.state.value.kind).toBe("unreachable");
  server.answers = IN;
  await access.retry();
  expect(access.state.value.kind).toBe("in");
});

test("a link greets by name, and is used up only by the tap, which leads in at once", async () => {
  const { access, server, entered } = setup({ ...OUT, [PEEK]: [200, INVITED] });
  await access.start(SECRET);
  expect(access.state.value).toEqual({ kind: "invited", invitation: INVITED, current: null });
  expect(server.requests).not.toContain(REDEEM);
  server.answers = { ...IN, [REDEEM]: [200, ANA] };
  await access.redeem();
  expect(access.state.value).toEqual({ kind: "in", session: ANA, by: "link", ...ENDS });
  expect(entered).toEqual(["entered"]);
  expect(server.bodies).toContainEqual({ secret: SECRET });
  expect(server.requests.join()).not.toContain(SECRET);
});

test.each([
  [SECRET, "not_invited"],
  [SECRET.slice(1), "incomplete"],
])(
  "a link that is refused is told by its secret %s as %s, before and after the tap",
  async (secret, reason) => {
    const refused = [403, { code: "not_invited", message: "" }] as const;
    const { access, server } = setup({ ...OUT, [PEEK]: refused });
    await access.start(secret);
    expect(access.state.value).toEqual({ kind: "signed_out", reason, words: null });
    server.answers = { ...OUT, [PEEK]: [200, INVITED], [REDEEM]: refused };
    await access.start(secret);
    await access.redeem();
    expect(access.state.value).toEqual({ kind: "signed_out", reason, words: null });
  },
);

test.each([
  ["a changed Host", { "GET /session": [421, { code: "unknown_host", message: "" }] }],
  ["a Host that fits no Origin", { ...OUT, [PEEK]: [403, { code: "foreign_origin", message: "" }] }],
] as const)("a proxy with %s is not taken for a link that does not work", async (_, answers) => {
  const { access, server } = setup(answers as unknown as FakeServer["answers"]);
  await access.start(SECRET);
  expect(access.state.value).toEqual({ kind: "misrouted" });
  server.answers = { ...OUT, [PEEK]: [200, INVITED] };
  await access.retry();
  expect(access.state.value.kind).toBe("invited");
  server.answers = { [REDEEM]: [403, { code: "foreign_origin", message: "" }] };
  await access.redeem();
  expect([access.state.value.kind, access.problem.value]).toEqual(["invited", "misrouted"]);
});

test("a tap that does not get through can be tried again", async () => {
  const { access, server, entered } = setup({ ...OUT, [PEEK]: [200, INVITED] });
  await access.start(SECRET);
  await access.redeem();
  expect([access.state.value.kind, access.problem.value, access.isBusy.value]).toEqual([
    "invited",
    "offline",
    false,
  ]);
  server.answers = { [REDEEM]: [429, { code: "too_fast", message: "" }] };
  await access.redeem();
  expect([access.state.value.kind, access.problem.value]).toEqual(["invited", "too_fast"]);
  server.answers = { [REDEEM]: [503, { code: "store_failed", message: "" }] };
  await access.redeem();
  expect([access.state.value.kind, access.problem.value]).toEqual(["invited", "store_failed"]);
  server.answers = { ...IN, [REDEEM]: [200, ANA] };
  await access.redeem();
  expect([access.state.value.kind, access.problem.value]).toEqual(["in", null]);
  expect(entered).toEqual(["entered"]);
});

test("who opens a link of their own again is in, and the link stays unused", async () => {
  const { access, server } = setup({ ...IN, [PEEK]: [200, INVITED] });
  await access.start(SECRET);
  expect(access.state.value).toEqual({ kind: "in", session: ANA, by: "session", ...ENDS });
  expect(server.requests).not.toContain(REDEEM);
});

test("who is in already may keep the session and leave another's link unused", async () => {
  const another = { ...INVITED, role: "resident" };
  const { access, server } = setup({ ...IN, [PEEK]: [200, another] });
  await access.start(SECRET);
  expect(access.state.value).toEqual({ kind: "invited", invitation: another, current: ANA });
  access.keepSession();
  expect(access.state.value).toEqual({ kind: "in", session: ANA, by: "session", ...ENDS });
  expect(server.requests).not.toContain(REDEEM);
});

test("who is in already is not bothered by a link that does not work any more", async () => {
  const { access } = setup({ ...IN, [PEEK]: [403, { code: "not_invited", message: "" }] });
  await access.start(SECRET);
  expect(access.state.value).toEqual({ kind: "in", session: ANA, by: "session", ...ENDS });
});

const LOGIN: FakeServer["answers"] = {
  ...IN,
  "POST /login/passkey/options": [200, OPTIONS],
  "POST /login/passkey": [200, ANA],
};

test("a passkey leads in at once", async () => {
  const { access, entered, server } = setup(LOGIN, {});
  await access.signIn();
  expect(access.state.value).toEqual({ kind: "in", session: ANA, by: "passkey", ...ENDS });
  expect(entered).toEqual(["entered"]);
  expect(server.bodies[1]).toEqual({
    credential: "AAAA",
    user: "AAAA",
    client_data: "AAAA",
    authenticator_data: "AAAA",
    signature: "AAAA",
  });
});

const rejecting = (name: string) => async (): Promise<Credential | null> => {
  throw new DOMException("", name);
};

test.each([
  ["cancelled", LOGIN, { get: rejecting("NotAllowedError") }],
  ["failed", LOGIN, { get: rejecting("SecurityError") }],
  ["failed", LOGIN, { get: async (): Promise<Credential | null> => null }],
  ["unknown_passkey", { ...LOGIN, "POST /login/passkey": [403, { code: "not_permitted" }] }, {}],
  ["too_fast", { ...LOGIN, "POST /login/passkey": [429, { code: "too_fast" }] }, {}],
  ["failed", { ...LOGIN, "POST /login/passkey": [409, { code: "too_late" }] }, {}],
  ["offline", {}, {}],
] as const)("signing in that does not work is told as %s", async (problem, answers, device) => {
  const { access, entered } = setup(answers as FakeServer["answers"], device);
  await access.signIn();
  expect([access.problem.value, access.isBusy.value]).toEqual([problem, false]);
  expect(entered).toEqual([]);
});

test("a passkey is registered by the name of the device, and removed again", async () => {
  const passkey = { id: "a", label: "Phone", host: "localhost", created_utc_s: 1, used_utc_s: null };
  const { access, server } = setup(
    {
      "POST /passkeys/options": [200, OPTIONS],
      "POST /passkeys": [201, passkey],
      "GET /passkeys": [200, [passkey]],
      "DELETE /passkeys/a": [404, { code: "not_found" }],
    },
    {},
  );
  expect(await access.addPasskey()).toBe(true);
  expect(server.bodies[1]).toMatchObject({ label: "Phone", credential: "AAAA", attestation: "AAAA" });
  expect(access.passkeys.value).toEqual([passkey]);
  await access.removePasskey("a");
  expect(access.problem.value).toBeNull();
  expect(server.requests.at(-1)).toBe("GET /passkeys");
});

test("a device that makes no passkey leaves none", async () => {
  const answers: FakeServer["answers"] = {
    "POST /passkeys/options": [200, OPTIONS],
    "GET /passkeys": [200, []],
  };
  const { access } = setup(answers, { create: rejecting("NotAllowedError") });
  expect(await access.addPasskey()).toBe(false);
  expect(access.problem.value).toBe("cancelled");
});

test("only one attempt is under way at a time", async () => {
  const { access, server } = setup(LOGIN, {});
  await Promise.all([access.signIn(), access.signIn()]);
  expect(server.requests.filter((request) => request === "POST /login/passkey")).toHaveLength(1);
});

test("a visit that has ended leads to the login only if its session has, too", async () => {
  const { access, server } = setup(IN);
  await access.start();
  await access.checkEnded(() => WORDS);
  server.answers = {};
  await access.checkEnded(() => WORDS);
  expect(access.state.value.kind).toBe("in");
  server.answers = OUT;
  await access.checkEnded(() => WORDS);
  expect(access.state.value).toEqual({ kind: "signed_out", reason: "ended", words: WORDS });
});

test("a session without an end has none here", async () => {
  const { access } = setup({ "GET /session": [200, { ...ANA, ends_in_s: null }] });
  await access.start();
  expect(access.state.value).toMatchObject({ kind: "in", endsAtMs: null });
});

test("who has left sees how to come in again", async () => {
  const { access } = setup(IN);
  await access.start();
  access.receiveLeft();
  expect(access.state.value).toEqual({ kind: "signed_out", reason: "left", words: null });
});
