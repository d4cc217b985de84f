import { expect, test } from "vitest";
import { Api } from "../server/api";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { type ListedRoom, RoomList } from "./room-list";

const KITCHEN = { name: "Kitchen", url: "https://home.example.org/kitchen" };
const STUDY = { name: "Study", url: "https://study.example.org" };

type Respond = (address: string) => Response | Promise<Response>;

const says = (access: string) => Response.json({ access });

function setup(listed: readonly ListedRoom[] | Response, respond: Respond = () => says("open")) {
  const timers = new FakeTimers();
  const asked: { address: string; init: RequestInit }[] = [];
  const ports = { list: listed, respond };
  const list = new RoomList({
    timers,
    api: new Api({
      fetch: async () => (ports.list instanceof Response ? ports.list.clone() : Response.json(ports.list)),
    }),
    fetch: async (address, init) => {
      asked.push({ address, init });
      return ports.respond(address);
    },
  });
  const rows = () => {
    const state = list.state.value;
    return state.kind === "known" ? state.rows.map((row) => `${row.name}: ${row.state}`) : state.kind;
  };
  return { timers, list, asked, rows, ports };
}

test("each room is asked at its own address, with its cookie, and follows no redirect", async () => {
  const { list, asked, rows } = setup([KITCHEN, STUDY], (address) =>
    says(address.includes("study") ? "curtain" : "open"),
  );
  expect(rows()).toBe("loading");
  await list.refresh();
  expect(rows()).toEqual(["Kitchen: open", "Study: curtain"]);
  expect(asked.map(({ address }) => address)).toEqual([
    "https://home.example.org/kitchen/api/v1/session",
    "https://study.example.org/api/v1/session",
  ]);
  expect(asked[0]?.init).toMatchObject({ credentials: "include", redirect: "error", cache: "no-store" });
});

test.each([
  ["401", () => new Response("{}", { status: 401 }), []],
  ["403", () => new Response("{}", { status: 403 }), []],
  ["404 of the proxy", () => new Response("not found", { status: 404 }), ["Kitchen: unreachable"]],
  ["502", () => new Response("bad gateway", { status: 502 }), ["Kitchen: unreachable"]],
  ["nonsense", () => new Response("<html>"), ["Kitchen: unreachable"]],
  ["no answer that may be read", () => Promise.reject(new TypeError("blocked")), ["Kitchen: unreachable"]],
  ["the answer of an older server", () => Response.json({ id: "1" }), ["Kitchen: open"]],
])("%s of a room", async (_what, respond, expected) => {
  const { list, rows } = setup([KITCHEN], respond);
  await list.refresh();
  expect(rows()).toEqual(expected);
});

test("a room that does not answer is unreachable after four seconds, and delays no other", async () => {
  const { timers, list, asked, rows } = setup([KITCHEN, STUDY], (address) =>
    address.includes("study") ? says("quiet") : new Promise<Response>(() => {}),
  );
  const refreshing = list.refresh();
  await flushPromises();
  expect(rows()).toEqual(["Study: quiet"]);
  timers.advance(3999);
  await flushPromises();
  expect(rows()).toEqual(["Study: quiet"]);
  timers.advance(1);
  await refreshing;
  expect(rows()).toEqual(["Kitchen: unreachable", "Study: quiet"]);
  expect(asked[0]?.init.signal?.aborted).toBe(true);
});

test("a body that never ends is given up as well", async () => {
  const endless = { ok: true, status: 200, json: () => new Promise(() => {}) } as unknown as Response;
  const { timers, list, rows } = setup([KITCHEN], () => endless);
  const refreshing = list.refresh();
  await flushPromises();
  timers.advance(4000);
  await refreshing;
  expect(rows()).toEqual(["Kitchen: unreachable"]);
});

test("at most six rooms are asked at a time", async () => {
  const many = Array.from({ length: 20 }, (_, n) => ({
    name: `Room ${n}`,
    url: `https://r${n}.example.org`,
  }));
  const answers: (() => void)[] = [];
  const { list, asked, rows } = setup(
    many,
    () => new Promise((resolve) => answers.push(() => resolve(says("open")))),
  );
  const refreshing = list.refresh();
  await flushPromises();
  expect(asked).toHaveLength(6);
  for (let n = 0; n < many.length; n++) {
    answers[n]?.();
    await flushPromises();
    expect(asked.length - n).toBeLessThanOrEqual(7);
  }
  await refreshing;
  expect(rows()).toHaveLength(20);
});

test("it is asked again once a minute while somebody looks, and not while nobody does", async () => {
  const { timers, list, asked } = setup([KITCHEN]);
  list.receiveVisibility(true);
  await flushPromises();
  expect(asked).toHaveLength(1);
  list.receiveVisibility(false);
  timers.advance(5000);
  list.receiveVisibility(true);
  await flushPromises();
  expect(asked).toHaveLength(1); // still fresh
  timers.advance(60_000);
  await flushPromises();
  expect(asked).toHaveLength(2);
  list.receiveVisibility(false);
  timers.advance(600_000);
  await flushPromises();
  expect(asked).toHaveLength(2);
});

test("asking again while that is under way asks nobody twice", async () => {
  const { list, asked } = setup([KITCHEN]);
  await Promise.all([list.refresh(), list.refresh()]);
  expect(asked).toHaveLength(1);
});

test("what was known stays while it is asked anew; who may enter no more is not shown", async () => {
  const { list, rows, ports } = setup([KITCHEN, STUDY]);
  await list.refresh();
  ports.respond = (address) =>
    address.includes("study") ? new Response("{}", { status: 401 }) : says("knock");
  const refreshing = list.refresh();
  await Promise.resolve();
  expect(rows()).toEqual(["Kitchen: open", "Study: open"]);
  await refreshing;
  expect(rows()).toEqual(["Kitchen: knock"]);
});

test("without a session, or without a server, there is no list", async () => {
  const ended = setup(new Response('{"code":"no_session"}', { status: 401 }));
  await ended.list.refresh();
  expect(ended.rows()).toBe("ended");
  const offline = setup(new Response("", { status: 502 }));
  await offline.list.refresh();
  expect(offline.rows()).toBe("offline");
});
