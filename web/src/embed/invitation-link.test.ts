import { expect, test } from "vitest";
import { houseOf, takeInvitation } from "./invitation-link";

const HOUSE = "https://home.example.org";

function take(hash: string, house = HOUSE) {
  const replaced: string[] = [];
  const secret = takeInvitation({ pathname: "/view", search: "?a=1", hash }, house, (address) =>
    replaced.push(address),
  );
  return { secret, replaced };
}

test.each([
  ["#belvedere=s-1", "s-1", ["/view?a=1"]],
  ["#belvedere=s-1&house=home.example.org", "s-1", ["/view?a=1"]],
  ["#tab=2&belvedere=s-1", "s-1", ["/view?a=1#tab=2"]],
  ["#belvedere=s-1&house=other.example.org", "", []],
  ["#belvedere=", "", []],
  ["#top", "", []],
  ["", "", []],
])("of %s this house takes the secret %j", (hash, secret, replaced) => {
  expect(take(hash)).toEqual({ secret, replaced });
});

test("a house below a path is told from another on the same host", () => {
  const hash = "#belvedere=s-1&house=home.example.org/kitchen";
  expect(take(hash, `${HOUSE}/kitchen`).secret).toBe("s-1");
  expect(take(hash, `${HOUSE}/study`).secret).toBe("");
  expect(take(hash).secret).toBe("");
});

test("a house on a port of its own is told from another on the same host", () => {
  const hash = "#belvedere=s-1&house=127.0.0.1:8080";
  expect(take(hash, "http://127.0.0.1:8080").secret).toBe("s-1");
  expect(take(hash, "http://127.0.0.1:8081").secret).toBe("");
});

test.each([
  ["https://home.example.org", HOUSE],
  ["https://home.example.org/?x#y", HOUSE],
  ["https://home.example.org/kitchen", `${HOUSE}/kitchen`],
  ["https://home.example.org/kitchen/", `${HOUSE}/kitchen`],
  ["http://127.0.0.1:8080/", "http://127.0.0.1:8080"],
  ["home.example.org", null],
  ["javascript:alert(1)", null],
  ["", null],
  [null, null],
])("the attribute %j names the house %j", (attribute, house) => {
  expect(houseOf(attribute)).toBe(house);
});
