import { expect, test } from "vitest";
import { socketAddress } from "./server";

test.each([
  ["https://home.example.org", "wss://home.example.org/api/v1/control"],
  ["http://127.0.0.1:8080", "ws://127.0.0.1:8080/api/v1/control"],
  ["https://home.example.org/kitchen", "wss://home.example.org/kitchen/api/v1/control"],
])("a socket of the server at %s is at %s", (base, address) => {
  expect(socketAddress("/api/v1/control", base).href).toBe(address);
});
