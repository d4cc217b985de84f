import { expect, test } from "vitest";
import { created, fakeWhep } from "../testing/fake-peer";
import { FakeTimers, settled } from "../testing/fake-timers";
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
  const join = () => joinStage(whep.ports, events, abort.signal);
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

test("an offer goes out, the answer comes in, and the server's capture clock with it", async () => {
  const { peer, requests, join } = setup(() => created({ "belvedere-capture-clock": "rtp=90;server=5" }));
  const viewing = await join();
  expect(requests[0]).toMatchObject({
    path: "/api/v1/stage/whep",
    init: { method: "POST", body: "our offer", headers: { "content-type": "application/sdp" } },
  });
  expect(peer.remoteDescription).toEqual({ type: "answer", sdp: "their answer" });
  expect(viewing.captureAnchor).toEqual({ rtp: 90, serverMs: 5 });
});

test("it only receives, prefers H.264, and keeps no picture back", async () => {
  const { peer, join } = setup();
  await join();
  expect(peer.direction).toBe("recvonly");
  expect(peer.preferred.map(({ mimeType }) => mimeType)).toEqual(["video/H264", "video/VP8", "video/rtx"]);
  expect(peer.receiver.jitterBufferTarget).toBe(0);
});

test("the stream is told as soon as it is there", async () => {
  const { peer, seen, join } = setup();
  await join();
  const stream = {} as MediaStream;
  peer.ontrack?.({ streams: [stream], track: {} });
  expect(seen.streams).toEqual([stream]);
});

test("leaving closes the connection and gives the place back once, beyond the page's own end", async () => {
  const { peer, requests, join, methods } = setup();
  const viewing = await join();
  viewing.leave();
  viewing.leave();
  expect(peer.isClosed).toBe(true);
  expect(methods()).toEqual(["POST /api/v1/stage/whep", "DELETE /api/v1/stage/whep/abc"]);
  expect(requests[1]?.init.keepalive).toBe(true);
});

test("one address of our own is enough; slow ones are not waited for", async () => {
  const { peer, timers, requests, join } = setup();
  peer.iceGatheringState = "gathering";
  const joining = join();
  await settled();
  timers.pass(500);
  await settled();
  expect(requests).toHaveLength(0);
  peer.onicecandidate?.({ candidate: {} });
  timers.pass(20);
  await joining;
  expect(requests).toHaveLength(1);
});

test("when all addresses are known there is no waiting", async () => {
  const { peer, requests, join } = setup();
  peer.iceGatheringState = "gathering";
  const joining = join();
  await settled();
  peer.onicecandidate?.({ candidate: null });
  await joining;
  expect(requests).toHaveLength(1);
});

const problem = (status: number, code: string) => () => new Response(JSON.stringify({ code }), { status });

test.each([
  ["an ended session", problem(401, "no_session"), "not_welcome"],
  ["a foreign door", problem(403, "foreign_origin"), "not_welcome"],
  ["a full house", problem(503, "too_many_viewers"), "full"],
  ["a dark camera", problem(503, "no_picture"), "no_picture"],
  ["another problem", problem(406, "no_common_codec"), "failed"],
  ["no words at all", () => new Response("oops", { status: 500 }), "failed"],
  ["an answer that makes no sense", () => created({}, "nonsense"), "failed"],
  ["no server", () => Promise.reject(new TypeError("network")), "failed"],
])("%s is told as such, and nothing stays open", async (_what, answer, expected) => {
  const { peer, join } = setup(answer);
  expect(await failure(join())).toBe(expected);
  expect(peer.isClosed).toBe(true);
});

test("a place whose answer makes no sense is given back", async () => {
  const { join, methods } = setup(() => created({}, "nonsense"));
  await failure(join());
  expect(methods()).toContain("DELETE /api/v1/stage/whep/abc");
});

test("a server that never answers is given up after eight seconds", async () => {
  const { timers, requests, join } = setup(() => new Promise(() => {}));
  const joining = failure(join());
  await settled();
  expect(requests[0]?.init.signal?.aborted).toBe(false);
  timers.pass(8000);
  expect(requests[0]?.init.signal?.aborted).toBe(true);
  void joining; // the fake's fetch does not listen to its signal; the browser's rejects
});

test("who left before the answer came gives the place back when it comes", async () => {
  let answer: (response: Response) => void = () => {};
  const { peer, abort, join, methods } = setup(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  const joining = failure(join());
  await settled();
  abort.abort();
  expect(peer.isClosed).toBe(true);
  answer(created());
  expect(await joining).toBe("failed");
  expect(methods()).toEqual(["POST /api/v1/stage/whep", "DELETE /api/v1/stage/whep/abc"]);
});

test("who left before asking does not ask", async () => {
  const { abort, requests, join } = setup();
  const joining = failure(join());
  abort.abort();
  expect(await joining).toBe("failed");
  expect(requests).toHaveLength(0);
});

test("a failed connection is lost at once, and told once", async () => {
  const { peer, seen, join } = setup();
  await join();
  peer.become("failed");
  peer.become("closed");
  expect(seen.lost).toBe(1);
});

test("a broken path has two seconds to mend", async () => {
  const { peer, timers, seen, join } = setup();
  await join();
  peer.become("disconnected");
  timers.pass(1900);
  peer.become("connected");
  timers.pass(5000);
  expect(seen.lost).toBe(0);
  peer.become("disconnected");
  timers.pass(2000);
  expect(seen.lost).toBe(1);
});

test("a picture that the server ends is lost at once, though the connection as a whole still counts as well", async () => {
  const { peer, seen, join } = setup();
  await join();
  peer.become("connected");
  peer.becomeTransport("connected");
  expect(seen.lost).toBe(0);
  peer.becomeTransport("closed");
  expect(seen.lost).toBe(1);
  peer.become("closed");
  expect(seen.lost).toBe(1);
});

test("who left hears no more of it", async () => {
  const { peer, timers, seen, join } = setup();
  const viewing = await join();
  peer.become("disconnected");
  viewing.leave();
  peer.becomeTransport("closed");
  peer.become("closed");
  timers.pass(5000);
  expect(seen.lost).toBe(0);
  expect(timers.waiting).toBe(0);
});
