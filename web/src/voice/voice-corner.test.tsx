// @vitest-environment happy-dom
// The voice on the visitor's page: what it says, and that no finger, key or window leaves a microphone open.
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WHOLE_WINDOW } from "../drive/input-area";
import { App } from "../page/app";
import { createVideo, Player } from "../stage/player";
import { lease, state, welcome } from "../testing/examples";
import { FakeSocket } from "../testing/fake-socket";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { access } from "../testing/room";
import { FakeMicrophones, fakeStageVoice, SILENT_PORTS, voice } from "../testing/voice";
import { Visit } from "../visit/visit";

const page = document.createElement("div");

/** Runs something, and lets Preact render its effects. */
function runAndRender(run: () => void): void {
  void act(run); // nothing in here is asynchronous, so it is done when it returns
}

beforeEach(() => {
  // happy-dom plays nothing, and has no layout
  HTMLMediaElement.prototype.play = async () => {};
  HTMLMediaElement.prototype.pause = () => {};
  HTMLElement.prototype.setPointerCapture = () => {};
  Object.defineProperties(HTMLElement.prototype, {
    clientWidth: { configurable: true, value: 1440 },
    clientHeight: { configurable: true, value: 900 },
  });
  document.body.append(page);
});
afterEach(() => runAndRender(() => render(null, page)));

function setup() {
  const timers = new FakeTimers();
  const video = createVideo();
  const socket = new FakeSocket();
  const microphones = new FakeMicrophones();
  const { connection, sent } = fakeStageVoice();
  const visit = new Visit({
    timers,
    random: () => 0,
    openSocket: () => socket,
    hasSession: async () => null,
    endSession: async () => true,
    newView: () => "view",
    joinDirect: async () => ({ captureAnchor: null, voice: connection, leave: () => {} }),
    joinStream: null,
    streamLack: "decoder",
    requestFrame: () => {},
    ...SILENT_PORTS,
    player: new Player(video, timers),
    openMicrophone: microphones.open,
  });
  const stills = { fetch: async () => new Response(""), share: null, download: () => {} };
  runAndRender(() =>
    render(<App visit={visit} video={video} timers={timers} stills={stills} area={WHOLE_WINDOW} />, page),
  );
  const frame = () => runAndRender(() => visit.receiveFrame({ shownAtMs: timers.now(), rtpTimestamp: null }));
  const deliver = (...messages: Parameters<FakeSocket["deliver"]>[0][]) =>
    runAndRender(() => {
      for (const message of messages) {
        socket.deliver(message);
      }
    });
  const join = async () => {
    click("Look around");
    await act(async () => {
      socket.open();
      await flushPromises();
    });
    deliver(welcome(), lease("nobody"), state());
    frame();
    await act(() => vi.dynamicImportSettled());
  };
  return { timers, socket, visit, frame, deliver, join, microphones, sent };
}

function click(name: string): void {
  const button = [...page.querySelectorAll<HTMLElement>("button")].find(
    (each) => (each.getAttribute("aria-label") ?? each.textContent) === name,
  );
  if (button === undefined) {
    throw new Error(`there is no button named ${name}`);
  }
  runAndRender(() => button.click());
}

const liveView = () => page.querySelector<HTMLElement>(".live-view");

test("a house without sound has no button that talks, and one with sound says whether the room is heard", async () => {
  const { deliver, join } = setup();
  await join();
  expect(page.querySelector(".talk, .sound, .voice-room")).toBeNull();
  deliver(access(), voice());
  expect(page.querySelector(".voice-room")?.textContent).toBe("The room can be heard");
  expect(page.querySelector(".talk")).not.toBeNull();
  deliver(voice({ microphone: "off", hears: false }));
  expect(page.querySelector(".voice-room")?.textContent).toBe("Microphone off");
  deliver(voice({ talking: ["Bo"] }));
  expect(page.querySelector(".voice-talks")?.textContent).toBe("Bo is talking");
});

test("who may not talk, or is not heard by a speaker, has no button for it", async () => {
  const { deliver, join } = setup();
  await join();
  deliver(access("open", { rights: ["look"] }), voice());
  expect(page.querySelector(".talk")).toBeNull();
  deliver(access(), voice({ speaker: "missing" }));
  expect(page.querySelector(".talk")).toBeNull();
});

const press = (kind: string, init: PointerEventInit = {}) =>
  page.querySelector(".talk")?.dispatchEvent(new PointerEvent(kind, { bubbles: true, button: 0, ...init }));

test("a finger holds the button to talk while another drives, and neither disturbs the other", async () => {
  const { deliver, frame, join, microphones, sent, socket, timers } = setup();
  await join();
  deliver(access(), voice());
  const surface = page.querySelector(".drag-surface");
  const drag = (kind: string, clientX: number) =>
    runAndRender(() =>
      surface?.dispatchEvent(
        new PointerEvent(kind, { bubbles: true, pointerId: 2, pointerType: "touch", clientX, clientY: 300 }),
      ),
    );
  await act(async () => {
    press("pointerdown", { pointerId: 1 });
    microphones.allow();
    await flushPromises();
  });
  expect(socket.sentOf("talk")).toHaveLength(1);
  deliver(voice({ heard: true }));
  expect(liveView()?.dataset["talk"]).toBe("talking");
  drag("pointerdown", 400);
  runAndRender(() => timers.advance(200));
  frame();
  drag("pointermove", 600);
  expect(liveView()?.dataset["hold"]).toBe("live");
  runAndRender(() => void press("pointerup", { pointerId: 1 }));
  expect([liveView()?.dataset["talk"], liveView()?.dataset["hold"], sent.at(-1)]).toEqual([
    "off",
    "live",
    null,
  ]);
  drag("pointerup", 600);
  expect(liveView()?.dataset["hold"]).toBe("none");
});

for (const lost of ["pointercancel", "lostpointercapture", "blur"]) {
  test(`a ${lost} leaves no microphone open`, async () => {
    const { deliver, join, microphones } = setup();
    await join();
    deliver(access(), voice());
    await act(async () => {
      press("pointerdown", { pointerId: 1 });
      microphones.allow();
      await flushPromises();
    });
    deliver(voice({ heard: true }));
    runAndRender(() => void (lost === "blur" ? window.dispatchEvent(new Event("blur")) : press(lost)));
    expect([liveView()?.dataset["talk"], microphones.openCount]).toEqual(["off", 0]);
  });
}

test("leaving and a hidden page leave no microphone open", async () => {
  for (const end of ["leave", "hide"] as const) {
    const { deliver, join, microphones, visit } = setup();
    await join();
    deliver(access(), voice());
    await act(async () => {
      visit.talk.press();
      microphones.allow();
      await flushPromises();
    });
    expect(microphones.openCount).toBe(1);
    runAndRender(() => (end === "leave" ? visit.leave() : visit.receiveVisibility(false)));
    expect(microphones.openCount).toBe(0);
  }
});

test("a refused microphone is told kindly", async () => {
  const { deliver, join, microphones } = setup();
  await join();
  deliver(access(), voice());
  await act(async () => {
    press("pointerdown", { pointerId: 1 });
    microphones.refuse("denied");
    await flushPromises();
  });
  expect(page.querySelector(".voice-note")?.textContent).toContain("allow this page to use the microphone");
});

test("the sound is turned off and on, and its volume set, in a panel that says what the room does", async () => {
  const { deliver, join, visit } = setup();
  await join();
  deliver(access(), voice());
  click("Sound: on");
  expect(page.querySelector(".sound-panel p")?.textContent).toBe("The room can be heard");
  click("Turn the sound off");
  expect(visit.hearing.state.value).toBe("off");
  click("Turn the sound on");
  const volume = page.querySelector<HTMLInputElement>(".sound-panel input");
  runAndRender(() => {
    if (volume !== null) {
      volume.value = "35";
      volume.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
  expect(visit.hearing.volume.value).toBe(35);
  deliver(voice({ hears: false }));
  expect(page.querySelector(".sound-panel p")?.textContent).toBe("The room’s sound is not for you.");
});
