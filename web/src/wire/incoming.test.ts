import { expect, test } from "vitest";
import { parseMessage } from "./incoming";

test("a known message is parsed", () => {
  expect(parseMessage('{"type":"pong","clock":1,"server":2}')).toEqual({ type: "pong", clock: 1, server: 2 });
});

test.each([
  ["a newer server's message", '{"type":"sing"}'],
  ["an inherited name", '{"type":"toString"}'],
  ["no type", "{}"],
  ["not an object", "null"],
  ["not JSON", "{"],
  ["binary", new ArrayBuffer(2)],
])("%s is ignored", (_what, text) => {
  expect(parseMessage(text)).toBeNull();
});
