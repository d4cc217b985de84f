// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { flushPromises } from "../testing/fake-timers";
import { keepAwake } from "./wake-lock";

class FakeLocks {
  asked = 0;
  released = 0;
  isGranted = true;

  async request(): Promise<{ release: () => Promise<void> }> {
    this.asked += 1;
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

function setup(locks: FakeLocks | undefined): void {
  Object.defineProperty(navigator, "wakeLock", { value: locks, configurable: true });
}
afterEach(() => Reflect.deleteProperty(navigator, "wakeLock"));

test("the screen is kept on until nobody looks any more", async () => {
  const locks = new FakeLocks();
  setup(locks);
  const off = keepAwake();
  await flushPromises();
  expect(locks).toMatchObject({ asked: 1, released: 0 });
  off();
  expect(locks.released).toBe(1);
});

test("a page that is seen again asks again, because hiding it took the lock away", async () => {
  const locks = new FakeLocks();
  setup(locks);
  const off = keepAwake();
  await flushPromises();
  document.dispatchEvent(new Event("visibilitychange"));
  await flushPromises();
  off();
  document.dispatchEvent(new Event("visibilitychange"));
  expect(locks.asked).toBe(2);
});

test("a lock that is granted after the end is given back", async () => {
  const locks = new FakeLocks();
  setup(locks);
  keepAwake()();
  await flushPromises();
  expect(locks).toMatchObject({ asked: 1, released: 1 });
});

test("a browser that refuses, or knows no such lock, is left alone", async () => {
  const locks = new FakeLocks();
  locks.isGranted = false;
  setup(locks);
  keepAwake()();
  await flushPromises();
  Reflect.deleteProperty(navigator, "wakeLock");
  keepAwake()();
  await flushPromises();
  expect(locks.released).toBe(0);
});
