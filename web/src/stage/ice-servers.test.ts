import { expect, test } from "vitest";
import { fetchIceServers, parseIceServers } from "./ice-servers";

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

test("the list is fetched from the WHEP endpoint", async () => {
  const asked: string[] = [];
  const servers = await fetchIceServers(async (path, init) => {
    asked.push(`${init.method} ${path}`);
    return new Response(null, { status: 204, headers: { link: '<stun:s.example.org>; rel="ice-server"' } });
  });
  expect(asked).toEqual(["OPTIONS /api/v1/stage/whep"]);
  expect(servers).toEqual([{ urls: "stun:s.example.org" }]);
});

test.each([
  [
    "refuses",
    async () => new Response(null, { status: 401, headers: { link: '<stun:s>; rel="ice-server"' } }),
  ],
  ["cannot be reached", () => Promise.reject(new TypeError("no network"))],
])("a server that %s means an empty list", async (_what, fetch) => {
  expect(await fetchIceServers(fetch)).toEqual([]);
});
