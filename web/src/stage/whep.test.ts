import { expect, test } from "vitest";
import { created, fakeWhep } from "../testing/fake-peer";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { JoinError, joinStage } from "./whep";

function setup(answer: () => Response | Promise<Response> = () => created()) {
  const timers = new FakeTimers();
  const whep = fakeWhep(timers, answer);
  const abort = new AbortController();
  const seen = { streams: [] as MediaStream[], lost: 0 };
  const events = {
    onStream: (stream: MediaStream) => seen.streams.push(stream),
    onLost: () => {
      seen.lost += 1;
    },
  };
  const join = () => joinStage(whep.ports, "a-view", events, abort.signal);
  const methods = () => whep.requests.map(({ path, init }) => `${init.method} ${path}`);
  return { ...whep, timers, abort, seen, join, methods };
}

const failure = async (joining: Promise<unknown>) => {
  const error = await joining.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof JoinError ? error.failure : error;
};

test("the offer is posted and the answer applied, with the server's capture clock", async () => {
  const { peer, requests, join } = setup(() => created({ "belvedere-capture-clock": "rtp=90;server=5" }));
  const session = await join();
  expect(requests[0]).toMatchObject({
    path: "/api/v1/stage/whep?view=a-view",
    init: { method: "POST", body: "our offer", headers: { "content-type": "application/sdp" } },
  });
  expect(peer.remoteDescription).toEqual({ type: "answer", sdp: "their answer" });
  expect(session.captureAnchor).toEqual({ rtpTimestamp: 90, serverMs: 5 });
});

test("it only receives, prefers H.264, and does not buffer frames", async () => {
  const { peer, join } = setup();
  await join();
  expect(peer.direction).toBe("recvonly");
  expect(peer.preferred.map(({ mimeType }) => mimeType)).toEqual(["video/H264", "video/VP8", "video/rtx"]);
  expect(peer.receiver.jitterBufferTarget).toBe(0);
});

test("sound is offered both ways without a microphone, and carries what the server has agreed to", async () => {
  for (const [direction, hears, canTalk] of [
    ["sendrecv", true, true],
    ["recvonly", true, false],
    ["sendonly", false, true],
    ["inactive", false, false],
    [null, false, false],
  ] as const) {
    const { peer, join } = setup();
    peer.audio.currentDirection = direction;
    const { voice } = await join();
    expect([voice.heard !== null, voice.canTalk]).toEqual([hears, canTalk]);
    expect(peer.audio.receiver.jitterBufferTarget).toBe(0);
    expect(peer.audio.sent).toEqual([]);
    voice.send({ kind: "audio" } as MediaStreamTrack);
    voice.send(null);
    expect(peer.audio.sent).toEqual([{ kind: "audio" }, null]);
  }
});

test("the stream is reported as soon as it exists", async () => {
  const { peer, seen, join } = setup();
  await join();
  const stream = {} as MediaStream;
  peer.ontrack?.({ streams: [stream], track: {} });
  expect(seen.streams).toEqual([stream]);
});

test("leaving closes the connection and deletes the session once, even while the page unloads", async () => {
  const { peer, requests, join, methods } = setup();
  const session = await join();
  session.leave();
  session.leave();
  expect(peer.isClosed).toBe(true);
  expect(methods()).toEqual(["POST /api/v1/stage/whep?view=a-view", "DELETE /api/v1/stage/whep/abc"]);
  expect(requests[1]?.init.keepalive).toBe(true);
});

test("one ICE candidate is enough; slow ones are not waited for", async () => {
  const { peer, timers, requests, join } = setup();
  peer.iceGatheringState = "gathering";
  const joining = join();
  await flushPromises();
  timers.advance(500);
  await flushPromises();
  expect(requests).toHaveLength(0);
  peer.onicecandidate?.({ candidate: {} });
  timers.advance(20);
  await joining;
  expect(requests).toHaveLength(1);
});

test("complete gathering ends the wait", async () => {
  const { peer, requests, join } = setup();
  peer.iceGatheringState = "gathering";
  const joining = join();
  await flushPromises();
  peer.onicecandidate?.({ candidate: null });
  await joining;
  expect(requests).toHaveLength(1);
});

const problem = (status: number, code: string) => () => new Response(JSON.stringify({ code }), { status });

test.each([
  ["an ended session", problem(401, "no_session"), "no_session"],
  ["a closed curtain", problem(403, "curtain_closed"), "withheld"],
  ["a room that wants a knock", problem(403, "not_welcomed"), "withheld"],
  ["quiet hours", problem(403, "quiet_hours"), "withheld"],
  ["a foreign origin", problem(403, "foreign_origin"), "misrouted"],
  ["a host that a proxy has changed", problem(421, "unknown_host"), "misrouted"],
  ["a right that was lost", problem(403, "not_permitted"), "no_session"],
  ["too many viewers", problem(503, "too_many_viewers"), "full"],
  ["no camera picture", problem(503, "no_picture"), "no_picture"],
  ["a codec that the browser lacks", problem(422, "no_common_codec"), "no_codec"],
  ["another problem", problem(422, "bad_offer"), "failed"],
  ["no problem code", () => new Response("oops", { status: 500 }), "failed"],
  ["an invalid answer", () => created({}, "nonsense"), "failed"],
  ["no server", () => Promise.reject(new TypeError("network")), "failed"],
])("%s is reported as such, and nothing stays open", async (_what, answer, expected) => {
  const { peer, join } = setup(answer);
  expect(await failure(join())).toBe(expected);
  expect(peer.isClosed).toBe(true);
});

test("a session whose answer is invalid is deleted", async () => {
  const { join, methods } = setup(() => created({}, "nonsense"));
  await failure(join());
  expect(methods()).toContain("DELETE /api/v1/stage/whep/abc");
});

test("a session of a house below a path is deleted below the server's own address", async () => {
  const { join, methods } = setup(() => created({ location: "/kitchen/api/v1/stage/whep/abc" }));
  (await join()).leave();
  expect(methods()).toEqual(["POST /api/v1/stage/whep?view=a-view", "DELETE /api/v1/stage/whep/abc"]);
});

test("a request without an answer is aborted after eight seconds", async () => {
  const { timers, requests, join } = setup(() => new Promise(() => {}));
  const joining = failure(join());
  await flushPromises();
  expect(requests[0]?.init.signal?.aborted).toBe(false);
  timers.advance(8000);
  expect(requests[0]?.init.signal?.aborted).toBe(true);
  void joining; // the fake's fetch does not listen to its signal; the browser's rejects
});

test("if it is aborted before the answer, the session is deleted when the answer comes", async () => {
  let answer: (response: Response) => void = () => {};
  const { peer, abort, join, methods } = setup(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  const joining = failure(join());
  await flushPromises();
  abort.abort();
  expect(peer.isClosed).toBe(true);
  answer(created());
  expect(await joining).toBe("failed");
  expect(methods()).toEqual(["POST /api/v1/stage/whep?view=a-view", "DELETE /api/v1/stage/whep/abc"]);
});

test("if it is aborted before the request, none is made", async () => {
  const { abort, requests, join } = setup();
  const joining = failure(join());
  abort.abort();
  expect(await joining).toBe("failed");
  expect(requests).toHaveLength(0);
});

test("a failed connection is lost at once, and reported once", async () => {
  const { peer, seen, join } = setup();
  await join();
  peer.setConnectionState("failed");
  peer.setConnectionState("closed");
  expect(seen.lost).toBe(1);
});

test("a disconnected path has two seconds to recover", async () => {
  const { peer, timers, seen, join } = setup();
  await join();
  peer.setConnectionState("disconnected");
  timers.advance(1900);
  peer.setConnectionState("connected");
  timers.advance(5000);
  expect(seen.lost).toBe(0);
  peer.setConnectionState("disconnected");
  timers.advance(2000);
  expect(seen.lost).toBe(1);
});

test("a connection on which nothing arrives any more is lost before the browser calls it disconnected", async () => {
  const { peer, timers, seen, join } = setup();
  await join();
  peer.setConnectionState("connected");
  for (let check = 0; check < 8; check++) {
    peer.bytesReceived ||= 1000;
    timers.advance(250);
    await flushPromises();
  }
  expect(seen.lost).toBe(1);
});

test("a stream that the server ends is lost at once, although the connection state does not change", async () => {
  const { peer, seen, join } = setup();
  await join();
  peer.setConnectionState("connected");
  peer.setTransportState("connected");
  expect(seen.lost).toBe(0);
  peer.setTransportState("closed");
  expect(seen.lost).toBe(1);
  peer.setConnectionState("closed");
  expect(seen.lost).toBe(1);
});

test("the sound's own transport, which is closed once it shares the picture's, is not the picture's end", async () => {
  const { peer, seen, join } = setup();
  await join();
  expect(peer.audio.receiver.transport.onstatechange).toBe(null);
  peer.setTransportState("closed");
  expect(seen.lost).toBe(1);
});

test("after leaving nothing is reported", async () => {
  const { peer, timers, seen, join } = setup();
  const session = await join();
  peer.setConnectionState("disconnected");
  session.leave();
  peer.setTransportState("closed");
  peer.setConnectionState("closed");
  timers.advance(5000);
  expect(seen.lost).toBe(0);
  expect(timers.pendingCount).toBe(0);
});
