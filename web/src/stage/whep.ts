// One viewing over WHEP: an offer goes out, an answer comes back, and at the end it is given back with DELETE. Trying
// again is not decided here.
import type { Timers } from "../time/timers";
import { type CaptureAnchor, readCaptureClock } from "./capture-clock";

export const WHEP_PATH = "/api/v1/stage/whep";
/**
 * Our own addresses are found within a millisecond of each other, and one is enough: the server learns the others from
 * the checks that come from them. Whatever is not known by then goes without being told.
 */
const GATHER_MORE_MS = 20;
const GATHER_MOST_MS = 2000;
/** The server draws its answer in milliseconds; this long means that it is not there. */
const ANSWER_MS = 8000;
/** A path that broke often mends by itself within this time (a phone between two cells). */
const MEND_MS = 2000;

/** Why there is no picture to be had. */
export type JoinFailure =
  | "not_welcome" // the session behind this page has ended
  | "full" // as many are watching as may
  | "no_picture" // the camera gives none
  | "failed"; // anything else; trying again may help

export class JoinError extends Error {
  readonly failure: JoinFailure;

  constructor(failure: JoinFailure, cause?: unknown) {
    super(failure, { cause });
    this.failure = failure;
  }
}

export interface WhepPorts {
  readonly timers: Timers;
  fetch(path: string, init: RequestInit): Promise<Response>;
  createPeer(): RTCPeerConnection;
  /** What this browser can receive, in its own order of preference. */
  codecs(): readonly RTCRtpCodec[];
}

export interface WhepEvents {
  /** The stream is there; its first picture follows. */
  onStream(stream: MediaStream): void;
  /** The way to the server is broken for good; called at most once. */
  onLost(): void;
}

export interface Viewing {
  readonly captureAnchor: CaptureAnchor | null;
  /** Ends it here and at the server; may be called again, and while the page is going away. */
  leave(): void;
}

/**
 * Joins the stage and watches until `leave`.
 *
 * Rejects with JoinError. When `signal` aborts, whatever has been set up by then is taken down again.
 */
export async function joinStage(ports: WhepPorts, events: WhepEvents, signal: AbortSignal): Promise<Viewing> {
  const peer = ports.createPeer();
  let unwatch = () => {};
  const close = () => {
    unwatch();
    peer.ontrack = null;
    peer.close();
  };
  signal.addEventListener("abort", close);
  try {
    const offer = await makeOffer(ports, peer, events);
    if (signal.aborted) {
      throw new JoinError("failed");
    }
    const answer = await ask(ports, offer);
    const leave = () => {
      close();
      giveBack(ports, answer.location);
    };
    if (signal.aborted) {
      leave();
      throw new JoinError("failed");
    }
    unwatch = watch(ports.timers, peer, events);
    try {
      await peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    } catch (error) {
      leave();
      throw error;
    }
    return { captureAnchor: answer.captureAnchor, leave: once(leave) };
  } catch (error) {
    close();
    throw error instanceof JoinError ? error : new JoinError("failed", error);
  } finally {
    signal.removeEventListener("abort", close);
  }
}

async function makeOffer(ports: WhepPorts, peer: RTCPeerConnection, events: WhepEvents): Promise<string> {
  peer.ontrack = (event) => events.onStream(event.streams[0] ?? new MediaStream([event.track]));
  const transceiver = peer.addTransceiver("video", { direction: "recvonly" });
  preferH264(transceiver, ports.codecs());
  if ("jitterBufferTarget" in transceiver.receiver) {
    transceiver.receiver.jitterBufferTarget = 0; // every picture as soon as it is here
  }
  await peer.setLocalDescription(await peer.createOffer());
  await gathered(ports.timers, peer);
  return peer.localDescription?.sdp ?? "";
}

/** Puts what the server sends first; the rest stays, for other servers. */
function preferH264(transceiver: RTCRtpTransceiver, codecs: readonly RTCRtpCodec[]): void {
  const isH264 = (codec: RTCRtpCodec) => codec.mimeType.toLowerCase() === "video/h264";
  if (codecs.some(isH264)) {
    transceiver.setCodecPreferences?.([
      ...codecs.filter(isH264),
      ...codecs.filter((codec) => !isH264(codec)),
    ]);
  }
}

/** Resolves once our own addresses are in the description: one is enough, and slow ones are not waited for. */
function gathered(timers: Timers, peer: RTCPeerConnection): Promise<void> {
  if (peer.iceGatheringState === "complete") {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    let cancel = timers.after(GATHER_MOST_MS, resolve);
    let hasOne = false;
    peer.onicecandidate = ({ candidate }) => {
      if (candidate === null) {
        cancel();
        resolve();
      } else if (!hasOne) {
        hasOne = true;
        cancel();
        cancel = timers.after(GATHER_MORE_MS, resolve);
      }
    };
  });
}

interface Answer {
  readonly sdp: string;
  readonly location: string | null;
  readonly captureAnchor: CaptureAnchor | null;
}

async function ask(ports: WhepPorts, offer: string): Promise<Answer> {
  const limit = new AbortController();
  const cancel = ports.timers.after(ANSWER_MS, () => limit.abort());
  try {
    const response = await ports.fetch(WHEP_PATH, {
      method: "POST",
      headers: { "content-type": "application/sdp", accept: "application/sdp" },
      body: offer,
      signal: limit.signal,
    });
    if (response.status !== 201) {
      throw new JoinError(await failureOf(response));
    }
    return {
      location: response.headers.get("location"),
      captureAnchor: readCaptureClock(response.headers.get("belvedere-capture-clock")),
      sdp: await response.text(),
    };
  } finally {
    cancel();
  }
}

/** Reads the server's problem code; the status alone where there is none. */
async function failureOf(response: Response): Promise<JoinFailure> {
  if (response.status === 401 || response.status === 403) {
    return "not_welcome";
  }
  const problem: unknown = await response.json().catch(() => null);
  const code = typeof problem === "object" && problem !== null && "code" in problem ? problem.code : null;
  switch (code) {
    case "too_many_viewers":
      return "full";
    case "no_picture":
      return "no_picture";
    default:
      return "failed";
  }
}

/** Tells once when the connection is broken for good; returns what ends that. */
function watch(timers: Timers, peer: RTCPeerConnection, events: WhepEvents): () => void {
  let cancel = () => {};
  const lost = once(events.onLost);
  peer.onconnectionstatechange = () => {
    cancel();
    switch (peer.connectionState) {
      case "failed":
      case "closed":
        lost();
        break;
      case "disconnected":
        cancel = timers.after(MEND_MS, lost);
        break;
      default:
    }
  };
  // A server that ends the picture says so to the transport; the connection as a whole would count as well for seconds.
  const transports = peer.getReceivers().flatMap(({ transport }) => (transport === null ? [] : [transport]));
  for (const transport of transports) {
    transport.onstatechange = () => transport.state === "closed" && lost();
  }
  return () => {
    cancel();
    peer.onconnectionstatechange = null;
    for (const transport of transports) {
      transport.onstatechange = null;
    }
  };
}

/** `keepalive` lets the request outlive the page. A server that cannot be reached finds out by itself. */
function giveBack(ports: WhepPorts, location: string | null): void {
  if (location !== null) {
    ports.fetch(location, { method: "DELETE", keepalive: true }).catch(() => {});
  }
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) {
      isDone = true;
      run();
    }
  };
}
