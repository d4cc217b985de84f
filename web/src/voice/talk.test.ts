import { expect, test } from "vitest";
import type { StageVoice } from "../stage/whep";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { FakeMicrophones, fakeStageVoice, voice } from "../testing/voice";
import type { ClientMessage } from "../wire/messages";
import { TAP_MS, Talk } from "./talk";

function setup({ open = false, canTalk = true } = {}) {
  const timers = new FakeTimers();
  const microphones = new FakeMicrophones();
  const { sent, current } = fakeStageVoice(canTalk);
  const messages: ClientMessage[] = [];
  const socket = { isOpen: true };
  const talk = new Talk({
    timers,
    openMicrophone: microphones.open,
    connection: current,
    send: (message) => {
      if (socket.isOpen) {
        messages.push(message);
      }
      return socket.isOpen;
    },
  });
  talk.receiveVoice(voice({ open }));
  const asked = () => messages.map(({ type }) => type);
  const kind = () => talk.state.value.kind;
  /** A press, with a microphone that is allowed already. */
  const press = async () => {
    talk.press();
    microphones.allow();
    await flushPromises();
  };
  /** The same, and the room hears it. */
  const speak = async () => {
    await press();
    talk.receiveVoice(voice({ open, heard: true }));
    timers.advance(TAP_MS);
  };
  return { timers, microphones, sent, current, messages, socket, talk, asked, kind, press, speak };
}

test("the browser is asked by the press alone, then the room, and only then is anything sent", async () => {
  const { microphones, sent, talk, asked, kind } = setup();
  expect(microphones.isAsked).toBe(false);
  talk.press();
  expect([kind(), microphones.isAsked, asked()]).toEqual(["opening", true, []]);
  microphones.allow();
  await flushPromises();
  expect([kind(), asked(), sent]).toEqual(["asking", ["talk"], []]);
  talk.receiveVoice(voice({ heard: true }));
  expect([kind(), sent]).toEqual(["talking", ["microphone 1"]]);
});

test("letting go stops the microphone at its source, tells the room, and nothing goes on", async () => {
  const { timers, microphones, sent, talk, asked, kind, speak } = setup();
  await speak();
  talk.release();
  expect([kind(), sent.at(-1), microphones.openCount]).toEqual(["off", null, 0]);
  expect(asked()).toEqual(["talk", "talk.end"]);
  timers.advance(60_000);
  expect(asked()).toHaveLength(2);
  expect(timers.pendingCount).toBe(0);
});

test("while it is held, the room is asked every second", async () => {
  const { timers, asked, speak } = setup();
  await speak();
  timers.advance(5000);
  expect(asked()).toEqual(Array(6).fill("talk"));
});

const FAIL_SAFES: Record<string, (rig: ReturnType<typeof setup>) => void> = {
  "the pointer or the focus is lost": ({ talk }) => talk.interrupt(),
  "the page is hidden": ({ talk }) => talk.end(),
  "the socket is closed": ({ talk }) => talk.receiveDisconnected(),
  "the connection of the picture is lost": ({ current }) => {
    current.value = null;
  },
  "the server ends it": ({ talk }) => talk.receiveEnded("curtain_closed"),
  "the microphone is unplugged": ({ microphones }) => microphones.unplug(),
  "the socket takes nothing": ({ socket, timers }) => {
    socket.isOpen = false;
    timers.advance(1000);
  },
};

for (const [what, happens] of Object.entries(FAIL_SAFES)) {
  test(`it ends when ${what}, and does not begin again by itself`, async () => {
    const rig = setup();
    await rig.speak();
    happens(rig);
    expect([rig.kind(), rig.microphones.openCount]).toEqual(["off", 0]);
    rig.current.value = fakeStageVoice().connection;
    rig.socket.isOpen = true;
    const before = rig.messages.length;
    rig.talk.receiveVoice(voice({ heard: true }));
    rig.timers.advance(60_000);
    rig.talk.release();
    expect([rig.kind(), rig.messages.length, rig.microphones.isAsked]).toEqual(["off", before, false]);
  });
}

test("whoever lets go before there is a microphone, or before the room answers, is never heard", async () => {
  const { timers, microphones, sent, talk, asked, kind, press } = setup();
  talk.press();
  timers.advance(400);
  talk.release();
  microphones.allow();
  await flushPromises();
  expect([kind(), microphones.openCount, asked()]).toEqual(["off", 0, []]);
  await press();
  timers.advance(400);
  talk.release();
  talk.receiveVoice(voice({ heard: true }));
  expect([kind(), microphones.openCount, sent.includes("microphone 2")]).toEqual(["off", 0, false]);
});

test("after a question of the browser, during which the button was let go, the visitor is told to press again", async () => {
  const { timers, microphones, talk, kind } = setup();
  talk.press();
  talk.interrupt(); // the question has the focus
  timers.advance(3000);
  microphones.allow();
  await flushPromises();
  expect([kind(), talk.note.value, microphones.openCount]).toEqual(["off", "ready", 0]);
  timers.advance(60_000);
  expect(talk.note.value).toBe(null);
});

for (const lack of ["denied", "missing", "busy", "insecure"] as const) {
  test(`a microphone that is ${lack} is told, and the next press asks again`, async () => {
    const { microphones, talk, asked, kind } = setup();
    talk.press();
    microphones.refuse(lack);
    await flushPromises();
    expect([kind(), talk.note.value, asked()]).toEqual(["off", lack, []]);
    talk.press();
    expect([kind(), talk.note.value]).toEqual(["opening", null]);
  });
}

for (const [reason, note] of [
  ["no_speaker", "no_speaker"],
  ["no_voice_path", "no_way"],
  ["not_permitted", "not_permitted"],
  ["quiet_hours", "withheld"],
  ["too_many", "full"],
  ["too_late", "ended"],
  ["a code of a later server", "ended"],
]) {
  test(`a refusal because of ${reason} is told as ${note}`, async () => {
    const { microphones, talk, kind, press } = setup();
    await press();
    talk.receiveEnded(reason ?? "");
    expect([kind(), talk.note.value, microphones.openCount]).toEqual(["off", note, 0]);
  });
}

test("a server that does not answer is given up", async () => {
  const { timers, microphones, talk, kind, press } = setup();
  await press();
  timers.advance(4900);
  expect(kind()).toBe("asking");
  timers.advance(200);
  expect([kind(), talk.note.value, microphones.openCount]).toEqual(["off", "ended", 0]);
});

test("a connection that carries no voice asks neither the browser nor the room", () => {
  const { microphones, talk, asked, kind } = setup({ canTalk: false });
  talk.press();
  expect([kind(), talk.note.value, microphones.isAsked, asked()]).toEqual(["off", "no_way", false, []]);
});

test("an old word of the server mutes, and is asked about again", async () => {
  const { sent, talk, kind, speak } = setup();
  await speak();
  talk.receiveVoice(voice({ heard: false })); // about a talk before this one
  expect([kind(), sent.at(-1)]).toEqual(["asking", null]);
  talk.receiveVoice(voice({ heard: true }));
  expect([kind(), sent.at(-1)]).toEqual(["talking", "microphone 1"]);
});

test("a tap is told to hold, where the house offers no open microphone", async () => {
  const { timers, talk, kind, press } = setup();
  await press();
  timers.advance(TAP_MS - 100);
  talk.release();
  expect([kind(), talk.note.value]).toEqual(["off", "hold"]);
});

test("a tap opens the microphone where the house offers it, and the next one closes it", async () => {
  const { timers, talk, messages, kind, press } = setup({ open: true });
  await press();
  timers.advance(100);
  talk.release();
  talk.receiveVoice(voice({ open: true, heard: true }));
  talk.interrupt(); // the visitor looks at another window
  timers.advance(60_000);
  expect(kind()).toBe("talking");
  expect(messages.at(-1)).toEqual({ type: "talk", mode: "open" });
  talk.press();
  expect(kind()).toBe("off");
  talk.release();
  expect(kind()).toBe("off");
});

test("an open microphone is closed when the page is hidden", async () => {
  const { microphones, talk, kind } = setup({ open: true });
  talk.tap();
  microphones.allow();
  await flushPromises();
  expect(kind()).toBe("asking");
  talk.end();
  expect([kind(), microphones.openCount]).toEqual(["off", 0]);
});

test("a tap without a press, as of a screen reader, switches on and off", async () => {
  const { microphones, talk, kind } = setup({ open: true });
  talk.tap();
  microphones.allow();
  await flushPromises();
  talk.receiveVoice(voice({ open: true, heard: true }));
  expect(kind()).toBe("talking");
  talk.tap();
  expect(kind()).toBe("off");
});

test("the level is measured ten times a second while the room hears, and is nothing else", async () => {
  const { timers, microphones, talk, speak } = setup();
  await speak();
  expect(talk.level.value).toBe(0.5);
  microphones.level = 0.8;
  timers.advance(100);
  expect(talk.level.value).toBe(0.8);
  talk.release();
  expect(talk.level.value).toBe(0);
  expect(timers.pendingCount).toBe(0);
});

test("a connection that is there later is talked by", async () => {
  const { current, talk, microphones, kind } = setup();
  const connection: StageVoice | null = current.value;
  current.value = null;
  talk.press();
  expect(kind()).toBe("off");
  current.value = connection;
  talk.press();
  microphones.allow();
  await flushPromises();
  expect(kind()).toBe("asking");
});
