import { expect, test } from "vitest";
import { asFrame, type FakePicture, picture } from "../testing/fake-codecs";
import { Painter } from "./painter";

function setup() {
  let repaints: ((atMs: number) => void)[] = [];
  const shown: [capturedAtMs: number, shownAtMs: number][] = [];
  const drawn: FakePicture[] = [];
  const painter = new Painter({
    requestFrame: (run) => repaints.push(run),
    receiveShown: (capturedAtMs, shownAtMs) => shown.push([capturedAtMs, shownAtMs]),
  });
  const context = { drawImage: (image: FakePicture) => drawn.push(image) };
  const canvas = { width: 300, height: 150, getContext: () => context };
  painter.attach(canvas as unknown as HTMLCanvasElement); // the part of it that is used
  const receive = (timestamp: number) => {
    const received = picture(timestamp);
    painter.receivePicture(asFrame(received));
    return received;
  };
  const repaint = (atMs: number) => {
    const due = repaints;
    repaints = [];
    for (const run of due) {
      run(atMs);
    }
  };
  return { painter, canvas, drawn, shown, receive, repaint, requested: () => repaints.length };
}

test("a picture is drawn before the next repaint, in its own size, and shown when that is over", () => {
  const { canvas, drawn, shown, receive, repaint } = setup();
  const received = receive(40_000);
  repaint(100);
  expect(drawn).toEqual([received]);
  expect([canvas.width, canvas.height]).toEqual([640, 360]);
  expect(received.isClosed).toBe(true);
  expect(shown).toEqual([]);
  repaint(116);
  expect(shown).toEqual([[40, 116]]);
});

test("of several pictures before a repaint only the newest is drawn, and all are closed", () => {
  const { drawn, receive, repaint, requested } = setup();
  const pictures = [receive(1), receive(2), receive(3)];
  expect(requested()).toBe(1);
  repaint(100);
  expect(drawn).toEqual([pictures[2]]);
  expect(pictures.every((each) => each.isClosed)).toBe(true);
});

test("while nothing comes, no repaint is requested", () => {
  const { receive, repaint, requested } = setup();
  receive(1);
  repaint(100);
  repaint(116);
  expect(requested()).toBe(0);
});

test("what waits to be drawn can be discarded, and the canvas emptied", () => {
  const { painter, canvas, drawn, shown, receive, repaint } = setup();
  receive(1);
  repaint(100);
  const late = receive(2);
  painter.clear();
  repaint(116);
  repaint(132);
  expect(late.isClosed).toBe(true);
  expect(drawn).toHaveLength(1);
  expect(shown).toEqual([]);
  expect(canvas.width).toBe(0);
});

test("without a canvas a picture is closed and not shown", () => {
  const { painter, shown, receive, repaint } = setup();
  painter.attach(null);
  const received = receive(1);
  repaint(100);
  repaint(116);
  expect(received.isClosed).toBe(true);
  expect(shown).toEqual([]);
});
