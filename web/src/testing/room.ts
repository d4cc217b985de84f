// The server's words about the room, for tests.
import type { Access, PersonHere, PersonKnocking, Room } from "../wire/messages";

export const access = (state: Access["state"] = "open", changes: Partial<Access> = {}): Access => ({
  type: "access",
  state,
  until: null,
  rights: ["drive", "look", "room", "talk"],
  ...changes,
});

export const room = (changes: Partial<Room> = {}, closed = false): Room => ({
  type: "room",
  curtain: { closed, by: "Mei", since: 1_800_000_000_000, saved: true },
  here: [],
  knocks: [],
  microphone: { exists: true, off: false, open: false, saved: true },
  quiet_until: null,
  faults: [],
  ...changes,
});

export const here = (name: string, changes: Partial<PersonHere> = {}): PersonHere => ({
  person: `id-${name}`,
  name,
  since: 1_800_000_000_000,
  looks: true,
  hears: false,
  drives: false,
  talks: false,
  heard: false,
  ...changes,
});

export const knocking = (name: string): PersonKnocking => ({
  person: `id-${name}`,
  name,
  since: 1_800_000_000_000,
  until: 1_800_000_060_000,
});
