// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test } from "vitest";
import { Api } from "../server/api";
import { welcome } from "../testing/examples";
import { FakeSocket } from "../testing/fake-socket";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { access, here, knocking, room } from "../testing/room";
import type { ServerMessage } from "../wire/messages";
import { Chime } from "./chime";
import { RoomApi } from "./room-api";
import { RoomControl } from "./room-control";
import { RoomPage } from "./room-page";

const page = document.createElement("div");
afterEach(() => void act(() => render(null, page)));

function setup() {
  const timers = new FakeTimers();
  const socket = new FakeSocket();
  const rules = { people: [], hours: [], guests_hear: false };
  const api = new RoomApi(
    new Api({
      fetch: async () => ({ ok: true, status: 200, text: async () => JSON.stringify(rules) }) as Response,
    }),
  );
  const chime = new Chime({
    createContext: () => {
      throw new Error("no sound here");
    },
    storage: () => {
      throw new Error("no storage here");
    },
  });
  const control = new RoomControl({
    timers,
    random: () => 0,
    openSocket: () => socket,
    hasSession: async () => null,
    requestClosing: async () => false,
    requestMicrophoneOff: async () => false,
    announce: () => {},
  });
  document.body.append(page);
  void act(() => {
    control.open();
    render(<RoomPage control={control} chime={chime} api={api} timers={timers} />, page);
  });
  const deliver = (...messages: ServerMessage[]) =>
    void act(() => {
      for (const message of messages) {
        socket.deliver(message);
      }
    });
  socket.open();
  deliver(welcome(), access());
  return { timers, socket, control, deliver };
}

const text = (selector: string) => page.querySelector(selector)?.textContent ?? "";
const button = (name: string) =>
  [...page.querySelectorAll("button")].find((each) => each.textContent?.startsWith(name) === true) ?? null;
const click = (name: string) => void act(() => button(name)?.click());

test("the page says who is here, who drives, and that nobody is", () => {
  const { deliver } = setup();
  deliver(room());
  expect(text(".room-people")).toBe("Nobody is looking.");
  deliver(room({ here: [here("Ann"), here("Bo", { drives: true })] }));
  expect(text(".room-people .room-title")).toBe("2 people are looking");
  expect(text('[data-person="id-Bo"]')).toContain("is turning the camera");
});

test("one tap closes the curtain, and the page says it only when the server does", () => {
  const { socket, deliver } = setup();
  deliver(room());
  expect(text(".curtain-state")).toBe("The curtain is open.");
  click("Close the curtain");
  expect(socket.sentOf("room.curtain")).toEqual([{ type: "room.curtain", closed: true }]);
  expect(text(".curtain-state")).toBe("Closing…");
  deliver(room({}, true));
  expect(text(".curtain-state")).toBe("The curtain is closed.");
});

test("opening needs a second tap elsewhere, not at once, and a key closes instead", () => {
  const { timers, socket, deliver } = setup();
  deliver(room({}, true));
  click("Open the curtain");
  click("Yes, open it");
  expect(socket.sentOf("room.curtain")).toEqual([]);
  void act(() => timers.advance(1000));
  click("Yes, open it");
  expect(socket.sentOf("room.curtain")).toEqual([{ type: "room.curtain", closed: false }]);
  void act(() => {
    document.dispatchEvent(new KeyboardEvent("keydown", { key: " " }));
  });
  expect(socket.sentOf("room.curtain").at(-1)?.closed).toBe(true);
});

test("a question about opening that nobody answers goes away", () => {
  const { timers, deliver } = setup();
  deliver(room({}, true));
  click("Open the curtain");
  expect(button("Yes, open it")).not.toBeNull();
  void act(() => timers.advance(5000));
  deliver(room({}, true)); // the connection lives
  void act(() => timers.advance(5000));
  expect(button("Yes, open it")).toBeNull();
  expect(button("Open the curtain")).not.toBeNull();
});

test("without a connection the page claims nothing, and the button still closes", () => {
  const { socket, control, deliver } = setup();
  deliver(room({ here: [here("Ann")] }));
  void act(() => socket.end());
  expect(text('[role="alert"].room-offline')).toContain("lost the connection");
  expect(text(".room-people")).toBe("");
  expect(text(".curtain-state")).toBe("It is not known whether the curtain is open.");
  click("Close the curtain");
  expect(control.curtain.wish.value).toBe("closing");
});

test("who knocks is asked about, and each answer is one tap", () => {
  const { socket, deliver } = setup();
  for (const [name, answer] of [
    ["Yes", "yes"],
    ["Not now", "no"],
    ["Always", "always"],
  ] as const) {
    deliver(room({ knocks: [knocking("Ann")] }));
    expect(text(".room-knock .room-title")).toBe("Ann would like to look in.");
    click(name);
    expect(socket.sentOf("room.answer").at(-1)).toEqual({ type: "room.answer", person: "id-Ann", answer });
  }
});

test("faults are told in plain words", () => {
  const { deliver } = setup();
  deliver(room({ faults: ["chime", "light"] }));
  expect(text(".room-faults")).toBe("The chime does not work.The light does not work.");
});

test("an unfulfilled wish to close says what to do", () => {
  const { timers, deliver } = setup();
  deliver(room());
  click("Close the curtain");
  void act(() => timers.advance(4000));
  expect(text(".curtain-state")).toContain("Cover the camera");
});

test("who does not live here sees nothing of the room", () => {
  const { deliver } = setup();
  deliver(access("open", { rights: ["look"] }));
  expect(page.textContent).toContain("This page is for the people who live here.");
  expect(page.querySelector("button")).toBeNull();
});

test("an ended session says so", () => {
  const { socket } = setup();
  void act(() => socket.end(4401, "revoked"));
  expect(page.textContent).toContain("The household has ended this visit.");
});

test("the settings open in their tab", async () => {
  const { deliver } = setup();
  deliver(room());
  click("Settings");
  await act(flushPromises);
  expect(text(".room-settings")).toContain("Quiet hours");
});

test("one tap or the key M switches the microphone off at once, whatever the curtain does, and on once it is saved", () => {
  const { socket, deliver } = setup();
  const microphone = (changes = {}) => ({
    microphone: { exists: true, off: false, open: true, saved: true, ...changes },
  });
  deliver(room(microphone()));
  expect(text(".microphone-state")).toBe("The room can be heard.");
  click("Microphone off");
  expect(socket.sentOf("room.microphone")).toEqual([{ type: "room.microphone", off: true }]);
  expect(text(".microphone-state")).toBe("One moment…");
  deliver(room(microphone({ off: true, open: false })));
  expect([text(".microphone-state"), text(".curtain-state")]).toEqual([
    "The microphone is off.",
    "The curtain is open.",
  ]);
  const key = () =>
    void act(() => {
      document.dispatchEvent(new KeyboardEvent("keydown", { key: "m" }));
    });
  key();
  expect(socket.sentOf("room.microphone").at(-1)).toEqual({ type: "room.microphone", off: false });
  key(); // changes the mind
  expect(socket.sentOf("room.microphone").at(-1)).toEqual({ type: "room.microphone", off: true });
  deliver(room({ microphone: { exists: false, off: false, open: false, saved: true } }));
  expect(text(".microphone")).toBe("");
});

test("a microphone of which nobody knows whether it is off is to be unplugged", () => {
  const { timers, socket, deliver } = setup();
  deliver(room());
  void act(() => socket.end());
  click("Microphone off");
  void act(() => timers.advance(4000));
  expect(text(".microphone-state")).toContain("Unplug it");
});

test("who talks is shown large, and who only has the microphone open as well", () => {
  const { deliver } = setup();
  deliver(
    room({
      here: [here("Ann", { talks: true, heard: true, hears: true }), here("Bo", { talks: true }), here("Cy")],
    }),
  );
  expect([...page.querySelectorAll(".room-talking p")].map((each) => each.textContent)).toEqual([
    "Ann is talking",
    "Bo’s microphone is open",
  ]);
  expect(text('[data-person="id-Ann"] .room-doing')).toContain("is listening");
});
