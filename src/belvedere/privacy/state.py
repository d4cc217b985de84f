"""What the room has decided and a restart must know, and how two such states are combined without undoing either."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from belvedere.privacy.hours import QuietSpan
from belvedere.privacy.words import Welcome


class RoomState(msgspec.Struct, frozen=True, kw_only=True):
    """What the room has decided.

    Attributes:
        is_closed: whether the curtain is closed.
        by: the id of the person who closed or opened it last, or "".
        since_utc_s: when that was, in seconds since 1970; None if never.
        is_muted: whether the room has switched its microphone off; the curtain leaves that as it is.
        guests_hear: whether guests may hear the room.
        quiet: the quiet hours.
        welcomes: who has to knock and who has not, by the person's id; for everybody else a default holds.
    """

    is_closed: bool = False
    by: str = ""
    since_utc_s: int | None = None
    is_muted: bool = False
    guests_hear: bool = False
    quiet: tuple[QuietSpan, ...] = ()
    welcomes: Mapping[str, Welcome] = {}

    def welcome_of(self, person: str, default: Welcome) -> Welcome:
        """Whether a person has to knock."""
        return self.welcomes.get(person, default)

    def restricted_by(self, other: RoomState, default: Welcome) -> RoomState:
        """A state that withholds from everybody whatever this one or the other one withholds.

        Who closed the curtain, and when, is that of the one that is closed; of this one, if both are.
        """
        people = self.welcomes.keys() | other.welcomes.keys()
        welcomes = {
            person: Welcome.ASKED
            if Welcome.ASKED in {self.welcome_of(person, default), other.welcome_of(person, default)}
            else Welcome.ALWAYS
            for person in sorted(people)
        }
        curtain = other if other.is_closed and not self.is_closed else self
        return RoomState(
            is_closed=curtain.is_closed,
            by=curtain.by,
            since_utc_s=curtain.since_utc_s,
            is_muted=self.is_muted or other.is_muted,
            guests_hear=self.guests_hear and other.guests_hear,
            quiet=tuple(sorted({*self.quiet, *other.quiet})),
            welcomes=welcomes,
        )
