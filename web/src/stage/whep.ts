// One WHEP session: POST an offer, apply the answer, DELETE the session at the end. Retrying is decided elsewhere.
import type { Timers } from "../time/timers";
import { type CaptureAnchor, parseCaptureClock } from "./capture-clock";
import { watchSilence } from "./silence";
import type { JoinFailure } from "./way";

export const WHEP_PATH = "/api/v1/stage/whep";
/**
 * How long to wait for more ICE candidates after the first. Host candidates are found within a millisecond of each
 * other, and one is enough: the server learns of the rest as peer-reflexive candidates, from the checks they send.
 */
const GATHER_EXTRA_MS = 20;
const GATHER_TIMEOUT_MS = 2000;
/** The server answers within milliseconds; if it takes this long, it cannot be reached. */
const ANSWER_TIMEOUT_MS = 8000;
/** A broken path often recovers by itself within this time, such as when a phone changes cells. */
const DISCONNECTED_GRACE_MS = 2000;

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
  /** The codecs that this browser can receive, in its order of preference. */
  codecs(): readonly RTCRtpCodec[];
}

export interface WhepEvents {
  /** The stream exists; its first frame follows. */
  onStream(stream: MediaStream): void;
  /** The connection is lost for good; called at most once. */
  onLost(): void;
}

/** The sound of a connection. */
export interface StageVoice {
  /** What the room's microphone hears; null where this connection carries none. */
  readonly heard: MediaStreamTrack | null;
  /** Whether this connection can carry the visitor's voice. */
  readonly canTalk: boolean;
  /** Sends this track to the room; null sends nothing more. */
  send(track: MediaStreamTrack | null): void;
}

export interface WhepSession {
  readonly voice: StageVoice;
  readonly captureAnchor: CaptureAnchor | null;
  /** Ends the session here and at the server; may be called twice, and while the page is being unloaded. */
  leave(): void;
}

/**
 * Joins the stage; the session lasts until `leave`. It is one viewer with all else of the same view.
 *
 * Rejects with JoinError. When `signal` aborts, everything set up until then is closed again, at the server too.
 */
export async function joinStage(
  ports: WhepPorts,
  view: string,
  events: WhepEvents,
  signal: AbortSignal,
): Promise<WhepSession> {
  const peer = ports.createPeer();
  let stopWatching = () => {};
  const close = () => {
    stopWatching();
    peer.ontrack = null;
    peer.close();
  };
  signal.addEventListener("abort", close);
  try {
    const { offer, audio } = await createOffer(ports, peer, events);
    if (signal.aborted) {
      throw new JoinError("failed");
    }
    const answer = await postOffer(ports, view, offer);
    const leave = () => {
      close();
      deleteSession(ports, answer.location);
    };
    if (signal.aborted) {
      leave();
      throw new JoinError("failed");
    }
    stopWatching = watchConnection(ports.timers, peer, events);
    try {
      await peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    } catch (error) {
      leave();
      throw error;
    }
    return { captureAnchor: answer.captureAnchor, voice: voiceOf(audio), leave: once(leave) };
  } catch (error) {
    close();
    throw error instanceof JoinError ? error : new JoinError("failed", error);
  } finally {
    signal.removeEventListener("abort", close);
  }
}

interface Offer {
  readonly offer: string;
  readonly audio: RTCRtpTransceiver;
}

async function createOffer(ports: WhepPorts, peer: RTCPeerConnection, events: WhepEvents): Promise<Offer> {
  peer.ontrack = (event) => {
    if (event.track.kind !== "audio") {
      events.onStream(event.streams[0] ?? new MediaStream([event.track]));
    }
  };
  const transceiver = peer.addTransceiver("video", { direction: "recvonly" });
  preferH264(transceiver, ports.codecs());
  if ("jitterBufferTarget" in transceiver.receiver) {
    transceiver.receiver.jitterBufferTarget = 0; // show each frame as soon as it arrives
  }
  // Both ways from the start, without a track: to talk later, nothing has to be agreed on again.
  const audio = peer.addTransceiver("audio", { direction: "sendrecv" });
  if ("jitterBufferTarget" in audio.receiver) {
    audio.receiver.jitterBufferTarget = 0; // or the picture would wait for the sound
  }
  await peer.setLocalDescription(await peer.createOffer());
  await waitForCandidates(ports.timers, peer);
  return { offer: peer.localDescription?.sdp ?? "", audio };
}

/** What the server has agreed to; a server without sound has refused it. */
function voiceOf(audio: RTCRtpTransceiver): StageVoice {
  const direction = audio.currentDirection ?? "inactive";
  return {
    heard: direction === "sendrecv" || direction === "recvonly" ? audio.receiver.track : null,
    canTalk: direction === "sendrecv" || direction === "sendonly",
    send: (track) => {
      audio.sender.replaceTrack(track).catch(() => {}); // the connection is closed, so nothing is sent anyway
    },
  };
}

/** Puts H.264 first, which our server sends, and keeps the rest for other servers. */
function preferH264(transceiver: RTCRtpTransceiver, codecs: readonly RTCRtpCodec[]): void {
  const isH264 = (codec: RTCRtpCodec) => codec.mimeType.toLowerCase() === "video/h264";
  if (codecs.some(isH264)) {
    transceiver.setCodecPreferences?.([
      ...codecs.filter(isH264),
      ...codecs.filter((codec) => !isH264(codec)),
    ]);
  }
}

/** Resolves when the local description has enough ICE candidates; slow ones are not waited for. */
function waitForCandidates(timers: Timers, peer: RTCPeerConnection): Promise<void> {
  if (peer.iceGatheringState === "complete") {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    let cancel = timers.after(GATHER_TIMEOUT_MS, resolve);
    let hasOne = false;
    peer.onicecandidate = ({ candidate }) => {
      if (candidate === null) {
        cancel();
        resolve();
      } else if (!hasOne) {
        hasOne = true;
        cancel();
        cancel = timers.after(GATHER_EXTRA_MS, resolve);
      }
    };
  });
}

interface Answer {
  readonly sdp: string;
  readonly location: string | null;
  readonly captureAnchor: CaptureAnchor | null;
}

async function postOffer(ports: WhepPorts, view: string, offer: string): Promise<Answer> {
  const timeout = new AbortController();
  const cancel = ports.timers.after(ANSWER_TIMEOUT_MS, () => timeout.abort());
  try {
    const response = await ports.fetch(`${WHEP_PATH}?view=${encodeURIComponent(view)}`, {
      method: "POST",
      headers: { "content-type": "application/sdp", accept: "application/sdp" },
      body: offer,
      signal: timeout.signal,
    });
    if (response.status !== 201) {
      throw new JoinError(await readFailure(response));
    }
    return {
      location: pathOf(response.headers.get("location")),
      captureAnchor: parseCaptureClock(response.headers.get("belvedere-capture-clock")),
      sdp: await response.text(),
    };
  } finally {
    cancel();
  }
}

/** From the problem code in the body; from the status if there is none. */
export async function readFailure(response: Response): Promise<JoinFailure> {
  const problem: unknown = await response.json().catch(() => null);
  const code = typeof problem === "object" && problem !== null && "code" in problem ? problem.code : null;
  switch (code) {
    case "curtain_closed":
    case "not_welcomed":
    case "quiet_hours":
      return "withheld";
    case "too_many_viewers":
      return "full";
    case "no_picture":
      return "no_picture";
    case "no_common_codec":
      return "no_codec";
    case "foreign_origin":
    case "unknown_host":
      return "misrouted";
    default:
      return response.status === 401 || response.status === 403 ? "no_session" : "failed";
  }
}

/** Calls `onLost` once when the connection is lost for good; returns a function that stops watching. */
function watchConnection(timers: Timers, peer: RTCPeerConnection, events: WhepEvents): () => void {
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
        cancel = timers.after(DISCONNECTED_GRACE_MS, lost);
        break;
      default:
    }
  };
  // A server that ends the stream closes the DTLS transport; `connectionState` would stay "connected" for seconds.
  // The sound's own transport is closed once it shares the picture's, or is refused.
  const pictures = peer.getReceivers().filter(({ track }) => track.kind !== "audio");
  const transports = pictures.flatMap(({ transport }) => (transport === null ? [] : [transport]));
  for (const transport of transports) {
    transport.onstatechange = () => transport.state === "closed" && lost();
  }
  const stopListening = watchSilence(timers, peer, lost);
  return () => {
    cancel();
    stopListening();
    peer.onconnectionstatechange = null;
    for (const transport of transports) {
      transport.onstatechange = null;
    }
  };
}

/** The path of a connection below the server's own address, of which `Location` has the path as well. */
function pathOf(location: string | null): string | null {
  const begin = location?.lastIndexOf(`${WHEP_PATH}/`) ?? -1;
  return location === null || begin < 0 ? null : location.slice(begin);
}

/** `keepalive` lets the request outlive the page. If it fails, the server times the session out. */
function deleteSession(ports: WhepPorts, location: string | null): void {
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
