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
  | "misrouted" // a proxy in front of the server changes what tells our page from others
  | "no_codec" // this browser cannot decode what the server sends
  | "failed"; // anything else; a retry may help

/** After these the picture may be asked for again; by itself, unless the browser is to blame. */
export type RetriedFailure = Exclude<JoinFailure, "no_session" | "withheld">;

/** The most telling of several failures: that of whoever knows most. A codec is missing only if it is for every way. */
export function worstFailure(failures: readonly JoinFailure[]): RetriedFailure {
  const order = ["full", "no_picture", "misrouted", "blocked"] as const;
  const isUndecodable = failures.length > 0 && failures.every((failure) => failure === "no_codec");
  return isUndecodable ? "no_codec" : (order.find((failure) => failures.includes(failure)) ?? "failed");
}
