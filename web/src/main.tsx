// Composition root of the page: the browser's own parts are given to the visit here, and nowhere else.
import { render } from "preact";
import { type Socket, SUBPROTOCOL } from "./control/channel";
import { App } from "./page/app";
import "./page/styles.css";
import { askIceServers } from "./stage/ice-servers";
import { joinStage, type WhepPorts } from "./stage/whep";
import { browserTimers } from "./time/timers";
import { Visit } from "./visit/visit";

/** Asked for while the visitor looks at the button; a join never waits for them. */
let iceServers: RTCIceServer[] = [];
void askIceServers((path, init) => fetch(path, init)).then((servers) => {
  iceServers = servers;
});

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
  isWelcome,
  join: (events, signal) => joinStage(stagePorts, events, signal),
});

document.addEventListener("visibilitychange", () =>
  visit.receiveVisible(document.visibilityState === "visible"),
);
window.addEventListener("pagehide", () => visit.receiveGone());
window.addEventListener("pageshow", (event) => event.persisted && visit.receiveBack());
window.addEventListener("online", () => visit.retryNow());

const page = document.getElementById("page");
if (page !== null) {
  render(<App visit={visit} timers={browserTimers} />, page);
}

function openSocket(): Socket {
  const address = new URL("/api/v1/control", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(address, SUBPROTOCOL);
}

/** The page itself needs the session too, so asking for it again tells whether that still stands. */
async function isWelcome(): Promise<boolean | null> {
  try {
    const response = await fetch("/", { cache: "no-store" });
    return response.status !== 401 && response.status !== 403;
  } catch {
    return null;
  }
}
