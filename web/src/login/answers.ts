// What the server says about people, sessions, invitations and passkeys.
import type { WayName } from "../stage/way";

export type Role = "owner" | "resident" | "visitor" | "guest" | "program";

/** Whose session this is. */
export interface SessionInfo {
  readonly id: string;
  readonly person: string;
  readonly name: string;
  readonly role: Role;
  readonly rights: readonly string[];
  /** How long it lasts at most; null without an end. */
  readonly ends_in_s: number | null;
  /** Whether the room lets this person in now, and if not, why. */
  readonly access: RoomAccessState;
  /** How many rooms the list has. */
  readonly rooms: number;
  /** The ways to the picture, in the order to try; a server of an earlier version names none. */
  readonly ways?: readonly WayName[];
}

export type RoomAccessState = "open" | "curtain" | "knock" | "waiting" | "refused" | "quiet";

/** Whom an invitation lets in. */
export interface InvitationInfo {
  readonly name: string;
  readonly role: Role;
}

/** A session in a list: in which browser, since when, and in which hour it was used last. */
export interface DeviceInfo {
  readonly id: string;
  readonly person: string;
  readonly name: string;
  readonly label: string;
  readonly opened_utc_s: number;
  readonly seen_utc_s: number;
  readonly is_current: boolean;
}

/** Somebody who may come in. */
export interface PersonInfo {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly has_joined: boolean;
  readonly sessions: number;
  readonly invitations: number;
}

/** A new invitation, which is shown once. */
export interface NewInvitation {
  readonly name: string;
  readonly link: string;
  readonly ends_in_s: number;
  /** A QR code of the link, a whole SVG document. */
  readonly qr_svg: string;
}

export interface PasskeyInfo {
  readonly id: string;
  readonly label: string;
  readonly host: string;
  readonly created_utc_s: number;
  readonly used_utc_s: number | null;
}
