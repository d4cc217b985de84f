import { expect, test } from "vitest";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { type IvsSdk, type IvsStageEvents, joinIvs } from "./ivs";
import type { JoinFailure } from "./way";
import { JoinError } from "./whep";

const PLACE = { participant: "seat/1", token: "a-token", beat_s: 20 };
const SEAT = "/api/v1/stage/ivs/participants/seat%2F1";

class FakeTrack extends EventTarget {
  readonly kind: string;
  muted: boolean;

  constructor(kind = "video", muted = false) {
    super();
    this.kind = kind;
    this.muted = muted;
  }
}

const track = (kind?: string, muted?: boolean) => new FakeTrack(kind, muted) as unknown as MediaStreamTrack;
const given = () => Response.json(PLACE, { status: 201 });
const refused = (status: number, code: string) => Response.json({ code }, { status });

function setup(answer: () => Promise<Response> = async () => given()) {
  const timers = new FakeTimers();
  const requests: string[] = [];
  const streams: (readonly MediaStreamTrack[])[] = [];
  const lost: JoinFailure[] = [];
  const stage = { token: "", joins: 0, leaves: 0, error: null as Error | null };
  const abort = new AbortController();
  let stageEvents: IvsStageEvents | null = null;
  const sdk: IvsSdk = {
    openStage: (token, events) => {
      stage.token = token;
      stageEvents = events;
      return {
        join: async () => {
          stage.joins++;
          if (stage.error !== null) {
            throw stage.error;
          }
        },
        leave: () => {
          stage.leaves++;
        },
      };
    },
  };
  const setting = { beat: async () => new Response(null, { status: 204 }), sdk: async () => sdk };
  const ports = {
    timers,
    fetch: (path: string, init: RequestInit) => {
      requests.push(`${init.method} ${path}`);
      return init.method === "POST" ? answer() : setting.beat();
    },
    loadSdk: () => setting.sdk(),
    newStream: (tracks: readonly MediaStreamTrack[]) => tracks as unknown as MediaStream,
  };
  const events = {
    onStream: (stream: MediaStream) => streams.push(stream as unknown as readonly MediaStreamTrack[]),
    onLost: (failure: JoinFailure) => lost.push(failure),
  };
  const join = () => joinIvs(ports, "a view", events, abort.signal);
  const onStage = (): IvsStageEvents => {
    if (stageEvents === null) {
      throw new Error("no stage was opened");
    }
    return stageEvents;
  };
  return { timers, requests, streams, lost, stage, abort, setting, join, onStage };
}

const failure = async (joining: Promise<unknown>) => {
  const error = await joining.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof JoinError ? error.failure : error;
};

test("a place is taken for the view, the stage joined with its token, and the camera's stream shown", async () => {
  const { requests, stage, streams, join, onStage } = setup();
  await join();
  expect(requests).toEqual(["POST /api/v1/stage/ivs/participants?view=a%20view"]);
  expect(stage).toMatchObject({ token: "a-token", joins: 1, leaves: 0 });
  const tracks = [track("audio"), track()];
  onStage().onTracks("camera-1", tracks);
  expect(streams).toEqual([tracks]);
});

test("sound alone is no picture", async () => {
  const { streams, join, onStage } = setup();
  await join();
  onStage().onTracks("camera-1", [track("audio")]);
  expect(streams).toEqual([]);
});

test("leaving leaves the stage and gives the place back, once", async () => {
  const { requests, stage, timers, streams, join, onStage } = setup();
  const session = await join();
  session.leave();
  session.leave();
  expect(stage.leaves).toBe(1);
  expect(requests.slice(1)).toEqual([`DELETE ${SEAT}`]);
  onStage().onTracks("camera-1", [track()]);
  timers.advance(60_000);
  expect(streams).toEqual([]);
  expect(timers.pendingCount).toBe(0);
});

test("while one camera takes over from another, the picture changes once the new one has begun", async () => {
  const { streams, join, onStage } = setup();
  await join();
  const [old, fresh] = [track("video", true), track("video", true)];
  onStage().onTracks("camera-1", [old]);
  expect(streams).toEqual([[old]]);
  onStage().onTracks("camera-2", [fresh]);
  expect(streams).toHaveLength(1);
  fresh.dispatchEvent(new Event("unmute"));
  expect(streams).toEqual([[old], [fresh]]);
  onStage().onGone("camera-1");
  expect(streams).toHaveLength(2);
});

test("a camera that goes before the new one has begun is replaced at once", async () => {
  const { streams, join, onStage } = setup();
  await join();
  const [old, fresh] = [track(), track("video", true)];
  onStage().onTracks("camera-1", [old]);
  onStage().onTracks("camera-2", [fresh]);
  onStage().onGone("camera-1");
  fresh.dispatchEvent(new Event("unmute"));
  expect(streams).toEqual([[old], [fresh]]);
  onStage().onGone("camera-2");
  const next = track("video", true);
  onStage().onTracks("camera-3", [next]);
  expect(streams.at(-1)).toEqual([next]);
});

test("the server hears that somebody watches, and a network that is lost for a moment changes nothing", async () => {
  const { requests, timers, lost, setting, join } = setup();
  await join();
  timers.advance(41_000);
  expect(requests.slice(1)).toEqual([`PUT ${SEAT}`, `PUT ${SEAT}`]);
  setting.beat = () => Promise.reject(new TypeError("offline"));
  timers.advance(20_000);
  setting.beat = async () => new Response(null, { status: 503 });
  timers.advance(20_000);
  await flushPromises();
  expect(lost).toEqual([]);
});

test.each([
  [404, "not_found", "failed"],
  [403, "curtain_closed", "withheld"],
  [401, "not_invited", "no_session"],
] as const)("a place that is lost (%i) ends the session", async (status, code, expected) => {
  const { timers, stage, lost, setting, join } = setup();
  await join();
  setting.beat = async () => refused(status, code);
  timers.advance(20_000);
  await flushPromises();
  expect(lost).toEqual([expected]);
  expect(stage.leaves).toBe(1);
});

test("a stage that is left by no wish of ours is told once", async () => {
  const { stage, lost, join, onStage } = setup();
  const session = await join();
  onStage().onLeft();
  onStage().onLeft();
  session.leave();
  expect(lost).toEqual(["failed"]);
  expect(stage.leaves).toBe(1);
});

test.each([
  [async () => refused(503, "ivs_used_up"), "failed"],
  [async () => refused(403, "too_many_viewers"), "full"],
  [async () => refused(403, "quiet_hours"), "withheld"],
  [async () => refused(401, "not_invited"), "no_session"],
  [() => Promise.reject(new TypeError("offline")), "failed"],
  [async () => Response.json(null, { status: 201 }), "failed"],
] as const)("without a place there is no stage (%#)", async (answer, expected) => {
  const { stage, requests, join } = setup(answer as () => Promise<Response>);
  expect(await failure(join())).toBe(expected);
  expect(stage.joins).toBe(0);
  expect(requests).toHaveLength(1);
});

test("a place is given back if the SDK does not load, or the stage cannot be joined", async () => {
  const first = setup();
  first.setting.sdk = () => Promise.reject(new TypeError("offline"));
  expect(await failure(first.join())).toBe("failed");
  expect(first.requests.at(-1)).toBe(`DELETE ${SEAT}`);
  const second = setup();
  second.stage.error = new Error("the token has expired");
  expect(await failure(second.join())).toBe("failed");
  expect(second.requests.at(-1)).toBe(`DELETE ${SEAT}`);
  expect(second.timers.pendingCount).toBe(0);
});

test("whoever leaves before the place is there gives it back, and joins nothing", async () => {
  const { abort, stage, requests, join } = setup();
  const joining = join();
  abort.abort();
  expect(await failure(joining)).toBe("failed");
  expect(stage.joins).toBe(0);
  expect(requests.at(-1)).toBe(`DELETE ${SEAT}`);
});
