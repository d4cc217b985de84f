// What a visit tells, and what it needs of the browser and of the server.
import type { ChannelPorts } from "../control/channel";
import type { PainterPorts } from "../stage/painter";
import type { Player } from "../stage/player";
import type { StreamLack } from "../stage/stream";
import type { ViewerPorts } from "../stage/viewer-ports";
import type { HearingPorts } from "../voice/hearing";
import type { OpenMicrophone } from "../voice/microphone";
import type { AxisState, StageState } from "../wire/messages";

export type VisitPorts = Pick<ChannelPorts, "timers" | "random" | "openSocket" | "hasSession"> &
  Pick<ViewerPorts, "newView" | "ways" | "joinDirect" | "joinStream" | "joinIvs"> &
  Pick<PainterPorts, "requestFrame"> & {
    /** Plays WebRTC's picture. */
    readonly player: Player;
    readonly openMicrophone: OpenMicrophone;
    readonly sound: HearingPorts;
    /** Why there is no `joinStream`; null where there is one. */
    readonly streamLack: StreamLack | null;
    /** Ends the visitor's session at the server; false if that failed. */
    endSession(): Promise<boolean>;
  };

/** Whether the visitor can end the session for good, and how far that has got. This browser then needs a new link. */
export type EndVisitState = "unavailable" | "available" | "pending" | "failed" | "done";

/** What the server last said about the head and the stage. */
export interface ServerState {
  /** The name of the head, for people. */
  readonly headName: string;
  readonly pan: AxisState | null;
  readonly tilt: AxisState | null;
  readonly stage: StageState | null;
}
