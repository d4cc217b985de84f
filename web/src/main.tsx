// Composition root of the page: only here do the browser's own clocks, sockets and requests enter.
import { render } from "preact";
import { SUBPROTOCOL } from "./control/channel";
import { Join, type LoginPorts, secretIn } from "./login/join";
import { App } from "./page/app";
import { browserStillPorts } from "./page/still";
import "./page/styles.css";
import { IceServers } from "./stage/ice-servers";
import { StreamConnector, streamLack } from "./stage/stream";
import { VIDEO_SUBPROTOCOL } from "./stage/stream-wire";
import { joinStage, type WhepPorts } from "./stage/whep";
import { browserTimers } from "./time/timers";
import { Visit } from "./visit/visit";

/** Fetched while the visitor reads the start screen. A visit that starts at once waits for them, but not for long. */
const iceServers = new IceServers({ timers: browserTimers, fetch: (path, init) => fetch(path, init) });
let iceServersReady = iceServers.refresh();

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

const loginPorts: LoginPorts = { fetch: (path, init) => fetch(path, init) };

document.addEventListener("visibilitychange", () =>
  visit.receiveVisibility(document.visibilityState === "visible"),
);
window.addEventListener("pagehide", () => visit.receivePageHide());
window.addEventListener("pageshow", (event) => event.persisted && visit.receivePageShow());
window.addEventListener("online", () => visit.retryNow());

const page = document.getElementById("page");
const secret = secretIn(location);
if (page !== null && secret !== null) {
  render(<Join ports={loginPorts} secret={secret} onJoined={() => void lookAtOnce(page)} />, page);
} else if (page !== null) {
  showView(page);
  void hasSession().then((has) => has === false && render(<Join ports={loginPorts} secret="" />, page));
}

function showView(page: HTMLElement): void {
  if (lack === null && document.visibilityState === "visible") {
    connector.prepare();
  }
  render(<App visit={visit} timers={browserTimers} stills={browserStillPorts()} />, page);
}

/** After the button of an invitation was pressed; no second tap is needed then, though a reload waits for one. */
async function lookAtOnce(page: HTMLElement): Promise<void> {
  history.replaceState(null, "", "/");
  iceServersReady = iceServers.refresh();
  showView(page);
  await iceServersReady;
  if (document.visibilityState === "visible" && !visit.isJoined.value) {
    visit.join();
  }
}

function socketAddress(path: string): URL {
  const address = new URL(path, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address;
}

async function hasSession(): Promise<boolean | null> {
  try {
    const response = await fetch("/api/v1/session", { cache: "no-store" });
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
