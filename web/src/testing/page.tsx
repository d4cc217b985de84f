// The page of a visit in happy-dom, for tests: its server, its sockets and its time are the test's.
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, vi } from "vitest";
import { WHOLE_WINDOW } from "../drive/input-area";
import { App } from "../page/app";
import type { StillPorts } from "../page/still";
import { createVideo, Player } from "../stage/player";
import { Visit } from "../visit/visit";
import { lease, state, welcome } from "./examples";
import { FakeSocket } from "./fake-socket";
import { FakeTimers, flushPromises } from "./fake-timers";
import { NO_VOICE, SILENT_PORTS } from "./voice";

export const page = document.createElement("div");

/** Runs something, and lets Preact render its effects. */
export function runAndRender(run: () => void): void {
  void act(run); // nothing in here is asynchronous, so it is done when it returns
}

/** Prepares the browser before each test, and takes the page away after it; to be called once in a module of tests. */
export function usePage(): void {
  beforeEach(() => {
    // happy-dom does not play video; the tests report the frames
    HTMLMediaElement.prototype.play = async () => {};
    HTMLElement.prototype.setPointerCapture = () => {};
    // happy-dom has no layout; the screen is a wide one that the picture does not fill
    Object.defineProperties(HTMLElement.prototype, {
      clientWidth: { configurable: true, value: 1440 },
      clientHeight: { configurable: true, value: 900 },
    });
    document.body.append(page);
  });
  afterEach(() => runAndRender(() => render(null, page)));
}

/** The page of a visit whose server is the test. */
export function setup() {
  const timers = new FakeTimers();
  const video = createVideo();
  const socket = new FakeSocket();
  const server = { endsSessions: true };
  const stills = { kept: [] as string[], status: 200, wantsTap: false };
  const stillPorts: StillPorts = {
    fetch: async () => stillResponse(stills.status),
    get share() {
      return stills.wantsTap ? () => Promise.reject(new DOMException("", "NotAllowedError")) : null;
    },
    download: (_, name) => stills.kept.push(name),
  };
  const visit = new Visit({
    timers,
    random: () => 0,
    openSocket: () => socket,
    hasSession: async () => null,
    endSession: async () => server.endsSessions,
    newView: () => "view",
    joinDirect: async () => ({ captureAnchor: null, voice: NO_VOICE, leave: () => {} }),
    joinStream: null,
    streamLack: "decoder",
    player: new Player(video, timers),
    ...SILENT_PORTS,
    requestFrame: () => {},
  });
  runAndRender(() =>
    render(<App visit={visit} video={video} timers={timers} stills={stillPorts} area={WHOLE_WINDOW} />, page),
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
    await act(() => vi.dynamicImportSettled()); // what is loaded once there is a picture
  };
  return { timers, video, socket, server, stills, visit, frame, deliver, join };
}

function stillResponse(status: number): Response {
  return status === 200
    ? new Response("picture", { headers: { "content-disposition": 'attachment; filename="now.jpg"' } })
    : new Response(JSON.stringify({ code: "too_fast", message: "" }), { status });
}

/** The button of this name, or of one that begins with it. */
export const named = (name: string): HTMLElement | null =>
  [...page.querySelectorAll<HTMLElement>("button")].find(
    (button) => (button.getAttribute("aria-label") ?? button.textContent)?.startsWith(name) === true,
  ) ?? null;

export function click(name: string): void {
  const button = named(name);
  if (button === null) {
    throw new Error(`there is no button named ${name}`);
  }
  runAndRender(() => button.click());
}

/** What the page says now. */
export const status = () => page.querySelector('[role="status"]')?.textContent ?? "";
export const liveView = () => page.querySelector<HTMLElement>(".live-view");
