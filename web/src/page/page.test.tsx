// @vitest-environment happy-dom
import { act } from "preact/test-utils";
import { expect, test } from "vitest";
import { axis, lease, notice, state } from "../testing/examples";
import { flushPromises } from "../testing/fake-timers";
import { click, liveView, named, page, runAndRender, setup, status, usePage } from "../testing/page";
import { access } from "../testing/room";

usePage();

test("the start screen has one button", () => {
  setup();
  expect(page.querySelectorAll(".actions button")).toHaveLength(1);
  expect(named("Look around")).not.toBeNull();
});

test("the start screen is in the language that the visitor switches to", () => {
  setup();
  click("中文");
  expect(status()).toBe("轻轻一点，就能看到家里。");
  expect(named("看看家里")).not.toBeNull();
  click("English");
  expect(named("Look around")).not.toBeNull();
});

test("one tap opens the live view, and the first picture removes the start screen", async () => {
  const { join } = setup();
  await join();
  expect(page.querySelector(".start-screen")).toBeNull();
  expect(liveView()?.dataset).toMatchObject({
    picture: "live",
    panLink: "ready",
    tiltLink: "ready",
    hold: "none",
  });
  expect(status()).toContain("Drag to look around.");
});

test("a drag on the picture drives and shows the joystick; releasing ends both", async () => {
  const { socket, deliver, join } = setup();
  await join();
  const surface = page.querySelector(".drag-surface");
  const point = (type: string, clientX: number) =>
    runAndRender(() => {
      surface?.dispatchEvent(
        new PointerEvent(type, { pointerId: 1, isPrimary: true, buttons: 1, clientX, bubbles: true }),
      );
    });
  point("pointerdown", 100);
  point("pointermove", 400);
  deliver(lease("you", { epoch: 2 }));
  expect(page.querySelector(".joystick")).not.toBeNull();
  expect(liveView()?.dataset["hold"]).toBe("live");
  expect(socket.sentOf("drive").length).toBeGreaterThan(0);
  point("pointerup", 400);
  expect(page.querySelector(".joystick")).toBeNull();
  expect(socket.sentOf("release")).toHaveLength(1);
});

test("the arrow keys drive whatever has the focus, and Escape stops", async () => {
  const { socket, deliver, join } = setup();
  await join();
  runAndRender(() => {
    window.dispatchEvent(new KeyboardEvent("keydown", { code: "ArrowRight" }));
  });
  deliver(lease("you", { epoch: 2 }));
  expect(socket.sentOf("drive")[0]?.pan).toBeGreaterThan(0);
  runAndRender(() => {
    window.dispatchEvent(new KeyboardEvent("keydown", { code: "Escape" }));
  });
  expect(socket.sentOf("stop")).toHaveLength(1);
  expect(status()).toBe("Stopped.Let go and press again.");
});

test("the Stop button stops when it is pressed, by a pointer or a key, and only once each", async () => {
  const { socket, join } = setup();
  await join();
  const button = named("Stop the camera");
  runAndRender(() => {
    button?.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
    button?.dispatchEvent(new MouseEvent("click", { detail: 1, bubbles: true }));
  });
  expect(socket.sentOf("stop")).toHaveLength(1);
  runAndRender(() => {
    button?.dispatchEvent(new MouseEvent("click", { detail: 0, bubbles: true }));
  });
  expect(socket.sentOf("stop")).toHaveLength(2);
});

test("the page says that someone else drives, and offers to take over", async () => {
  const { socket, deliver, join } = setup();
  await join();
  deliver(lease("other"));
  expect(status()).toContain("Someone else is turning the camera.");
  click("Take over");
  expect(socket.sentOf("lease.take")).toHaveLength(1);
});

test("a visitor asks the driver, and is told the answer", async () => {
  const { socket, deliver, join } = setup();
  await join();
  deliver(lease("other", { driver: "Grandma", can_take: false, can_ask: true }));
  click("May I?");
  expect(socket.sentOf("lease.ask")).toHaveLength(1);
  deliver({ type: "lease.answered", answer: "denied" });
  expect(status()).toContain("a little longer");
});

test("the driver is asked by name, and says yes or no; and gives the camera away without being asked", async () => {
  const { socket, deliver, join } = setup();
  await join();
  const asking = [{ asker: "ben-1", name: "Ben", until: 60_000 }];
  const watching = [{ to: "cem-1", name: "Cem" }];
  deliver(lease("you"), { type: "lease.offers", asking, watching });
  expect(page.querySelector(".handover")?.textContent).toContain("Ben asks: may I turn the camera?");
  click("Not now");
  click("Here you are");
  expect(socket.sentOf("lease.answer").map(({ granted }) => granted)).toEqual([false, true]);
  deliver({ type: "lease.offers", asking: [], watching });
  click("Hand over");
  click("To Cem");
  expect(socket.sentOf("lease.give")).toEqual([{ type: "lease.give", to: "cem-1" }]);
  deliver({ type: "lease.offers", asking: [], watching: [] });
  expect(page.querySelector(".handover")).toBeNull();
});

test("who only watches moves nothing until they choose to turn the camera again", async () => {
  const { socket, deliver, join } = setup();
  await join();
  deliver(lease("you"));
  page.querySelector<HTMLElement>(".connection-button")?.click();
  await act(async () => {});
  click("Only watch");
  expect(socket.sentOf("lease.return")).toHaveLength(1);
  deliver(lease("nobody"));
  const press = (type: string) =>
    runAndRender(() => {
      window.dispatchEvent(new KeyboardEvent(type, { code: "ArrowRight" }));
    });
  press("keydown");
  press("keyup");
  expect(socket.sentOf("lease.acquire")).toHaveLength(0);
  expect(status()).toContain("You are only watching.");
  click("Turn the camera again");
  press("keydown");
  expect(socket.sentOf("lease.acquire")).toHaveLength(1);
});

test("a button switches between a filled screen and the whole picture, and undoes a zoom", async () => {
  const { join } = setup();
  await join();
  const picture = () => page.querySelector<HTMLElement>(".picture-box")?.style;
  expect(liveView()?.dataset).toMatchObject({ framing: "fit", zoom: "1.00" });
  runAndRender(() => {
    window.dispatchEvent(new KeyboardEvent("keydown", { key: "+" }));
  });
  expect(liveView()?.dataset["zoom"]).toBe("1.25");
  expect(picture()?.transform).toContain(`scale(${(1.25 * 1440) / 1280})`);
  click("Undo the zoom");
  expect(liveView()?.dataset["zoom"]).toBe("1.00");
  click("Fill the screen");
  expect(liveView()?.dataset["framing"]).toBe("fill");
  click("Show the whole picture");
  expect(liveView()?.dataset["framing"]).toBe("fit");
});

test("everything that shows the picture is in the box that is framed", async () => {
  const { join } = setup();
  await join();
  expect(page.querySelectorAll(".picture-box .picture")).toHaveLength(3);
  expect(page.querySelectorAll(".picture")).toHaveLength(3);
});

test("one tap keeps the picture, and the page says so for a moment", async () => {
  const { timers, stills, join } = setup();
  await join();
  click("Keep this picture");
  expect(named("Keep this picture")?.hasAttribute("disabled")).toBe(true);
  await act(flushPromises);
  expect(stills.kept).toEqual(["now.jpg"]);
  const note = () => page.querySelector(".still-note")?.textContent;
  expect(note()).toBe("Saved");
  runAndRender(() => timers.advance(4000));
  expect(note()).toBe("");
});

test("where the browser wants another tap to save the picture, the button asks for it", async () => {
  const { stills, join } = setup();
  await join();
  stills.wantsTap = true;
  click("Keep this picture");
  await act(flushPromises);
  expect(page.querySelector(".still-note")?.textContent).toBe("Tap again to save the picture");
  stills.wantsTap = false;
  click("Save the picture");
  await act(flushPromises);
  expect(stills.kept).toEqual(["now.jpg"]);
  expect(named("Keep this picture")).not.toBeNull();
});

test("a picture that could not be kept is said, and can be tried again", async () => {
  const { stills, join } = setup();
  await join();
  stills.status = 429;
  click("Keep this picture");
  await act(flushPromises);
  expect(page.querySelector(".still-note")?.textContent).toBe("Too many at once. Please wait a moment.");
  stills.status = 200;
  click("Keep this picture");
  await act(flushPromises);
  expect(stills.kept).toEqual(["now.jpg"]);
});

test("without a live picture there is nothing to keep", async () => {
  const { timers, join } = setup();
  await join();
  runAndRender(() => timers.advance(1500));
  expect(liveView()?.dataset["picture"]).toBe("frozen");
  expect(named("Keep this picture")?.hasAttribute("disabled")).toBe(true);
});

test("a cut hold asks for a new press", async () => {
  const { deliver, join } = setup();
  await join();
  runAndRender(() => {
    window.dispatchEvent(new KeyboardEvent("keydown", { code: "ArrowRight" }));
  });
  deliver(lease("you"), notice("hold_too_long", 1));
  expect(status()).toContain("Let go and press again.");
});

test("the connection button has a name, and opens the panel", async () => {
  const { timers, deliver, join } = setup();
  await join();
  deliver({ ...state(), tilt: axis({ link: "waiting", reason: "unanswered" }) });
  expect(page.querySelector(".connection-panel")).toBeNull();
  const dot = named("Connection");
  expect(dot?.getAttribute("aria-label")).toBe("Connection: something isn’t working");
  expect(dot?.getAttribute("aria-expanded")).toBe("false");
  click("Connection");
  runAndRender(() => timers.advance(500));
  expect(dot?.getAttribute("aria-expanded")).toBe("true");
  expect(page.querySelector(".connection-panel")?.textContent).toContain("not responding");
  expect(page.querySelector("[data-latency=picture]")?.textContent).toBe("unknown"); // no frame says when it was captured
});

test("leaving returns to the start screen, where the visitor can join again", async () => {
  const { join } = setup();
  await join();
  click("Leave");
  expect(liveView()).toBeNull();
  click("Look around");
  click("Cancel");
  expect(named("Look around")).not.toBeNull();
  expect(named("End my visit")).not.toBeNull();
});

test("after leaving, the visitor can end the visit for good", async () => {
  const { join } = setup();
  await join();
  expect(named("End my visit")).toBeNull();
  click("Leave");
  click("End my visit");
  expect(page.querySelectorAll(".actions button")).toHaveLength(0);
  await act(flushPromises);
  expect(status()).toBe("Goodbye, and until next time.To visit again, ask for a new link.");
  expect(page.querySelectorAll(".actions button")).toHaveLength(0);
});

test("a visit that could not be ended says so, and can be ended again", async () => {
  const { server, join } = setup();
  server.endsSessions = false;
  await join();
  click("Leave");
  click("End my visit");
  await act(flushPromises);
  expect(status()).toContain("Your visit has not ended yet.");
  server.endsSessions = true;
  click("End my visit");
  await act(flushPromises);
  expect(status()).toContain("Goodbye");
});

test("an ended visit says why, and has no buttons", async () => {
  const { socket, join } = setup();
  await join();
  runAndRender(() => socket.end(4401, "revoked"));
  expect(status()).toBe("The household has ended this visit.To visit again, ask for a new link.");
  expect(page.querySelectorAll(".actions button")).toHaveLength(0);
});

test("a curtain that closes while looking takes the picture away at once, and says so", async () => {
  const { visit, deliver, join } = setup();
  await join();
  deliver(access("curtain"));
  expect(page.querySelector(".picture")).toBeNull();
  expect(visit.viewer.value.kind).toBe("closed");
  expect(status()).toContain("The curtain is closed.");
});

test("a curtain that opens again shows nothing until the visitor taps", async () => {
  const { visit, frame, deliver, join } = setup();
  await join();
  deliver(access("curtain"), access("open"));
  expect(visit.viewer.value.kind).toBe("closed");
  expect(status()).toContain("The curtain is open again.");
  click("Look around");
  expect(visit.viewer.value.kind).toBe("joining");
  await act(flushPromises);
  frame();
  expect(visit.viewer.value.kind).toBe("live");
  expect(page.querySelector(".start-screen")).toBeNull();
});

test("a visitor knocks, waits, and sees the picture as soon as the room says yes", async () => {
  const { socket, visit, deliver, join } = setup();
  await join();
  deliver(access("knock"));
  click("Knock");
  expect(socket.sentOf("knock")).toHaveLength(1);
  deliver(access("waiting"));
  expect(status()).toContain("You have knocked.");
  deliver(access("open"));
  expect(visit.viewer.value.kind).toBe("joining");
});

test("whoever is moved on by the room is told kindly, and may leave", async () => {
  const { deliver, join } = setup();
  await join();
  deliver(access("refused"));
  expect(status()).toContain("Someone at home would like to be undisturbed now.");
  click("Cancel");
  expect(named("Look around")).not.toBeNull();
});
