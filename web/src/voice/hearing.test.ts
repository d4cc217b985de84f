import { expect, test } from "vitest";
import { flushPromises } from "../testing/fake-timers";
import { track } from "../testing/voice";
import { Hearing, type SoundElement } from "./hearing";

const REFUSAL = new DOMException("", "NotAllowedError");

class FakeSound implements SoundElement {
  srcObject: MediaProvider | null = null;
  volume = 1;
  isPlaying = false;
  refusal: Error | null = null;

  async play(): Promise<void> {
    if (this.refusal !== null) {
      throw this.refusal;
    }
    this.isPlaying = true;
  }

  pause(): void {
    this.isPlaying = false;
  }
}

function setup(stored: string | null = null, refuses = false) {
  const saved: string[] = [];
  const hearing = new Hearing({
    storage: () => {
      if (refuses) {
        throw new DOMException("", "SecurityError");
      }
      return { getItem: () => stored, setItem: (_key, value) => saved.push(value) };
    },
    streamOf: (given) => ({ id: given.id }) as MediaStream,
  });
  const element = new FakeSound();
  return { hearing, element, saved };
}

test("the room is heard as soon as there is a sound, in either order", async () => {
  for (const order of ["element", "track"]) {
    const { hearing, element } = setup();
    if (order === "element") {
      hearing.attach(element);
      expect(element.isPlaying).toBe(false);
      hearing.receiveTrack(track("room"));
    } else {
      hearing.receiveTrack(track("room"));
      hearing.attach(element);
    }
    await flushPromises();
    expect([element.isPlaying, hearing.state.value]).toEqual([true, "on"]);
    hearing.receiveTrack(null);
    expect([element.isPlaying, element.srcObject]).toEqual([false, null]);
  }
});

test("a browser that refuses plays with the next tap", async () => {
  const { hearing, element } = setup();
  element.refusal = REFUSAL;
  hearing.attach(element);
  hearing.receiveTrack(track("room"));
  await flushPromises();
  expect(hearing.state.value).toBe("needs_tap");
  element.refusal = null;
  hearing.receiveTap();
  await flushPromises();
  expect([element.isPlaying, hearing.state.value]).toEqual([true, "on"]);
});

test("a tap turns nothing on that the visitor has turned off, and another failure asks for none", async () => {
  const { hearing, element } = setup();
  hearing.attach(element);
  hearing.turn(false);
  hearing.receiveTrack(track("room"));
  hearing.receiveTap();
  expect([element.isPlaying, hearing.state.value]).toEqual([false, "off"]);
  element.refusal = new DOMException("", "AbortError"); // another stream came meanwhile
  hearing.turn(true);
  await flushPromises();
  expect(hearing.state.value).toBe("on");
});

test("a refusal that comes after the visitor has turned it off changes nothing", async () => {
  const { hearing, element } = setup();
  element.refusal = REFUSAL;
  hearing.attach(element);
  hearing.receiveTrack(track("room"));
  hearing.turn(false);
  await flushPromises();
  expect(hearing.state.value).toBe("off");
});

test("volume and silence are remembered, and what makes no sense is not", () => {
  const { hearing, element, saved } = setup("off 40");
  hearing.attach(element);
  expect([hearing.state.value, hearing.volume.value]).toEqual(["off", 40]);
  hearing.turn(true);
  hearing.setVolume(70);
  expect(saved).toEqual(["on 40", "on 70"]);
  expect(element.volume).toBe(0.7);
  for (const nonsense of ["", "on", "on 900", "on loud"]) {
    expect(setup(nonsense).hearing.volume.value).toBe(100);
  }
});

test("without a storage it is on, and remembered until the page is closed", () => {
  const { hearing } = setup(null, true);
  expect([hearing.state.value, hearing.volume.value]).toEqual(["on", 100]);
  hearing.turn(false);
  expect(hearing.state.value).toBe("off");
});
