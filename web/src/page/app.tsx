// Chooses the screen: the start screen, the live view, or both until the first picture arrives.
import type { ComponentChildren } from "preact";
import type { InputArea } from "../drive/input-area";
import type { Timers } from "../time/timers";
import type { Visit } from "../visit/visit";
import { LiveView } from "./live-view";
import { StartScreen } from "./start-screen";
import type { StillPorts } from "./still";

export interface AppProps {
  readonly visit: Visit;
  /** Where the picture of WebRTC is played. */
  readonly video: HTMLVideoElement;
  readonly timers: Timers;
  readonly stills: StillPorts;
  readonly area: InputArea;
  /** More ways to go from the start screen. */
  readonly menu?: ComponentChildren;
  /** What is told over the live picture. */
  readonly card?: ComponentChildren;
}

export function App({ visit, video, timers, stills, area, menu, card }: AppProps) {
  const isEnded = visit.isJoined.value && visit.statusMessage.value.topic === "ended";
  const isLive = visit.isJoined.value && !isEnded && !visit.isWithheld.value;
  const hasPicture = visit.firstPictureMs.value !== null;
  return (
    <>
      {isLive && (
        <LiveView
          visit={visit}
          video={video}
          timers={timers}
          stills={stills}
          area={area}
          isCovered={!hasPicture}
        />
      )}
      {isLive && hasPicture && card}
      {(!isLive || !hasPicture) && <StartScreen visit={visit} isAlone={!isLive} menu={menu} />}
    </>
  );
}
