import { expect, test } from "vitest";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { IceServers, parseIceServers } from "./ice-servers";

test.each([
  ["nothing", null, []],
  ["a STUN server", '<stun:stun.example.org>; rel="ice-server"', [{ urls: "stun:stun.example.org" }]],
  [
    "a TURN server with a name and a password that hold quotes, commas and semicolons",
    '<turn:turn.example.org?transport=udp>; rel="ice-server"; username="a,n;a"; credential="s\\"e\\\\cret"; credential-type="password"',
    [{ urls: "turn:turn.example.org?transport=udp", username: "a,n;a", credential: 's"e\\cret' }],
  ],
  [
    "several",
    '<stun:one.example.org>; rel="ice-server", <turns:two.example.org>; rel=ice-server; username=u; credential=c',
    [{ urls: "stun:one.example.org" }, { urls: "turns:two.example.org", username: "u", credential: "c" }],
  ],
  ["links to something else", '</style.css>; rel="preload", <https://example.org>; rel="ice-server"', []],
  ["garbage", '<<<;;;"', []],
])("%s", (_what, link, servers) => {
  expect(parseIceServers(link)).toEqual(servers);
});

class Rig {
  readonly timers = new FakeTimers();
  readonly asked: string[] = [];
  answer: () => Promise<Response> = async () => linked("stun:one.example.org");
  readonly servers = new IceServers({
    timers: this.timers,
    fetch: (path, init) => {
      this.asked.push(`${init.method} ${path}`);
      return this.answer();
    },
  });
}

function linked(url: string, status = 204): Response {
  return new Response(null, { status, headers: { link: `<${url}>; rel="ice-server"` } });
}

test("the list is fetched from the WHEP endpoint, and used for minutes", async () => {
  const rig = new Rig();
  expect(rig.servers.current).toEqual([]);
  await rig.servers.refresh();
  rig.timers.advance(299_000);
  await rig.servers.refresh();
  expect(rig.asked).toEqual(["OPTIONS /api/v1/stage/whep"]);
  expect(rig.servers.current).toEqual([{ urls: "stun:one.example.org" }]);
});

test("hours later it is fetched again, because its credentials have expired", async () => {
  const rig = new Rig();
  await rig.servers.refresh();
  rig.timers.advance(3 * 3_600_000);
  rig.answer = async () => linked("stun:two.example.org");
  await Promise.all([rig.servers.refresh(), rig.servers.refresh()]);
  expect(rig.asked.length).toBe(2);
  expect(rig.servers.current).toEqual([{ urls: "stun:two.example.org" }]);
});

test.each([
  ["refuses", async () => linked("stun:s", 401)],
  ["cannot be reached", () => Promise.reject(new TypeError("no network"))],
])("a server that %s leaves the old list, and is asked again at the next join", async (_what, answer) => {
  const rig = new Rig();
  await rig.servers.refresh();
  rig.timers.advance(3_600_000);
  rig.answer = answer;
  await rig.servers.refresh();
  expect(rig.servers.current).toEqual([{ urls: "stun:one.example.org" }]);
  await rig.servers.refresh();
  expect(rig.asked.length).toBe(3);
});

test("nobody waits long for a server that does not answer", async () => {
  const rig = new Rig();
  rig.answer = () => new Promise(() => {});
  let isReady = false;
  void rig.servers.refresh().then(() => {
    isReady = true;
  });
  rig.timers.advance(499);
  await flushPromises();
  expect(isReady).toBe(false);
  rig.timers.advance(1);
  await flushPromises();
  expect(isReady).toBe(true);
});
