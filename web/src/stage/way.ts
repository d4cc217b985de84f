// What all ways to send the picture have in common, as the viewer sees them.

/** By WebRTC, or by WebSocket and WebCodecs. */
export type WayName = "direct" | "stream";

/** Why there is no picture by a way, or not any more. */
export type JoinFailure =
  | "no_session" // the visitor's session has ended
  | "withheld" // the room shows nothing now
  | "full" // too many viewers
  | "no_picture" // the camera delivers none
  | "blocked" // the server answers, but its picture does not get through this network
  | "failed"; // anything else; a retry may help

/** After these the picture is asked for again by itself. */
export type RetriedFailure = Exclude<JoinFailure, "no_session" | "withheld">;

/** The most telling of several failures after which to try again: that of whoever knows most. */
export function worstFailure(failures: readonly JoinFailure[]): RetriedFailure {
  const order = ["full", "no_picture", "blocked"] as const;
  return order.find((failure) => failures.includes(failure)) ?? "failed";
}
