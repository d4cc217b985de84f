import fc from "fast-check";
import { expect, test } from "vitest";
import { CaptureClock, parseCaptureClock } from "./capture-clock";

test("the header is parsed", () => {
  expect(parseCaptureClock("rtp=4294967295;server=1234.5")).toEqual({
    rtpTimestamp: 4294967295,
    serverMs: 1234.5,
  });
  expect(parseCaptureClock(" rtp=1 ; server=2 ")).toEqual({ rtpTimestamp: 1, serverMs: 2 });
});

test.each([
  null,
  "",
  "rtp=1",
  "rtp=x;server=1",
  "rtp=4294967296;server=1",
  "rtp=-1;server=1",
  "rtp=1;server=1;x",
])("%s is not a capture clock", (header) => {
  expect(parseCaptureClock(header)).toBeNull();
});

test("ninety ticks are a millisecond, backwards too", () => {
  const clock = new CaptureClock({ rtpTimestamp: 1000, serverMs: 500 });
  expect(clock.capturedAtMs(1000 + 9000)).toBe(600);
  expect(clock.capturedAtMs(1000 - 90)).toBe(499);
});

test("a stream may last for days while its timestamps wrap around", () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 32 - 1),
      fc.array(fc.integer({ min: 1, max: 2 ** 30 }), { maxLength: 50 }),
      (start, gaps) => {
        const clock = new CaptureClock({ rtpTimestamp: start, serverMs: 0 });
        let ticks = 0;
        for (const gap of gaps) {
          ticks += gap;
          expect(clock.capturedAtMs((start + ticks) % 2 ** 32)).toBeCloseTo(ticks / 90, 3);
        }
      },
    ),
  );
});
