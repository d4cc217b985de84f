import { expect, test } from "vitest";
import { readMessage } from "./incoming";

test("a known message is read", () => {
  expect(readMessage('{"type":"pong","clock":1,"server":2}')).toEqual({ type: "pong", clock: 1, server: 2 });
});

test.each([
  ["a newer server's message", '{"type":"sing"}'],
  ["an inherited name", '{"type":"toString"}'],
  ["no type", "{}"],
  ["not an object", "null"],
  ["not JSON", "{"],
  ["binary", new ArrayBuffer(2)],
])("%s is passed over", (_what, text) => {
  expect(readMessage(text)).toBeNull();
});
