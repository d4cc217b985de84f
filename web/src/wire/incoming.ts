// Reads what the server says. The server checks its own messages against contract/, so this looks at the tag only:
// a message of an unknown type comes from a newer server and is passed over.
import type { ServerMessage } from "./messages";

const TYPES: Record<ServerMessage["type"], true> = {
  welcome: true,
  pong: true,
  ack: true,
  state: true,
  lease: true,
  notice: true,
  error: true,
};

/** The message in `text`, or null where there is none that this page knows. */
export function readMessage(text: unknown): ServerMessage | null {
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
