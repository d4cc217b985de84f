// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Api } from "../server/api";
import { Access } from "./access";
import { AccountMenu } from "./account-menu";
import { LoginGate } from "./login-gate";
import { ReturnCard } from "./return-card";
import type { Credentials, PasskeyLack } from "./webauthn";

const page = document.createElement("div");
const SECRET = "s".repeat(43);
const ANA = {
  id: "1",
  person: "2",
  name: "Ana",
  role: "owner",
  rights: ["look", "manage"],
  ends_in_s: 86_400,
  access: "open",
  rooms: 1,
};
const OUT = { "GET /session": [401, { code: "no_session" }] } as const;
const IN = { "GET /session": [200, ANA] } as const;
const INVITED = { "POST /login/invitation/peek": [200, { name: "Wang", role: "guest" }] } as const;

beforeEach(() => document.body.append(page));
beforeAll(() => Promise.all([import("./devices-screen"), import("./people-screen")])); // loaded when wanted, then soon
afterEach(() => render(null, page));

type Answers = Readonly<Record<string, readonly [number, unknown]>>;

async function open(answers: Answers, { secret = "", lack = "none" as PasskeyLack } = {}) {
  const requests: string[] = [];
  const api = new Api({
    fetch: async (path, init) => {
      const request = `${init?.method} ${path.replace("/api/v1", "")}`;
      requests.push(request);
      const [status, value] = answers[request] ?? [404, null];
      return new Response(value === null ? null : JSON.stringify(value), { status });
    },
  });
  const credentials = {} as Credentials;
  const access = new Access({
    api,
    credentials: lack === "none" ? credentials : null,
    deviceName: () => "Phone",
    enter: () => {},
    nowMs: () => 0,
  });
  const nowMs = () => 0;
  await act(async () => {
    render(
      <LoginGate access={access} lack={lack}>
        <p>The view</p>
        <ReturnCard access={access} nowMs={nowMs} />
        <AccountMenu access={access} api={api} nowMs={nowMs} />
      </LoginGate>,
      page,
    );
    await access.start(secret);
  });
  return { requests };
}

const buttons = () => [...page.querySelectorAll("button")].map((button) => button.textContent);

async function tap(label: string) {
  const button = [...page.querySelectorAll("button")].find((each) => each.textContent === label);
  await act(async () => {
    button?.click();
    await new Promise((resolve) => setTimeout(resolve));
  });
}

test("an invitation greets by name, tells of the visit book before anybody enters, and has one big button", async () => {
  const { requests } = await open({ ...OUT, ...INVITED }, { secret: SECRET });
  expect(page.querySelector("h1")?.textContent).toBe("Hello Wang");
  expect(page.textContent).toContain("visit book");
  expect(page.textContent).toContain("not turn the camera");
  expect([...page.querySelectorAll(".primary")].map((button) => button.textContent)).toEqual(["Come in"]);
  expect(requests).not.toContain("POST /login/invitation");
  expect(page.textContent).not.toContain("The view");
});

test("the tap leads to the view; where passkeys cannot work, it says until when this device stays signed in", async () => {
  const answers = { ...OUT, ...INVITED, "POST /login/invitation": [200, ANA] } as const;
  await open(answers, { secret: SECRET, lack: "address" });
  await tap("Come in");
  expect(page.textContent).toContain("The view");
  expect(page.textContent).toContain("stays signed in until");
  await tap("Close");
  expect(page.textContent).not.toContain("stays signed in until");
});

test("who came in by a link and has no passkey is offered one, and may say no", async () => {
  const answers = {
    ...OUT,
    ...INVITED,
    "POST /login/invitation": [200, ANA],
    "GET /passkeys": [200, []],
  } as const;
  await open(answers, { secret: SECRET });
  await tap("Come in");
  await tap("Not now");
  expect(page.querySelector(".return-card")).toBeNull();
});

test("who has a passkey already is not asked again", async () => {
  const passkey = { id: "a", label: "Phone", host: "localhost", created_utc_s: 1, used_utc_s: null };
  await open(
    { ...OUT, ...INVITED, "POST /login/invitation": [200, ANA], "GET /passkeys": [200, [passkey]] },
    { secret: SECRET },
  );
  await tap("Come in");
  expect(page.querySelector(".return-card")).toBeNull();
});

test("without a session one may sign in, or learns how to come in where passkeys cannot work", async () => {
  await open(OUT);
  expect(buttons()).toContain("Sign in");
  await act(() => render(null, page));
  await open(OUT, { lack: "browser" });
  expect(buttons()).not.toContain("Sign in");
  expect(page.textContent).toContain("Ask someone who lives there for a link");
});

test.each([
  [SECRET, "This link does not work."],
  ["s", "This link is not complete."],
])("a link that lets nobody in says why: %s", async (secret, words) => {
  await open(OUT, { secret });
  expect(page.querySelector("h1")?.textContent).toBe(words);
});

test("a proxy that changes the Host is named, for the owner", async () => {
  await open({ "GET /session": [421, { code: "unknown_host" }] });
  expect(page.querySelector("h1")?.textContent).toBe("The way to this home is not set up right.");
  expect(page.textContent).toContain("must pass on Host and Origin");
  expect(buttons()).toContain("Try again");
});

test("a server that is not reached offers to try again", async () => {
  await open({ "GET /session": [503, null] });
  expect(buttons()).toContain("Try again");
});

test("only who runs the server has a way to the people, and only the room one to its page", async () => {
  await open(IN);
  expect(buttons()).toEqual(["My devices", "Who may come in"]);
  expect(page.querySelector("a")).toBeNull();
  await act(() => render(null, page));
  await open({ "GET /session": [200, { ...ANA, rights: ["look", "room"] }] });
  expect(buttons()).toEqual(["My devices"]);
  expect(page.querySelector("a")?.getAttribute("href")).toBe("/room");
  await act(() => render(null, page));
  await open({ "GET /session": [200, { ...ANA, rooms: 2 }] });
  expect(page.querySelector("a")?.getAttribute("href")).toBe("/rooms");
});

test("my devices are listed without those of others, and all but this one can be signed out", async () => {
  HTMLDialogElement.prototype.showModal = () => {};
  const device = { person: "2", name: "Ana", opened_utc_s: 0, seen_utc_s: 0, is_current: false };
  const { requests } = await open({
    ...IN,
    "GET /sessions": [
      200,
      [
        { ...device, id: "1", label: "Phone", is_current: true },
        { ...device, id: "3", label: "Laptop" },
        { ...device, id: "4", label: "Not mine", person: "5" },
      ],
    ],
    "GET /passkeys": [200, []],
  });
  await tap("My devices");
  await tap("");
  expect([...page.querySelectorAll("strong")].map((label) => label.textContent)).toEqual(["Phone", "Laptop"]);
  await tap("Sign out");
  expect(requests).toContain("DELETE /sessions/3");
});

test.each([
  [[503, { code: "store_failed" }], "This could not be saved at home. Please try again in a moment."],
  [[403, { code: "not_permitted" }], "You may not do this. Ask someone at home."],
] as const)("an invitation that is answered with %j is told in words", async (answer, words) => {
  HTMLDialogElement.prototype.showModal = () => {};
  const ben = { id: "6", name: "Ben", role: "guest", has_joined: false, sessions: 0, invitations: 1 };
  await open({ ...IN, "GET /people": [200, [ben]], "POST /people/6/invitations": answer });
  await tap("Who may come in");
  await tap("");
  await tap("Make another link");
  expect(page.querySelector("[role=alert]")?.textContent).toBe(words);
});

test("a new person gets a link at once, and is removed only by a second tap", async () => {
  HTMLDialogElement.prototype.showModal = () => {};
  const ben = { id: "6", name: "Ben", role: "guest", has_joined: false, sessions: 0, invitations: 1 };
  const { requests } = await open({
    ...IN,
    "GET /people": [200, [ben]],
    "POST /people": [201, ben],
    "POST /people/6/invitations": [
      201,
      { name: "Ben", link: "https://home.example.org/join#x", ends_in_s: 60, qr_svg: "<svg/>" },
    ],
  });
  await tap("Who may come in");
  await tap("");
  const name = page.querySelector("input");
  await act(() => {
    Object.assign(name as HTMLInputElement, { value: "Ben" });
    name?.dispatchEvent(new Event("input"));
  });
  await tap("Make a link");
  await tap("");
  expect(requests).toContain("POST /people");
  expect(page.querySelector("code")?.textContent).toBe("https://home.example.org/join#x");
  expect(page.querySelector("img")?.getAttribute("src")).toBe("data:image/svg+xml,%3Csvg%2F%3E");
  await tap("Remove Ben");
  expect(requests).not.toContain("DELETE /people/6");
  await tap("Remove Ben? All their devices are signed out at once.");
  expect(requests).toContain("DELETE /people/6");
});
