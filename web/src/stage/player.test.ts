import { expect, test } from "vitest";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { FakeVideo } from "../testing/fake-video";
import { Player } from "./player";

const STREAM = { active: true } as MediaStream;

function setup() {
  const timers = new FakeTimers();
  const video = new FakeVideo();
  return { timers, video, player: new Player(video, timers) };
}

test("a stream is played, and no stream is not", async () => {
  const { video, player } = setup();
  player.show(STREAM);
  await flushPromises();
  expect(video.srcObject).toBe(STREAM);
  expect(player.isRefused.value).toBe(false);
  player.show(null);
  expect([video.srcObject, video.plays]).toEqual([null, 1]);
});

test("a browser that refuses plays after a tap", async () => {
  const { video, player } = setup();
  video.mayPlay = false;
  player.show(STREAM);
  await flushPromises();
  expect(player.isRefused.value).toBe(true);
  video.mayPlay = true;
  player.playByTap();
  await flushPromises();
  expect(player.isRefused.value).toBe(false);
});

test("a tap before there is a picture is no refusal, whatever comes of it", async () => {
  const { video, player } = setup();
  video.mayPlay = false;
  player.playByTap();
  await flushPromises();
  expect([video.plays, player.isRefused.value]).toEqual([1, false]);
});

test("a refusal of a stream that is shown no more does not count", async () => {
  const { video, player } = setup();
  video.mayPlay = false;
  player.show(STREAM);
  player.show(null);
  await flushPromises();
  expect(player.isRefused.value).toBe(false);
});

test("what the browser pauses is played again, and at once paused again it waits for a tap", async () => {
  const { timers, video, player } = setup();
  player.show(STREAM);
  timers.advance(5000);
  video.pause();
  expect(video.plays).toBe(2);
  await flushPromises();
  expect(player.isRefused.value).toBe(false);
  timers.advance(500);
  video.pause();
  expect([video.plays, player.isRefused.value]).toEqual([2, true]);
});

test("a page that is seen again asks once more, if the browser had refused", async () => {
  const { video, player } = setup();
  player.show(STREAM);
  player.receiveVisible();
  expect(video.plays).toBe(1);
  video.mayPlay = false;
  player.show(STREAM);
  await flushPromises();
  video.mayPlay = true;
  player.receiveVisible();
  await flushPromises();
  expect(player.isRefused.value).toBe(false);
});

test("an element without a stream, or with one that has ended, is left alone when it is paused", () => {
  const { video, player } = setup();
  video.pause();
  expect(video.plays).toBe(0);
  player.show({ active: false } as MediaStream);
  video.pause();
  expect([video.plays, player.isRefused.value]).toEqual([1, false]);
});
