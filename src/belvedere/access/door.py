"""The door: hands out one-time invitations and recognises those whom it let in.

Everything is in memory: a restart shuts everyone out, and the new one-time link lets the owner in again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from belvedere.access.sessions import Admission, Session, Sessions, digest, new_secret

if TYPE_CHECKING:
    from collections.abc import Callable


class DoorOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a door remembers.

    Attributes:
        session_s: one waking day; who comes back tomorrow needs a new link.
        invite_s: a link printed on Friday still opens on Monday.
        most_sessions, most_invites: bounds on memory, far above one household.
    """

    session_s: float = 12 * 3600.0
    invite_s: float = 72 * 3600.0
    most_sessions: int = 256
    most_invites: int = 64


class _Invite(msgspec.Struct, frozen=True):
    person: str
    rank: int
    ends_at_s: float


class Door:
    """Invitations and sessions, on one clock (seconds, monotonic)."""

    def __init__(self, clock: Callable[[], float], options: DoorOptions | None = None) -> None:
        self._clock = clock
        self._options = options or DoorOptions()
        self._sessions = Sessions(self._options.session_s, self._options.most_sessions)
        self._invites: dict[bytes, _Invite] = {}
        self._on_opened: Callable[[], None] = lambda: None

    def watch(self, on_opened: Callable[[], None]) -> None:
        """Have this called whenever a session begins, because the next `deadline` may be another then."""
        self._on_opened = on_opened

    def invite(self, person: str = "", rank: int = 0) -> str:
        """A one-time token that lets one browser in; the oldest unused one gives way where there are too many."""
        while len(self._invites) >= self._options.most_invites:
            del self._invites[next(iter(self._invites))]
        token = new_secret()
        self._invites[digest(token)] = _Invite(person, rank, self._clock() + self._options.invite_s)
        return token

    def admit(self, token: str) -> Admission | None:
        """Use up an invitation; None where it is unknown, used or too old."""
        invite = self._invites.pop(digest(token), None)
        now = self._clock()
        if invite is None or now >= invite.ends_at_s:
            return None
        admission = self._sessions.open(now, invite.person, invite.rank)
        self._on_opened()
        return admission

    def session(self, cookie: str | None) -> Session | None:
        """The live session that this cookie proves."""
        return None if cookie is None else self._sessions.find(self._clock(), cookie)

    def tick(self) -> list[Session]:
        """Forget what is over; returns the sessions that ended, so that what they hold can be taken back."""
        now = self._clock()
        self._invites = {known: invite for known, invite in self._invites.items() if now < invite.ends_at_s}
        return self._sessions.tick(now)

    def deadline(self) -> float | None:
        """When the next session ends; None while there is none. An old invitation can wait: it opens nothing."""
        return self._sessions.deadline()
