import { expect, test } from "vitest";
import { changed, endsNextDay, isComplete, MOST_SPANS, sorted, withNight, without } from "./hours-edit";

const MONDAY = { weekday: 0, from: "22:00", until: "07:00" };
const NOON = { weekday: 0, from: "12:00", until: "14:00" };

test("a night can be added for one day or for every day, in the order of the week", () => {
  expect(withNight([], 3)).toEqual([{ weekday: 3, from: "22:00", until: "07:00" }]);
  expect(withNight([], null).map((span) => span.weekday)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(sorted([MONDAY, NOON])).toEqual([NOON, MONDAY]);
});

test("there are never more spans than the server takes", () => {
  let hours = withNight([], null);
  for (let round = 0; round < 10; round++) {
    hours = withNight(hours, null);
  }
  expect(hours).toHaveLength(MOST_SPANS);
});

test("a span is changed or removed by its place, and the others stay", () => {
  expect(changed([NOON, MONDAY], 1, { until: "08:00" })).toEqual([NOON, { ...MONDAY, until: "08:00" }]);
  expect(without([NOON, MONDAY], 0)).toEqual([MONDAY]);
});

test("a span that ends at or before its beginning ends on the next day", () => {
  expect([endsNextDay(MONDAY), endsNextDay(NOON)]).toEqual([true, false]);
  expect(endsNextDay({ ...NOON, until: "12:00" })).toBe(true);
});

test("a time that is being typed is not complete", () => {
  expect(isComplete([NOON])).toBe(true);
  expect(isComplete([NOON, { ...MONDAY, from: "" }])).toBe(false);
});
