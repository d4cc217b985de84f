// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test } from "vitest";
import { axis, lease, notice, state, welcome } from "../testing/examples";
import { FakeSocket } from "../testing/fake-socket";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { Visit } from "../visit/visit";
import { App } from "./app";

const page = document.createElement("div");

/** Does something, and lets the page follow. */
function doing(run: () => void): void {
  void act(run); // nothing in here is asynchronous, so it is done when it returns
}

beforeEach(() => {
  // happy-dom plays nothing; the pictures of these tests come from the tests
  HTMLMediaElement.prototype.play = async () => {};
  HTMLElement.prototype.setPointerCapture = () => {};
  document.body.append(page);
});
afterEach(() => doing(() => render(null, page)));

function setup() {
  const timers = new FakeTimers();
  const socket = new FakeSocket();
  const server = { endsSessions: true };
  const visit = new Visit({
    timers,
    random: () => 0,
    openSocket: () => socket,
    hasSession: async () => null,
    endSession: async () => server.endsSessions,
    join: async () => ({ captureAnchor: null, leave: () => {} }),
  });
  doing(() => render(<App visit={visit} timers={timers} />, page));
  const frame = () => doing(() => visit.receiveFrame({ shownAtMs: timers.now(), rtpTimestamp: null }));
  const say = (...messages: Parameters<FakeSocket["deliver"]>[0][]) =>
    doing(() => {
      for (const message of messages) {
        socket.deliver(message);
      }
    });
  const goIn = async () => {
    click("Look around");
    await act(async () => {
      socket.open();
      await flushPromises();
    });
    say(welcome(), lease("nobody"), state());
    frame();
  };
  return { timers, socket, server, visit, frame, say, goIn };
}

const named = (name: string): HTMLElement | null =>
  [...page.querySelectorAll<HTMLElement>("button")].find(
    (button) => (button.getAttribute("aria-label") ?? button.textContent)?.startsWith(name) === true,
  ) ?? null;

function click(name: string): void {
  const button = named(name);
  if (button === null) {
    throw new Error(`there is no button named ${name}`);
  }
  doing(() => button.click());
}

const said = () => page.querySelector('[role="status"]')?.textContent ?? "";
const room = () => page.querySelector<HTMLElement>(".room");

test("the first screen is one button", () => {
  setup();
  expect(page.querySelectorAll("button")).toHaveLength(1);
  expect(named("Look around")).not.toBeNull();
});

test("one tap leads into the room, and the first screen goes with the first picture", async () => {
  const { goIn } = setup();
  await goIn();
  expect(page.querySelector(".start")).toBeNull();
  expect(room()?.dataset).toMatchObject({
    picture: "live",
    panLink: "ready",
    tiltLink: "ready",
    hold: "none",
  });
  expect(said()).toContain("Drag to look around.");
});

test("a drag on the picture drives and shows the stick; letting go ends both", async () => {
  const { socket, say, goIn } = setup();
  await goIn();
  const surface = page.querySelector(".surface");
  const point = (type: string, clientX: number) =>
    doing(() => {
      surface?.dispatchEvent(
        new PointerEvent(type, { pointerId: 1, button: 0, buttons: 1, clientX, bubbles: true }),
      );
    });
  point("pointerdown", 100);
  say(lease("you", { epoch: 2 }));
  point("pointermove", 400);
  expect(page.querySelector(".ring")).not.toBeNull();
  expect(room()?.dataset["hold"]).toBe("live");
  expect(socket.sentOf("drive").length).toBeGreaterThan(0);
  point("pointerup", 400);
  expect(page.querySelector(".ring")).toBeNull();
  expect(socket.sentOf("release")).toHaveLength(1);
});

test("the arrow keys drive without any focus, and stop with Escape", async () => {
  const { socket, say, goIn } = setup();
  await goIn();
  doing(() => {
    window.dispatchEvent(new KeyboardEvent("keydown", { code: "ArrowRight" }));
  });
  say(lease("you", { epoch: 2 }));
  expect(socket.sentOf("drive")[0]?.pan).toBeGreaterThan(0);
  doing(() => {
    window.dispatchEvent(new KeyboardEvent("keydown", { code: "Escape" }));
  });
  expect(socket.sentOf("stop")).toHaveLength(1);
  expect(said()).toBe("Stopped.Let go and press again.");
});

test("a finger on Stop stops with its touch; a key press on it too, and each only once", async () => {
  const { socket, goIn } = setup();
  await goIn();
  const button = named("Stop the camera");
  doing(() => {
    button?.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
    button?.dispatchEvent(new MouseEvent("click", { detail: 1, bubbles: true }));
  });
  expect(socket.sentOf("stop")).toHaveLength(1);
  doing(() => {
    button?.dispatchEvent(new MouseEvent("click", { detail: 0, bubbles: true }));
  });
  expect(socket.sentOf("stop")).toHaveLength(2);
});

test("someone else's driving is told, and may be taken over", async () => {
  const { socket, say, goIn } = setup();
  await goIn();
  say(lease("other"));
  expect(said()).toContain("Someone else is driving.");
  click("Take over");
  expect(socket.sentOf("lease.take")).toHaveLength(1);
});

test("a cut hold asks for a fresh press", async () => {
  const { say, goIn } = setup();
  await goIn();
  doing(() => {
    window.dispatchEvent(new KeyboardEvent("keydown", { code: "ArrowRight" }));
  });
  say(lease("you"), notice("hold_too_long", 1));
  expect(said()).toContain("Let go and press again.");
});

test("the corner is a named dot until it is asked", async () => {
  const { timers, say, goIn } = setup();
  await goIn();
  say({ ...state(), tilt: axis({ link: "waiting", reason: "unanswered" }) });
  expect(page.querySelector(".panel")).toBeNull();
  const dot = named("Connection");
  expect(dot?.getAttribute("aria-label")).toBe("Connection: something is out of reach");
  expect(dot?.getAttribute("aria-expanded")).toBe("false");
  click("Connection");
  doing(() => timers.advance(500));
  expect(dot?.getAttribute("aria-expanded")).toBe("true");
  expect(page.querySelector(".panel")?.textContent).toContain("does not answer");
});

test("leaving leads back to the first screen, and may be taken back", async () => {
  const { goIn } = setup();
  await goIn();
  click("Leave");
  expect(room()).toBeNull();
  click("Look around");
  click("Cancel");
  expect(named("Look around")).not.toBeNull();
  expect(named("End my visit")).not.toBeNull();
});

test("whoever has left may end the visit for good, and is seen off", async () => {
  const { goIn } = setup();
  await goIn();
  expect(named("End my visit")).toBeNull();
  click("Leave");
  click("End my visit");
  expect(page.querySelectorAll("button")).toHaveLength(0);
  await act(flushPromises);
  expect(said()).toBe("Goodbye, and until next time.To come in again, ask for a new link.");
  expect(page.querySelectorAll("button")).toHaveLength(0);
});

test("a visit that could not be ended says so, and it may be tried again", async () => {
  const { server, goIn } = setup();
  server.endsSessions = false;
  await goIn();
  click("Leave");
  click("End my visit");
  await act(flushPromises);
  expect(said()).toContain("Your visit has not ended yet.");
  server.endsSessions = true;
  click("End my visit");
  await act(flushPromises);
  expect(said()).toContain("Goodbye");
});

test("an ended visit says why, and has no button that would not work", async () => {
  const { socket, goIn } = setup();
  await goIn();
  doing(() => socket.end(4401, "The household has ended this visit."));
  expect(said()).toBe("The household has ended this visit.Ask for a new link to come in again.");
  expect(page.querySelectorAll("button")).toHaveLength(0);
});
