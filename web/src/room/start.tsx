// Starts the room's page: the only place where it meets the browser's own clocks, sockets and requests.
import { render } from "preact";
import { SUBPROTOCOL } from "../control/channel";
import { keepScreenOn } from "../page/wake-lock";
import { Api, hasSession } from "../server/api";
import type { Server } from "../server/server";
import { browserTimers } from "../time/timers";
import { Chime } from "./chime";
import "./room.css";
import { RoomApi } from "./room-api";
import { RoomControl } from "./room-control";
import { RoomPage } from "./room-page";

/** Shows the page in this element. It is a tablet on a shelf: it stays on, and connected, for as long as it is shown. */
export function startRoom(element: HTMLElement, server: Server): void {
  const api = new Api(server);
  const roomApi = new RoomApi(api);
  const chime = new Chime({
    createContext: () => new AudioContext(),
    storage: () => window.localStorage,
  });
  const control = new RoomControl({
    timers: browserTimers,
    random: Math.random,
    openSocket: () => server.openSocket("/api/v1/control", SUBPROTOCOL),
    hasSession: () => hasSession(api),
    requestClosing: () => roomApi.closeCurtain(),
    requestMicrophoneOff: () => roomApi.switchMicrophoneOff(),
    announce: (what) => chime.ring(what),
  });
  window.addEventListener("online", () => control.retryNow());
  document.addEventListener("visibilitychange", () => control.retryNow());
  keepScreenOn();
  control.open();
  render(<RoomPage control={control} chime={chime} api={roomApi} timers={browserTimers} />, element);
}
