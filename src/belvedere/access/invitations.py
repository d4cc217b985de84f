"""The door: hands out one-time invitations and recognises those whom it let in.

Everything is in memory: a restart shuts everyone out, and the new one-time link lets the owner in again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from belvedere.access.sessions import EndedSession, EndReason, IssuedSession, Session, Sessions, digest, new_secret
from belvedere.events import SessionEnded, SessionOpened, ignore

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.events import Event

logger = logging.getLogger(__name__)


class AccessOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a door remembers.

    Attributes:
        session_s: one waking day; who comes back tomorrow needs a new link.
        invite_s: a link printed on Friday still opens on Monday.
        most_sessions, most_invites: bounds on memory, far above one household.
    """

    session_s: float = 12 * 3600.0
    invite_s: float = 72 * 3600.0
    max_sessions: int = 256
    max_invitations: int = 64


REDEEM_AGAIN_S = 300.0  # on a bad line people try again for minutes
MAX_REDEEM_AGAIN = 8  # each of them costs a little memory


class _Invitation(msgspec.Struct, frozen=True):
    person: str
    rank: int
    ends_at_s: float


class _Redemption(msgspec.Struct):
    session: Session
    ends_at_s: float
    left: int = MAX_REDEEM_AGAIN


class Invitations:
    """Invitations and sessions, on one clock (seconds, monotonic).

    A session that ends is an event: within the call that ends it, whatever the reason, everyone who subscribed is told,
    and by then its cookie proves nothing any more.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        options: AccessOptions | None = None,
        record: Callable[[Event], None] = ignore,
    ) -> None:
        self._clock = clock
        self._options = options or AccessOptions()
        self._record = record
        self._sessions = Sessions(self._options.session_s, self._options.max_sessions)
        self._invitations: dict[bytes, _Invitation] = {}
        self._used: dict[
            tuple[bytes, bytes], _Redemption
        ] = {}  # by the digests of the token and of the browser's secret
        self._on_opened: Callable[[], None] = lambda: None
        self._subscribers: list[Callable[[EndedSession], None]] = []

    def watch(self, on_opened: Callable[[], None]) -> None:
        """Have this called whenever a session begins, because the next `deadline` may be another then."""
        self._on_opened = on_opened

    def subscribe(self, on_ended: Callable[[EndedSession], None]) -> None:
        """Have this called whenever a session ends.

        Subscribers are called one after the other in the order in which they came: what stops the head comes first.
        They must not wait; the failure of one is logged, and the next is called.
        """
        self._subscribers.append(on_ended)

    def invite(self, person: str = "", rank: int = 0) -> str:
        """A one-time token that lets one browser in; the oldest unused one gives way where there are too many."""
        while len(self._invitations) >= self._options.max_invitations:
            del self._invitations[next(iter(self._invitations))]
        token = new_secret()
        self._invitations[digest(token)] = _Invitation(person, rank, self._clock() + self._options.invite_s)
        return token

    def is_invited(self, token: str, browser: str = "") -> bool:
        """Whether `redeem` would let somebody in; asking uses nothing up."""
        invite = self._invitations.get(digest(token))
        is_fresh = invite is not None and self._clock() < invite.ends_at_s
        return is_fresh or self._redemption_by(token, browser) is not None

    def redeem(self, token: str, browser: str = "") -> IssuedSession | None:
        """Use up an invitation; None where it is unknown, used or too old.

        `browser` is a secret of the browser that asks, or "". Within ADMIT_AGAIN_S the same browser is let in again, to
        the same session: an impatient second tap or a bad line costs it the first answer, and the cookie in it.
        """
        used = self._redemption_by(token, browser)
        if used is not None:
            used.left -= 1
            return self._sessions.issue(used.session)
        invite = self._invitations.pop(digest(token), None)
        now = self._clock()
        if invite is None or now >= invite.ends_at_s:
            return None
        displaced = self._sessions.evict_oldest()
        if displaced is not None:
            self._publish(displaced, EndReason.DISPLACED)
        admission = self._sessions.open(now, invite.person, invite.rank)
        self._used = {known: used for known, used in self._used.items() if now < used.ends_at_s}
        if browser:
            self._used[digest(token), digest(browser)] = _Redemption(admission.session, now + REDEEM_AGAIN_S)
        self._record(SessionOpened(admission.session.id, admission.session.person))
        self._on_opened()
        return admission

    def session(self, cookie: str | None) -> Session | None:
        """The live session that this cookie proves."""
        return None if cookie is None else self._sessions.find(self._clock(), cookie)

    def is_live(self, session: Session) -> bool:
        """Whether a session that was found earlier has not ended since."""
        return self._sessions.is_live(self._clock(), session)

    def end(self, session_id: str, reason: EndReason) -> None:
        """End a session before its time; one that is over already stays so."""
        ended = self._sessions.end(session_id)
        if ended is not None:
            self._publish(ended, reason)

    def tick(self) -> None:
        """End the sessions whose time is over, and forget old invitations; to be called at `deadline`."""
        now = self._clock()
        self._invitations = {known: invite for known, invite in self._invitations.items() if now < invite.ends_at_s}
        for session in self._sessions.expire(now):
            self._publish(session, EndReason.EXPIRED)

    def deadline(self) -> float | None:
        """When the next session ends; None while there is none. An old invitation can wait: it opens nothing."""
        return self._sessions.deadline()

    def _redemption_by(self, token: str, browser: str) -> _Redemption | None:
        """What this browser has used this token for, as long as that may be used again."""
        used = self._used.get((digest(token), digest(browser)))
        is_good = used is not None and used.left > 0 and self._clock() < used.ends_at_s and self.is_live(used.session)
        return used if is_good else None

    def _publish(self, session: Session, reason: EndReason) -> None:
        ended = EndedSession(session, reason)
        for on_ended in self._subscribers:
            try:
                on_ended(ended)
            except Exception:
                logger.exception("session %s ended (%s), but a subscriber failed to act on it", session.id, reason)
        self._record(SessionEnded(session.id, session.person, reason))
