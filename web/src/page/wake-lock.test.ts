// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { flushPromises } from "../testing/fake-timers";
import { keepScreenOn } from "./wake-lock";

class FakeWakeLock {
  requested = 0;
  released = 0;
  isGranted = true;

  async request(): Promise<{ release: () => Promise<void> }> {
    this.requested += 1;
    if (!this.isGranted) {
      throw new Error("the battery is low");
    }
    return {
      release: async () => {
        this.released += 1;
      },
    };
  }
}

function setup(wakeLock: FakeWakeLock | undefined): void {
  Object.defineProperty(navigator, "wakeLock", { value: wakeLock, configurable: true });
}
afterEach(() => Reflect.deleteProperty(navigator, "wakeLock"));

test("the screen is kept on until stopped", async () => {
  const wakeLock = new FakeWakeLock();
  setup(wakeLock);
  const stop = keepScreenOn();
  await flushPromises();
  expect(wakeLock).toMatchObject({ requested: 1, released: 0 });
  stop();
  expect(wakeLock.released).toBe(1);
});

test("a page that is shown again requests the lock again, because hiding it released the lock", async () => {
  const wakeLock = new FakeWakeLock();
  setup(wakeLock);
  const stop = keepScreenOn();
  await flushPromises();
  document.dispatchEvent(new Event("visibilitychange"));
  await flushPromises();
  stop();
  document.dispatchEvent(new Event("visibilitychange"));
  expect(wakeLock.requested).toBe(2);
});

test("a lock that is granted after stopping is released", async () => {
  const wakeLock = new FakeWakeLock();
  setup(wakeLock);
  keepScreenOn()();
  await flushPromises();
  expect(wakeLock).toMatchObject({ requested: 1, released: 1 });
});

test("a browser that refuses, or has no wake lock, is left alone", async () => {
  const wakeLock = new FakeWakeLock();
  wakeLock.isGranted = false;
  setup(wakeLock);
  keepScreenOn()();
  await flushPromises();
  Reflect.deleteProperty(navigator, "wakeLock");
  keepScreenOn()();
  await flushPromises();
  expect(wakeLock.released).toBe(0);
});
