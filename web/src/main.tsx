// Composition root of the page: the browser's own parts are given to the visit here, and nowhere else.
import { render } from "preact";
import { type Socket, SUBPROTOCOL } from "./control/channel";
import { App } from "./page/app";
import "./page/styles.css";
import { fetchIceServers } from "./stage/ice-servers";
import { joinStage, type WhepPorts } from "./stage/whep";
import { browserTimers } from "./time/timers";
import { Visit } from "./visit/visit";

/** Asked for while the visitor looks at the button; who tapped one before waits for them, but not for long. */
let iceServers: RTCIceServer[] = [];
const iceServersReady = fetchIceServers((path, init) => fetch(path, init)).then((servers) => {
  iceServers = servers;
});
const ICE_SERVERS_MS = 500;
/** Where the door sends those who have just pressed its button; src/belvedere/gateway/enter.py. */
const LOOKING = "#look";

const stagePorts: WhepPorts = {
  timers: browserTimers,
  fetch: (path, init) => fetch(path, init),
  createPeer: () => new RTCPeerConnection({ iceServers }),
  codecs: () => RTCRtpReceiver.getCapabilities?.("video")?.codecs ?? [],
};

const visit = new Visit({
  timers: browserTimers,
  random: Math.random,
  openSocket,
  hasSession,
  join: (events, signal) => joinStage(stagePorts, events, signal),
  endSession,
});

document.addEventListener("visibilitychange", () =>
  visit.receiveVisibility(document.visibilityState === "visible"),
);
window.addEventListener("pagehide", () => visit.receiveGone());
window.addEventListener("pageshow", (event) => event.persisted && visit.receiveBack());
window.addEventListener("online", () => visit.retryNow());

const page = document.getElementById("page");
if (page !== null) {
  render(<App visit={visit} timers={browserTimers} />, page);
}

if (location.hash === LOOKING) {
  history.replaceState(null, "", location.pathname); // loaded again, the page waits for a tap
  const enough = new Promise((resolve) => setTimeout(resolve, ICE_SERVERS_MS));
  void Promise.race([iceServersReady, enough]).then(() => {
    if (document.visibilityState === "visible" && !visit.isInside.value) {
      visit.join();
    }
  });
}

function openSocket(): Socket {
  const address = new URL("/api/v1/control", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(address, SUBPROTOCOL);
}

/** The page itself needs the session too, so asking for it again tells whether that still stands. */
async function hasSession(): Promise<boolean | null> {
  try {
    const response = await fetch("/", { cache: "no-store" });
    return response.status !== 401 && response.status !== 403;
  } catch {
    return null;
  }
}

/** A session that is over already has ended as well. */
async function endSession(): Promise<boolean> {
  try {
    const response = await fetch("/api/v1/session", { method: "DELETE" });
    return response.ok || response.status === 401;
  } catch {
    return false;
  }
}
