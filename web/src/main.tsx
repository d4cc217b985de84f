// Composition root of the page: only here do the browser's own clocks, sockets and requests enter.
import { render } from "preact";
import { SUBPROTOCOL } from "./control/channel";
import { App } from "./page/app";
import { browserStillPorts } from "./page/still";
import "./page/styles.css";
import { IceServers } from "./stage/ice-servers";
import { StreamConnector, streamLack } from "./stage/stream";
import { VIDEO_SUBPROTOCOL } from "./stage/stream-wire";
import { joinStage, type WhepPorts } from "./stage/whep";
import { browserTimers } from "./time/timers";
import { Visit } from "./visit/visit";
import { followLanguage, startLanguage } from "./words/language";

startLanguage({ wanted: navigator.languages, storage: () => window.localStorage });
followLanguage(document.documentElement);

/** Fetched while the visitor reads the start screen. A visit that starts at once waits for them, but not for long. */
const iceServers = new IceServers({ timers: browserTimers, fetch: (path, init) => fetch(path, init) });
const iceServersReady = iceServers.refresh();
/** The invitation's page redirects here once its button was pressed; no second tap is needed then. */
const JOIN_AT_ONCE = "#look";

const stagePorts: WhepPorts = {
  timers: browserTimers,
  fetch: (path, init) => fetch(path, init),
  createPeer: () => new RTCPeerConnection({ iceServers: iceServers.current }),
  codecs: () => RTCRtpReceiver.getCapabilities?.("video")?.codecs ?? [],
};

const lack = streamLack(window);
const connector = new StreamConnector({
  timers: browserTimers,
  openSocket: () => new WebSocket(socketAddress("/api/v1/stage/stream"), VIDEO_SUBPROTOCOL),
  createDecoder: (init) => new VideoDecoder(init),
  createChunk: (init) => new EncodedVideoChunk(init),
});

const visit = new Visit({
  timers: browserTimers,
  random: Math.random,
  openSocket: () => new WebSocket(socketAddress("/api/v1/control"), SUBPROTOCOL),
  hasSession,
  newView: () => Math.random().toString(36).slice(2),
  joinDirect: async (view, events, signal) => {
    await iceServers.refresh();
    return joinStage(stagePorts, view, events, signal);
  },
  joinStream: lack === null ? (view, events) => connector.open(view, events) : null,
  streamLack: lack,
  requestFrame: (run) => requestAnimationFrame(run),
  endSession,
});

if (lack === null && document.visibilityState === "visible") {
  connector.prepare();
}

document.addEventListener("visibilitychange", () =>
  visit.receiveVisibility(document.visibilityState === "visible"),
);
window.addEventListener("pagehide", () => visit.receivePageHide());
window.addEventListener("pageshow", (event) => event.persisted && visit.receivePageShow());
window.addEventListener("online", () => visit.retryNow());

const page = document.getElementById("page");
if (page !== null) {
  render(<App visit={visit} timers={browserTimers} stills={browserStillPorts()} />, page);
}

if (location.hash === JOIN_AT_ONCE) {
  history.replaceState(null, "", location.pathname); // so that a reload waits for a tap
  void iceServersReady.then(() => {
    if (document.visibilityState === "visible" && !visit.isJoined.value) {
      visit.join();
    }
  });
}

function socketAddress(path: string): URL {
  const address = new URL(path, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address;
}

/** The page itself is served only with a session, so requesting it again tells whether the session still exists. */
async function hasSession(): Promise<boolean | null> {
  try {
    const response = await fetch("/", { cache: "no-store" });
    return response.status !== 401 && response.status !== 403;
  } catch {
    return null;
  }
}

/** 401 counts as success: the session had ended already. */
async function endSession(): Promise<boolean> {
  try {
    const response = await fetch("/api/v1/session", { method: "DELETE" });
    return response.ok || response.status === 401;
  } catch {
    return false;
  }
}
