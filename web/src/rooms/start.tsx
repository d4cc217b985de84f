// Starts the page of rooms: the only place where it meets the browser's own clock and requests.
import { render } from "preact";
import { Api } from "../server/api";
import type { Server } from "../server/server";
import { browserTimers } from "../time/timers";
import { RoomList } from "./room-list";
import "./rooms.css";
import { RoomsPage } from "./rooms-page";

/** Shows the page in this element. */
export function startRooms(element: HTMLElement, server: Server): void {
  const list = new RoomList({
    api: new Api(server),
    timers: browserTimers,
    fetch: (address, init) => fetch(address, init),
  });
  const follow = () => list.receiveVisibility(document.visibilityState === "visible");
  document.addEventListener("visibilitychange", follow);
  window.addEventListener("online", () => void list.refresh());
  follow();
  render(<RoomsPage list={list} />, element);
}
