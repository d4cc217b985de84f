import { expect, test } from "vitest";
import { Api, hasSession } from "./api";

/** A server that answers every request so; null for one that cannot be reached. */
function apiOf(status: number | null, body = ""): Api {
  return new Api({
    fetch: async () => {
      if (status === null) {
        throw new TypeError("no network");
      }
      return new Response(status === 204 ? null : body, { status });
    },
  });
}

test.each([
  [200, '{"id":"s-1"}', { kind: "ok", value: { id: "s-1" } }],
  [204, "", { kind: "ok", value: null }],
  [403, '{"code":"not_permitted","message":"no"}', { kind: "refused", status: 403, code: "not_permitted" }],
  [404, "", { kind: "refused", status: 404, code: "" }],
  [503, '{"code":"not_ready","message":"no"}', { kind: "offline" }],
  [503, '{"code":"store_failed"}', { kind: "refused", status: 503, code: "store_failed" }],
  [502, "<html>", { kind: "offline" }],
  [null, "", { kind: "offline" }],
])("status %s with the body %j is understood", async (status, body, answer) => {
  expect(await apiOf(status, body).get("/session")).toEqual(answer);
});

test.each([
  [200, true],
  [401, false],
  [403, false],
  [429, true],
  [503, null],
  [null, null],
])("by status %s, the server knows this session: %s", async (status, isKnown) => {
  expect(await hasSession(apiOf(status))).toBe(isKnown);
});
