import { expect, test } from "vitest";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { SILENCE_MS, watchSilence } from "./silence";

class Rig {
  readonly timers = new FakeTimers();
  received: number | undefined = 1000;
  isBroken = false;
  silences = 0;
  readonly stop = watchSilence(
    this.timers,
    {
      getStats: async () => {
        if (this.isBroken) {
          throw new Error("closed");
        }
        const transport = { type: "transport", bytesReceived: this.received };
        return new Map<string, object>([
          ["T", transport],
          ["P", { type: "candidate-pair", bytesReceived: 7 }],
        ]) as unknown as RTCStatsReport;
      },
    },
    () => {
      this.silences++;
    },
  );

  /** Time passes, a quarter of a second at a time, while `bytesEach` more arrive each time. */
  async pass(ms: number, bytesEach = 0): Promise<void> {
    for (let passed = 0; passed < ms; passed += 250) {
      this.received = this.received === undefined ? undefined : this.received + bytesEach;
      this.timers.advance(250);
      await flushPromises();
    }
  }
}

test("a connection on which nothing arrives any more is reported once, within two seconds", async () => {
  const rig = new Rig();
  await rig.pass(60_000, 50);
  await rig.pass(1500);
  expect(rig.silences).toBe(0);
  await rig.pass(500);
  expect(rig.silences).toBe(1);
  await rig.pass(60_000);
  expect(rig.silences).toBe(1);
});

test("reports that come every second and a half are enough", async () => {
  const rig = new Rig();
  for (let report = 0; report < 20; report++) {
    await rig.pass(1500);
    await rig.pass(250, 30);
  }
  expect(rig.silences).toBe(0);
});

test.each([
  ["has not received anything yet", (rig: Rig) => Object.assign(rig, { received: 0 })],
  ["tells no figures", (rig: Rig) => Object.assign(rig, { received: undefined })],
  ["cannot be asked", (rig: Rig) => Object.assign(rig, { isBroken: true })],
])("a connection that %s is left to the browser's own judgement", async (_what, change) => {
  const rig = new Rig();
  change(rig);
  await rig.pass(60_000);
  expect(rig.silences).toBe(0);
});

test("a page that was asleep gives the connection its full time again", async () => {
  const rig = new Rig();
  await rig.pass(1000, 50);
  for (let minute = 0; minute < 3; minute++) {
    rig.timers.throttle(60_000);
    await flushPromises();
  }
  expect(rig.silences).toBe(0);
  await rig.pass(SILENCE_MS + 250);
  expect(rig.silences).toBe(1);
});

test("who stops watching hears nothing more, and leaves no timer behind", async () => {
  const rig = new Rig();
  await rig.pass(1000, 50);
  rig.timers.advance(250); // an answer is on its way
  rig.stop();
  await flushPromises();
  await rig.pass(10_000);
  expect(rig.silences).toBe(0);
  expect(rig.timers.pendingCount).toBe(0);
});
