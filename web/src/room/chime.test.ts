import { expect, test } from "vitest";
import { Chime } from "./chime";

/** An audio context that counts its tones, and runs once it was resumed, unless the browser refuses. */
class FakeContext {
  state = "suspended";
  currentTime = 0;
  destination = {};
  tones = 0;
  mayRun = true;

  async resume(): Promise<void> {
    this.state = this.mayRun ? "running" : "suspended";
  }

  createOscillator() {
    return {
      frequency: { value: 0 },
      connect: (next: unknown) => next,
      start: () => {
        this.tones += 1;
      },
      stop: () => {},
    };
  }

  createGain() {
    const gain = {
      setValueAtTime: () => {},
      linearRampToValueAtTime: () => {},
      exponentialRampToValueAtTime: () => {},
    };
    return { gain, connect: (next: unknown) => next };
  }
}

function setup(stored: string | null = null) {
  const context = new FakeContext();
  const storage = new Map(stored === null ? [] : [["belvedere-room-chime", stored]]);
  const chime = new Chime({
    createContext: () => context as unknown as AudioContext,
    storage: () => ({
      getItem: (key) => storage.get(key) ?? null,
      setItem: (key, value) => void storage.set(key, value),
    }),
  });
  return { context, storage, chime };
}

test("nothing rings before the resident has turned it on, and then it rings at once to be heard", async () => {
  const { context, chime } = setup();
  chime.ring("knock");
  expect([chime.state.value, context.tones]).toEqual(["off", 0]);
  await chime.turnOn();
  expect([chime.state.value, context.tones]).toEqual(["on", 2]);
  chime.ring("knock");
  expect(context.tones).toBe(5);
});

test("a device that was on asks for a tap after a reload, because browsers want one", async () => {
  const { context, chime } = setup("on");
  expect(chime.state.value).toBe("asleep");
  await chime.turnOn();
  expect(chime.state.value).toBe("on");
  expect(context.tones).toBe(2);
});

test("it is silent when turned off, and stays so after a reload", async () => {
  const { context, storage, chime } = setup();
  await chime.turnOn();
  chime.turnOff();
  chime.ring("knock");
  expect(context.tones).toBe(2);
  expect(setup(storage.get("belvedere-room-chime")).chime.state.value).toBe("off");
});

test("a browser that refuses, or goes to sleep, is asked for another tap rather than believed", async () => {
  const { context, chime } = setup();
  context.mayRun = false;
  await chime.turnOn();
  expect(chime.state.value).toBe("asleep");
  context.mayRun = true;
  await chime.turnOn();
  context.state = "suspended";
  chime.ring("knock");
  expect(chime.state.value).toBe("asleep");
});

test("a browser without sound or storage breaks nothing", async () => {
  const refuse = () => {
    throw new Error("not here");
  };
  const chime = new Chime({ createContext: refuse, storage: refuse });
  await chime.turnOn();
  chime.ring("arrival");
  expect(chime.state.value).toBe("asleep");
});
