// Parses server messages. The server's own tests check them against contract/, so only the type is checked here: one
// that is unknown comes from a newer server and is ignored.
import type { ServerMessage } from "./messages";

const TYPES: Record<ServerMessage["type"], true> = {
  welcome: true,
  pong: true,
  ack: true,
  state: true,
  lease: true,
  "lease.offers": true,
  "lease.answered": true,
  notice: true,
  error: true,
  access: true,
  room: true,
  voice: true,
  "talk.ended": true,
};

/** The message in `text`, or null if this page does not know it. */
export function parseMessage(text: unknown): ServerMessage | null {
  if (typeof text !== "string") {
    return null;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isKnown(value) ? value : null;
}

function isKnown(value: unknown): value is ServerMessage {
  if (typeof value !== "object" || value === null || !("type" in value)) {
    return false;
  }
  return typeof value.type === "string" && Object.hasOwn(TYPES, value.type);
}
