// Wires a visit to the browser's own clocks, sockets and requests: all that it needs of the server goes to one server.
import { SUBPROTOCOL } from "../control/channel";
import { browserStillPorts, type StillPorts } from "../page/still";
import { IceServers } from "../stage/ice-servers";
import { type IvsPorts, joinIvs } from "../stage/ivs";
import type { Player } from "../stage/player";
import { StreamConnector, streamLack } from "../stage/stream";
import { VIDEO_SUBPROTOCOL } from "../stage/stream-wire";
import { USUAL_WAYS, type WayName } from "../stage/way";
import { joinStage, type WhepPorts } from "../stage/whep";
import { browserTimers } from "../time/timers";
import { Visit } from "../visit/visit";
import { microphoneOpener } from "../voice/microphone";
import { Api, hasSession } from "./api";
import type { Server } from "./server";

/** Making a connection of WebRTC keeps a small computer busy, here and there, while the first picture is to come. */
const HEAD_START_MS = 120;

export interface BrowserVisit {
  readonly visit: Visit;
  readonly stills: StillPorts;
  /** Resolves once the visit can start without waiting; never rejects. */
  readonly ready: Promise<void>;
  /** Ends the visit, and stops listening to the browser. */
  close(): void;
}

/**
 * A visit that has not been joined yet, which gets its picture by these ways; `player` plays what comes by WebRTC. Gets ready
 * for the first of them in advance, if the page is visible.
 */
export function browserVisit(
  server: Server,
  player: Player,
  ways: readonly WayName[] = USUAL_WAYS,
): BrowserVisit {
  const api = new Api(server);
  const request = (path: string, init: RequestInit) => server.fetch(path, init);
  const iceServers = new IceServers({ timers: browserTimers, fetch: request });
  const stagePorts: WhepPorts = {
    timers: browserTimers,
    fetch: request,
    createPeer: () => new RTCPeerConnection({ iceServers: iceServers.current }),
    codecs: () => RTCRtpReceiver.getCapabilities?.("video")?.codecs ?? [],
  };
  const ivsPorts: IvsPorts = {
    timers: browserTimers,
    fetch: request,
    loadSdk: () => import("../stage/ivs-sdk"),
    newStream: (tracks) => new MediaStream([...tracks]),
  };
  const lack = streamLack(window);
  const connector = new StreamConnector({
    timers: browserTimers,
    openSocket: () => server.openSocket("/api/v1/stage/stream", VIDEO_SUBPROTOCOL),
    createDecoder: (init) => new VideoDecoder(init),
    createChunk: (init) => new EncodedVideoChunk(init),
  });
  const visit = new Visit({
    timers: browserTimers,
    random: Math.random,
    openSocket: () => server.openSocket("/api/v1/control", SUBPROTOCOL),
    hasSession: () => hasSession(api),
    newView: () => Math.random().toString(36).slice(2),
    ways,
    joinIvs: (view, events, signal) => joinIvs(ivsPorts, view, events, signal),
    joinDirect: async (view, events, signal) => {
      const headStart = lack === null ? HEAD_START_MS : 0;
      await Promise.all([
        iceServers.refresh(),
        new Promise<void>((go) => browserTimers.after(headStart, go)),
      ]);
      return joinStage(stagePorts, view, events, signal);
    },
    joinStream: lack === null ? (view, events) => connector.open(view, events) : null,
    streamLack: lack,
    player,
    openMicrophone: microphoneOpener({
      devices: navigator.mediaDevices,
      createContext: () => new AudioContext(),
    }),
    sound: {
      storage: () => window.localStorage,
      streamOf: (track) => new MediaStream([track]),
    },
    requestFrame: (run) => requestAnimationFrame(run),
    endSession: () => endSession(api),
  });
  if (document.visibilityState === "visible") {
    if (lack === null && ways.includes("stream")) {
      connector.prepare();
    }
    if (ways[0] === "ivs") {
      ivsPorts.loadSdk().catch(() => {}); // joining tries again
    }
  }
  const stopListening = followPage(visit);
  return {
    visit,
    stills: browserStillPorts(request),
    ready: iceServers.refresh(),
    close: () => {
      stopListening();
      connector.discard();
      visit.leave();
    },
  };
}

/** Tells the visit what becomes of the page, until the returned function is called. */
function followPage(visit: Visit): () => void {
  const controller = new AbortController();
  const until = { signal: controller.signal };
  const onVisibility = () => visit.receiveVisibility(document.visibilityState === "visible");
  document.addEventListener("visibilitychange", onVisibility, until);
  window.addEventListener("pagehide", () => visit.receivePageHide(), until);
  window.addEventListener("pageshow", (event) => event.persisted && visit.receivePageShow(), until);
  window.addEventListener("online", () => visit.retryNow(), until);
  return () => controller.abort();
}

/** Ends the session. 401 counts as success: it had ended already. */
async function endSession(api: Api): Promise<boolean> {
  const answer = await api.delete("/session");
  return answer.kind === "ok" || (answer.kind === "refused" && answer.status === 401);
}
