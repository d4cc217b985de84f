import { afterEach, expect, test } from "vitest";
import { setLanguage } from "./language";
import { dateText, durationText, timeText, weekdayText, whenText } from "./times";

const NOON = new Date(2026, 4, 3, 12, 5).getTime();
const EVENING = new Date(2026, 4, 3, 19, 30).getTime();
const NEXT_YEAR = new Date(2027, 0, 9, 7, 0).getTime();
const plain = (text: string) => text.replace(/\s/g, " "); // English puts a narrow space before PM

afterEach(() => setLanguage("en"));

test("times of day", () => {
  expect(plain(timeText(EVENING))).toBe("7:30 PM");
  setLanguage("zh");
  expect(timeText(EVENING)).toBe("19:30");
});

test("a date has its year only where it is another one", () => {
  expect(dateText(EVENING, NOON)).toBe("May 3");
  expect(dateText(NEXT_YEAR, NOON)).toBe("January 9, 2027");
  setLanguage("zh");
  expect(dateText(EVENING, NOON)).toBe("5月3日");
  expect(dateText(NEXT_YEAR, NOON)).toBe("2027年1月9日");
});

test("a time of another day has its date", () => {
  expect(plain(whenText(EVENING, NOON))).toBe("7:30 PM");
  expect(plain(whenText(NEXT_YEAR, NOON))).toBe("Jan 9, 7:00 AM");
});

test("days of the week begin with Monday", () => {
  expect([0, 6].map((day) => weekdayText(day))).toEqual(["Monday", "Sunday"]);
  setLanguage("zh");
  expect([weekdayText(0), weekdayText(6, "short")]).toEqual(["星期一", "周日"]);
});

test("durations are in minutes and hours", () => {
  expect([0, 1, 61_000, 3_600_000, 5_400_000].map(durationText).map(plain)).toEqual([
    "0 min",
    "1 min",
    "1 min",
    "1 hr",
    "1 hr 30 min",
  ]);
  setLanguage("zh");
  expect(durationText(5_400_000)).toBe("1小时 30分钟");
});
