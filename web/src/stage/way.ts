// What all ways to send the picture have in common, as the viewer sees them.

/** By WebRTC, by WebSocket and WebCodecs, or through Amazon IVS. */
export type WayName = "direct" | "stream" | "ivs";

/** What a server that names no ways has. */
export const USUAL_WAYS: readonly WayName[] = ["direct", "stream"];

/**
 * What is tried together, one after the other, of ways in the order to try: neighbours race, because the first picture
 * comes by the socket and the better one by WebRTC; but IVS, where each viewer costs, is not tried beside another.
 */
export function stepsOf(ways: readonly WayName[]): readonly (readonly WayName[])[] {
  const steps: WayName[][] = [];
  for (const way of ways) {
    const last = steps.at(-1);
    if (last === undefined || way === "ivs" || last.includes("ivs")) {
      steps.push([way]);
    } else {
      last.push(way);
    }
  }
  return steps;
}

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
