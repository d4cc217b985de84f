// What a viewer tells, and what it needs of the browser and of the ways.

import type { Timers } from "../time/timers";
import type { IvsEvents, IvsSession } from "./ivs";
import type { StreamEvents, StreamSession } from "./stream";
import type { RetriedFailure, WayName } from "./way";
import type { WhepEvents, WhepSession } from "./whep";

export type ViewerState =
  | { readonly kind: "closed" }
  /** `after` is why the attempt before this one failed; null for the first. */
  | { readonly kind: "joining"; readonly attempt: number; readonly after: RetriedFailure | null }
  | { readonly kind: "live" }
  | { readonly kind: "frozen" }
  | { readonly kind: "waiting"; readonly failure: RetriedFailure }
  /** The room shows nothing now: until it is opened again. */
  | { readonly kind: "withheld" }
  | { readonly kind: "ended" };

export interface ViewerPorts {
  readonly timers: Timers;
  random(): number;
  /** A name for one picture on this page, whatever the ways it is sent by. */
  newView(): string;
  /** The ways of the house, in the order to try; the usual ones if it names none. */
  readonly ways?: readonly WayName[];
  joinDirect(view: string, events: WhepEvents, signal: AbortSignal): Promise<WhepSession>;
  /** Null where the browser cannot decode: then there is WebRTC alone. */
  readonly joinStream: ((view: string, events: StreamEvents) => StreamSession) | null;
  /** Watches through Amazon IVS, if that is one of the ways. */
  joinIvs?(view: string, events: IvsEvents, signal: AbortSignal): Promise<IvsSession>;
  /** Shows a stream of WebRTC, or none. */
  show(stream: MediaStream | null): void;
  /** Draws a frame of the socket, and closes it. */
  draw(picture: VideoFrame): void;
  /** A frame was captured at `capturedAtMs` (server's clock) and shown at `shownAtMs` (page's clock). */
  receiveFrameTimes(capturedAtMs: number, shownAtMs: number): void;
}

/** A video frame that reached the screen. */
export interface ShownFrame {
  /** When it was displayed, on the page's clock. */
  readonly shownAtMs: number;
  /** Null if the browser does not report it. */
  readonly rtpTimestamp: number | null;
}
