// Which screen is shown: the first one, the room, or for a moment both.
import type { Timers } from "../time/timers";
import type { Visit } from "../visit/visit";
import { Room } from "./live-view";
import { Start } from "./start-screen";

export function App({ visit, timers }: { visit: Visit; timers: Timers }) {
  const isEnded = visit.isInside.value && visit.saying.value.topic === "ended";
  const isInRoom = visit.isInside.value && !isEnded;
  const hasPicture = visit.firstPictureMs.value !== null;
  return (
    <>
      {isInRoom && <Room visit={visit} timers={timers} />}
      {(!isInRoom || !hasPicture) && <Start visit={visit} />}
    </>
  );
}
