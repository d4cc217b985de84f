// @vitest-environment happy-dom
// What the page does for people who cannot use it the usual way, and in browsers that do not play along.
import { act } from "preact/test-utils";
import { expect, test } from "vitest";
import { axis, lease, state } from "../testing/examples";
import { flushPromises } from "../testing/fake-timers";
import { click, liveView, named, page, runAndRender, setup, status, usePage } from "../testing/page";

usePage();

test("the start screen is the page's main landmark, unless the view is behind it", async () => {
  const { join } = setup();
  expect(page.querySelector("main")?.className).toBe("start-screen");
  await join();
  expect(liveView()?.inert).toBe(false);
  click("Leave");
  click("Look around");
  expect(page.querySelectorAll("main")).toHaveLength(1);
  expect(page.querySelector("main")).toBe(liveView());
  expect(liveView()?.inert).toBe(true); // nothing that is covered can be reached
});

test("the picture has the focus once it is seen, Tab leads back to it, and leaving leads to the way back in", async () => {
  const { join } = setup();
  await join();
  const surface = page.querySelector<HTMLElement>(".drag-surface");
  expect(document.activeElement).toBe(surface);
  expect(surface?.tabIndex).toBe(0);
  click("Leave");
  expect(document.activeElement).toBe(named("Look around"));
});

test("the state of the connection has a shape as well as a colour", async () => {
  const { deliver, join } = setup();
  await join();
  const shape = () => page.querySelector(".connection-button svg")?.innerHTML;
  const shapes = (["ready", "connecting", "waiting", "disabled"] as const).map((link) => {
    deliver({ ...state(), pan: axis({ link }), tilt: axis({ link }) });
    return shape();
  });
  expect(new Set(shapes).size).toBe(4);
});

test("a gamepad's dead zone can be set while there is one", async () => {
  const { join } = setup();
  const pad = { index: 0, id: "pad", connected: true, timestamp: 0, axes: [0, 0], buttons: [] };
  navigator.getGamepads = () => [pad as unknown as Gamepad];
  try {
    await join();
    click("Connection");
    await act(
      () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))),
    );
    const slider = page.querySelector<HTMLInputElement>(".dead-zone input");
    runAndRender(() => {
      if (slider !== null) {
        slider.value = "0.3";
        slider.dispatchEvent(new Event("input", { bubbles: true }));
      }
    });
    expect(localStorage.getItem("belvedere-gamepad-dead-zone")).toBe("0.3");
  } finally {
    localStorage.clear();
    navigator.getGamepads = () => [];
  }
});

test("a picture that the browser does not play is played by a tap", async () => {
  const { visit } = setup();
  const playing = HTMLMediaElement.prototype.play;
  const refusal = () => Promise.reject(new DOMException("", "NotAllowedError"));
  let plays = 0;
  HTMLMediaElement.prototype.play = refusal;
  click("Look around");
  visit.player.show(new MediaStream());
  await act(flushPromises);
  expect(status()).toContain("The picture is here.");
  HTMLMediaElement.prototype.play = async () => {
    plays++;
  };
  click("Tap to see");
  await act(flushPromises);
  expect(plays).toBe(1);
  expect(named("Tap to see")).toBeNull();
  HTMLMediaElement.prototype.play = playing;
});

test("a picture that the browser pauses stops the head at once, and a tap brings it back", async () => {
  const { visit, video, timers, frame, deliver, join } = setup();
  const playing = HTMLMediaElement.prototype.play;
  await join();
  visit.player.show(Object.defineProperty(new MediaStream(), "active", { value: true }));
  await act(flushPromises);
  const press = () => {
    runAndRender(() => window.dispatchEvent(new KeyboardEvent("keydown", { code: "ArrowRight" })));
    deliver(lease("you", { epoch: 2 }));
  };
  press();
  expect(liveView()?.dataset["hold"]).toBe("live");
  HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException("", "NotAllowedError"));
  await act(async () => {
    video.dispatchEvent(new Event("pause"));
    await flushPromises();
  });
  expect(visit.driver.hold.value).toMatchObject({ kind: "cut", reason: "no_picture" });
  runAndRender(() => window.dispatchEvent(new KeyboardEvent("keyup", { code: "ArrowRight" })));
  press();
  expect(visit.driver.hold.value).toMatchObject({ kind: "cut", reason: "no_picture" });
  runAndRender(() => timers.advance(1200));
  expect(liveView()?.dataset["topic"]).toBe("tap_to_see");
  HTMLMediaElement.prototype.play = playing;
  click("Tap to see");
  await act(flushPromises);
  frame();
  expect(liveView()?.dataset["picture"]).toBe("live");
});
