import { expect, test } from "vitest";
import { type FakePicture, fakeCodecs } from "../testing/fake-codecs";
import { FakeTimers } from "../testing/fake-timers";
import { StreamDecoder } from "./stream-decoder";

const HD = { codec: "avc1.42c01f", width: 1280, height: 720 };

function setup() {
  const timers = new FakeTimers();
  const { decoders, ports } = fakeCodecs(timers);
  const pictures: FakePicture[] = [];
  const asked: number[] = [];
  let unable = 0;
  const decoder = new StreamDecoder(ports, {
    onPicture: (picture) => pictures.push(picture as unknown as FakePicture),
    onNeedsIdr: () => asked.push(timers.now()),
    onUnable: () => unable++,
  });
  const idr = (ticks: number) => decoder.receiveFrame({ isIdr: true, ticks, accessUnit: new Uint8Array(1) });
  const delta = (ticks: number) =>
    decoder.receiveFrame({ isIdr: false, ticks, accessUnit: new Uint8Array(1) });
  const newest = () => {
    const last = decoders.at(-1);
    if (last === undefined) {
      throw new Error("no decoder was created");
    }
    return last;
  };
  const types = () => newest().chunks.map((chunk) => chunk.type);
  return { timers, decoders, decoder, pictures, asked, idr, delta, newest, types, unable: () => unable };
}

test("it is configured as the server says, and begins with an IDR", () => {
  const { decoder, idr, delta, newest, types, decoders } = setup();
  decoder.receiveDescription(HD);
  delta(0);
  expect(decoders).toHaveLength(0);
  idr(9000);
  delta(12_000);
  expect(newest().codec).toBe("avc1.42c01f");
  expect(types()).toEqual(["key", "delta"]);
  expect(newest().chunks[0]?.timestamp).toBe(100_000);
});

test("nothing is decoded before the description", () => {
  const { idr, decoders } = setup();
  idr(0);
  expect(decoders).toHaveLength(0);
});

test("a decoder that was configured in advance is used as it is, if what comes is what was expected", () => {
  const { decoder, decoders, idr, newest, types } = setup();
  decoder.prepare();
  expect(newest().codec).toBe("avc1.42c01f");
  decoder.receiveDescription(HD);
  idr(0);
  expect([decoders.length, newest().resets]).toEqual([1, 1]);
  expect(types()).toEqual(["key"]);
});

test("a decoder that was configured in advance for something else is configured again", () => {
  const { decoder, decoders, idr, newest } = setup();
  decoder.prepare();
  decoder.receiveDescription({ ...HD, codec: "avc1.640028" });
  idr(0);
  expect([decoders.length, newest().resets, newest().codec]).toEqual([1, 2, "avc1.640028"]);
  decoder.receiveDescription({ ...HD, width: 640, height: 360 });
  idr(3000);
  expect(newest().resets).toBe(3);
});

test("another description is used from the next IDR on", () => {
  const { decoder, idr, delta, newest, decoders } = setup();
  decoder.receiveDescription(HD);
  idr(0);
  decoder.receiveDescription({ ...HD, codec: "avc1.64001f" });
  delta(3000);
  expect(newest().codec).toBe("avc1.42c01f");
  idr(6000);
  expect(newest().codec).toBe("avc1.64001f");
  expect(decoders).toHaveLength(1);
});

test("a further IDR of the same kind drops nothing", () => {
  const { decoder, idr, newest } = setup();
  decoder.receiveDescription(HD);
  idr(0);
  idr(3000);
  expect(newest().resets).toBe(1);
});

test("after an error it asks for an IDR, and goes on with that in a new decoder", () => {
  const { decoder, idr, delta, newest, decoders, asked, pictures } = setup();
  decoder.receiveDescription(HD);
  idr(0);
  newest().fail();
  expect(asked).toHaveLength(1);
  delta(3000);
  idr(6000);
  expect(decoders).toHaveLength(2);
  newest().output();
  expect(pictures).toHaveLength(1);
});

test("it asks once a second at most", () => {
  const { decoder, idr, delta, newest, asked, timers } = setup();
  decoder.receiveDescription(HD);
  idr(0);
  newest().fail();
  for (let ticks = 1; ticks < 100; ticks++) {
    timers.advance(33);
    delta(ticks * 3000);
  }
  expect(asked).toHaveLength(4);
});

test("a browser that cannot decode the stream gives up after three errors in a row", () => {
  const { decoder, idr, newest, unable, decoders } = setup();
  decoder.receiveDescription(HD);
  for (let ticks = 0; ticks < 6; ticks++) {
    idr(ticks);
    newest().fail();
  }
  expect(unable()).toBe(1);
  expect(decoders).toHaveLength(3);
});

test("errors with pictures in between are not in a row", () => {
  const { decoder, idr, newest, unable } = setup();
  decoder.receiveDescription(HD);
  for (let ticks = 0; ticks < 6; ticks++) {
    idr(ticks);
    newest().output();
    newest().fail();
  }
  expect(unable()).toBe(0);
});

test("a codec that the browser does not know is an error like any other", () => {
  const { decoder, idr, unable } = setup();
  decoder.receiveDescription({ ...HD, codec: "invalid" });
  for (let ticks = 0; ticks < 3; ticks++) {
    idr(ticks);
  }
  expect(unable()).toBe(1);
});

test("a decoder that falls behind drops what it has to do, and goes on with the next IDR", () => {
  const { decoder, idr, delta, newest, types, asked } = setup();
  decoder.receiveDescription(HD);
  idr(0);
  newest().decodeQueueSize = 9;
  delta(3000);
  delta(6000);
  expect(types()).toEqual(["key"]);
  expect(asked).toHaveLength(1);
  idr(9000);
  expect(newest().resets).toBe(2);
  delta(12_000);
  expect(types()).toEqual(["key", "key", "delta"]);
});

test("what is decoded after the end is closed and not shown", () => {
  const { decoder, idr, newest, pictures } = setup();
  decoder.receiveDescription(HD);
  idr(0);
  const old = newest();
  decoder.close();
  expect(old.state).toBe("closed");
  expect(old.output().isClosed).toBe(true);
  idr(3000);
  expect(pictures).toHaveLength(0);
  expect(newest()).toBe(old);
});
