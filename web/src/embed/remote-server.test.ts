import { expect, test } from "vitest";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { BearerStore } from "./bearer-store";
import { RemoteServer } from "./remote-server";

const BASE = "https://home.example.org";
const QUARTER_MS = 15 * 60_000;

interface Request {
  readonly what: string;
  readonly bearer: string | null;
  readonly credentials: RequestCredentials | undefined;
  readonly browser: string | null;
}

/** A server that lists this page, with the answers to all but its first question. */
class FakeServer {
  isSameSite = false;
  isReachable = true;
  status = 200;
  issued = 0;
  readonly requests: Request[] = [];

  async fetch(address: string, init: RequestInit): Promise<Response> {
    if (!this.isReachable) {
      throw new TypeError("no network");
    }
    const path = address.slice(BASE.length);
    if (path === "/api/v1/frontend") {
      return Response.json({ cookie: this.isSameSite });
    }
    const headers = new Headers(init.headers);
    this.requests.push({
      what: `${init.method ?? "GET"} ${path}`,
      bearer: headers.get("authorization"),
      credentials: init.credentials,
      browser: headers.get("belvedere-browser"),
    });
    if (this.status !== 200) {
      return Response.json({ code: "no_session" }, { status: this.status });
    }
    switch (path) {
      case "/api/v1/login/invitation":
        return Response.json({ name: "Ana", bearer: { bearer: `bf_${++this.issued}`, lifetime_s: 1 } });
      case "/api/v1/bearers":
        return Response.json({ bearer: `bf_${++this.issued}`, lifetime_s: 1 });
      case "/api/v1/tickets":
        return Response.json({ ticket: "t1", lifetime_s: 30 });
      default:
        return Response.json({});
    }
  }
}

function setup(stored: string | null = null) {
  const entries = new Map<string, string>();
  const store = new BearerStore(BASE, () => ({
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
    removeItem: (key) => void entries.delete(key),
  }));
  store.keep(stored);
  const server = new FakeServer();
  const timers = new FakeTimers();
  const sockets: { readonly address: string; readonly subprotocols: string[] }[] = [];
  const remote = new RemoteServer(BASE, {
    timers,
    store,
    newSecret: () => "s".repeat(43),
    fetch: (address, init) => server.fetch(address, init),
    openSocket: (address, subprotocols) => {
      sockets.push({ address: address.href, subprotocols });
      return {} as never;
    },
  });
  return { remote, server, store, timers, sockets };
}

const join = (remote: RemoteServer) => remote.fetch("/api/v1/login/invitation", { method: "POST" });

test("a login leaves a bearer, which every later request carries, and no cookie goes either way", async () => {
  const { remote, server, store } = setup();
  const answer = await join(remote);
  expect(await answer.json()).toMatchObject({ name: "Ana" });
  expect(store.bearer).toBe("bf_1");
  await remote.fetch("/api/v1/session", { method: "DELETE" });
  expect(server.requests).toEqual([
    { what: "POST /api/v1/login/invitation", bearer: null, credentials: "omit", browser: "s".repeat(43) },
    { what: "DELETE /api/v1/session", bearer: "Bearer bf_1", credentials: "omit", browser: null },
  ]);
});

test("within a site the cookie is sent, and no bearer", async () => {
  const { remote, server } = setup("bf_old");
  server.isSameSite = true;
  await remote.fetch("/api/v1/session");
  await join(remote);
  expect(server.requests).toEqual([
    { what: "GET /api/v1/session", bearer: null, credentials: "include", browser: null },
    { what: "POST /api/v1/login/invitation", bearer: null, credentials: "include", browser: null },
  ]);
});

test("a socket has a ticket among its sub-protocols, and nothing in its address", async () => {
  const { remote, sockets } = setup("bf_1");
  remote.openSocket("/api/v1/control", "belvedere.v1");
  remote.openSocket("/api/v1/control", "belvedere.v1");
  await flushPromises();
  expect(sockets).toHaveLength(2);
  expect(sockets[0]).toEqual({
    address: "wss://home.example.org/api/v1/control",
    subprotocols: ["belvedere.v1", "belvedere.ticket.t1"],
  });
});

test("without a session no socket is opened", async () => {
  const { remote, server, sockets } = setup("bf_1");
  server.status = 401;
  let closedWith = 0;
  remote.openSocket("/api/v1/control", "belvedere.v1").onclose = ({ code }) => {
    closedWith = code;
  };
  await flushPromises();
  expect(sockets).toEqual([]);
  expect(closedWith).toBe(1006);
});

test("a bearer is renewed every quarter of an hour, and at once after a reload", async () => {
  const { remote, server, store, timers } = setup();
  await join(remote);
  timers.advance(QUARTER_MS);
  await flushPromises();
  expect(store.bearer).toBe("bf_2");
  timers.advance(QUARTER_MS);
  await flushPromises();
  expect(server.requests.filter(({ what }) => what === "POST /api/v1/bearers")).toHaveLength(2);

  const reloaded = setup("bf_9");
  reloaded.timers.advance(0);
  await flushPromises();
  expect(reloaded.server.requests[0]).toMatchObject({
    what: "POST /api/v1/bearers",
    bearer: "Bearer bf_9",
  });
  expect(reloaded.store.bearer).toBe("bf_1");
});

test("a renewal that fails is tried again, with the old bearer", async () => {
  const { server, store, timers } = setup("bf_9");
  server.isReachable = false;
  timers.advance(0);
  await flushPromises();
  expect(store.bearer).toBe("bf_9");
  server.isReachable = true;
  timers.advance(30_000);
  await flushPromises();
  expect(store.bearer).toBe("bf_1");
});

test("a bearer that is refused is forgotten, and not renewed", async () => {
  const { server, store, timers } = setup("bf_9");
  server.status = 401;
  timers.advance(0);
  await flushPromises();
  expect(store.bearer).toBeNull();
  timers.advance(QUARTER_MS);
  await flushPromises();
  expect(server.requests).toHaveLength(1);
});

test("a server that was removed from the page renews nothing", async () => {
  const { remote, server, timers } = setup();
  await join(remote);
  remote.close();
  timers.advance(QUARTER_MS);
  await flushPromises();
  expect(server.requests).toHaveLength(1);
});

test("a server that cannot be reached is asked again with the next request", async () => {
  const { remote, server } = setup("bf_1");
  server.isReachable = false;
  await expect(remote.fetch("/api/v1/session")).rejects.toThrow("no network");
  server.isReachable = true;
  expect((await remote.fetch("/api/v1/session")).status).toBe(200);
});
