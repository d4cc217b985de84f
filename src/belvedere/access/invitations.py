"""One-time invitations, and the sessions that they are redeemed for.

Invitations are in memory: those of one start end with it, and each start prints a new one-time link for the owner.
Sessions survive a restart where they are saved (`saved`, `restore`); then the same cookie proves them again.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Annotated

import msgspec

from belvedere.access.bearers import Bearers
from belvedere.access.cloudflare import CloudflareOptions
from belvedere.access.local_session import LOCAL_SESSION
from belvedere.access.people import People
from belvedere.access.programs import Player, Programs
from belvedere.access.restored_sessions import RestoredSessions
from belvedere.access.rights import FRONTEND_RIGHTS, NO_RIGHTS, VISITOR_RIGHTS, Right, Rights, Role, rights_of_role
from belvedere.access.session_events import SessionChange, SessionEvents
from belvedere.access.sessions import EndReason, IssuedSession, Session, Sessions, digest, new_secret
from belvedere.access.withheld import WithheldRights, no_reason
from belvedere.errors import Refusal, VisitorError
from belvedere.events import RightsChanged, SessionEnded, SessionOpened, SessionRestored, ignore
from belvedere.store.sessions import SavedSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from belvedere.access.people import Person
    from belvedere.events import Event

MOST_SESSION_S = 400 * 86400.0  # browsers delete any cookie after 400 days
MOST_INVITATION_S = 31 * 86400.0


logger = logging.getLogger(__name__)


Origin = Annotated[
    str,
    msgspec.Meta(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?\Z", max_length=253, description="https://example.org"),
]


class AccessOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long sessions and invitations last, and how many there may be.

    Attributes:
        session_s: the lifetime of a session; by default one waking day.
        invite_s: the lifetime of an unused invitation; by default a link made on Friday still works on Monday.
        max_sessions: a bound on memory, far above what one home needs; one more ends another.
        max_invitations: likewise; one more deletes the oldest.
        frontends: pages of other origins that may use this house, such as `https://family.example`: to show it
            (docs/how-to/show-it-in-your-own-page.md), or the picture only, with a player's token
            (docs/how-to/watch-with-another-player.md).
        players: programs that may look, each by a token of its own.
        cloudflare: where given, everybody comes in through Cloudflare Access, and by nothing else.
    """

    session_s: Annotated[float, msgspec.Meta(ge=60, le=MOST_SESSION_S)] = 12 * 3600.0
    invite_s: Annotated[float, msgspec.Meta(ge=60, le=MOST_INVITATION_S)] = 72 * 3600.0
    max_sessions: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 256
    max_invitations: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 64
    frontends: Annotated[tuple[Origin, ...], msgspec.Meta(max_length=16)] = ()
    players: Annotated[tuple[Player, ...], msgspec.Meta(max_length=16)] = ()
    cloudflare: CloudflareOptions | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for players that cannot be told apart; msgspec adds the key to the message."""
        for what in ("name", "token"):
            if len({getattr(player, what) for player in self.players}) < len(self.players):
                raise ValueError(f"two players have the same {what}")


REDEEM_AGAIN_S = 300.0  # on a bad connection people try again for minutes
MAX_REDEEM_AGAIN = 8  # each of them costs a little memory


class _Invitation(msgspec.Struct, frozen=True):
    person: str
    role: Role
    rights: Rights
    ends_at_s: float


class _Redemption(msgspec.Struct):
    session: Session
    ends_at_s: float
    remaining: int = MAX_REDEEM_AGAIN


class Invitations:
    """Invitations and sessions.

    Args:
        clock: seconds, monotonic; what ends sessions and invitations.
        options: how long they last, and how many there may be.
        record: called with an event whenever a session begins, changes or ends.
        utc: seconds since 1970, wall-clock time; what tells how long the program was off (`restored_sessions.py`).
        programs: whom the settings let in by a token, besides those who were invited.

    The end of a session, and a change of its rights, are events: within the call that causes one, whatever the reason,
    all subscribers are called. By then its cookie is no longer valid, or proves the new rights.

    Attributes:
        events: where to subscribe to them.
        bearers: what proves sessions in pages of other sites.
        people: who is known; to change a role or remove somebody, use the methods here, which also close what is open.
        programs: whom the settings let in by a token.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        options: AccessOptions | None = None,
        record: Callable[[Event], None] = ignore,
        utc: Callable[[], float] = time.time,
        programs: Programs | None = None,
    ) -> None:
        self._clock = clock
        self._utc = utc
        self._options = options or AccessOptions()
        self._record = record
        self.programs = programs or Programs()
        self.people = People()
        self.bearers = Bearers(clock, self._receive_bearers_changed)
        self._sessions = Sessions(self._options.session_s, self._options.max_sessions)
        self._restored = RestoredSessions()
        self._withheld = WithheldRights()
        self._invitations: dict[bytes, _Invitation] = {}
        # by the digests of the token and of the browser's secret
        self._used: dict[tuple[bytes, bytes], _Redemption] = {}
        self._on_opened: Callable[[], None] = lambda: None
        self._on_changed: Callable[[], None] = lambda: None
        self.events = SessionEvents()

    def watch(self, on_opened: Callable[[], None]) -> None:
        """Call this whenever a session begins, because that may change `deadline`."""
        self._on_opened = on_opened

    def watch_saved(self, on_changed: Callable[[], None]) -> None:
        """Call this whenever `saved` would return something else than before, time apart."""
        self._on_changed = on_changed

    def saved(self) -> list[SavedSession]:
        """All sessions that have not ended, for the store."""
        now, utc = self._clock(), self._utc()
        every = ((session, session.ends_at_s - now, digests) for session, digests in self._sessions.all())
        return [self._saved(session, left_s, utc, digests) for session, left_s, digests in every if left_s >= 1]

    def restore(self, saved: Iterable[SavedSession]) -> None:
        """Add the sessions of an earlier run; those with a right or role that does not exist are ended, and logged.

        None lasts longer than a new one; if there are too many, those with the least time left are ended.
        """
        now = self._clock()
        longest_first = sorted(saved, key=lambda each: each.left_s, reverse=True)
        for each in longest_first[: self._options.max_sessions - len(self._sessions)]:
            try:
                role, rights = Role(each.role), frozenset(map(Right, each.rights))
            except ValueError:
                logger.warning("ended the saved session %s: it has an unknown role or right", each.id)
                continue
            ends_at_s = now + min(each.left_s, self._options.session_s)
            session = Session(id=each.id, person=each.person, role=role, rights=rights, ends_at_s=ends_at_s)
            self._sessions.restore(session, each.digests)
            self._restored.add(each.id, each.ends_utc_s, now)
            self._withheld.begin(session)
            self._record(SessionRestored(session.id, session.person))
        self._on_opened()

    def invite(self, person: str = "", role: Role = Role.VISITOR, rights: Rights = VISITOR_RIGHTS) -> str:
        """A new one-time token. Where there are too many unused ones, the oldest is deleted."""
        while len(self._invitations) >= self._options.max_invitations:
            del self._invitations[next(iter(self._invitations))]
        token = new_secret()
        self._invitations[digest(token)] = _Invitation(person, role, rights, self._clock() + self._options.invite_s)
        return token

    def is_invited(self, token: str, browser: str = "") -> bool:
        """Whether `redeem` would succeed; does not use the invitation up."""
        invite = self._invitations.get(digest(token))
        is_unused = invite is not None and self._clock() < invite.ends_at_s
        return is_unused or self._redemption_by(token, browser) is not None

    def redeem(self, token: str, browser: str = "") -> IssuedSession | None:
        """Use up an invitation for a session; None where it is unknown, used or expired.

        `browser` is a secret of the requesting browser, or "". Within REDEEM_AGAIN_S the same browser may redeem again,
        up to MAX_REDEEM_AGAIN times, and gets a further cookie of the same session: a second tap or a bad connection
        may have cost it the first response, and the cookie in it.
        """
        used = self._redemption_by(token, browser)
        if used is not None:
            used.remaining -= 1
            issued = self._sessions.issue(self._clock(), used.session)
            self._on_changed()
            return issued
        invite = self._invitations.pop(digest(token), None)
        now = self._clock()
        if invite is None or now >= invite.ends_at_s:
            return None
        issued = self._open(invite.person, invite.role, invite.rights)
        self._used = {known: used for known, used in self._used.items() if now < used.ends_at_s}
        if browser:
            self._used[digest(token), digest(browser)] = _Redemption(issued.session, now + REDEEM_AGAIN_S)
        return issued

    def open_session(
        self, person_id: str, *, rights: Rights | None = None, lifetime_s: float | None = None
    ) -> IssuedSession:
        """A session of a person who has proved who they are.

        It has the rights of the person's role, or those of them that `rights` names, and lasts for `lifetime_s` if that
        is less than the settings say. Raises VisitorError where there is no such person.
        """
        person = self.people.find(person_id)
        if person is None:
            raise VisitorError(Refusal.NOT_PERMITTED, "this person is not known here")
        granted = rights_of_role(person.role)
        return self._open(person.id, person.role, granted if rights is None else granted & rights, lifetime_s)

    def session(self, cookie: str | None) -> Session | None:
        """The live session that this cookie proves; None where there is none."""
        session = None if cookie is None else self._sessions.find(self._clock(), cookie)
        return None if session is None or self._is_suspended(session) else session

    def find(self, session_id: str) -> Session | None:
        """The live session with this id; None where there is none."""
        session = self._sessions.current(self._clock(), session_id)
        return None if session is None or self._is_suspended(session) else session

    def is_live(self, session: Session) -> bool:
        """Whether a session has not ended."""
        if self._is_lasting(session):
            return True
        return self._sessions.is_live(self._clock(), session) and not self._is_suspended(session)

    def rights_of(self, session: Session) -> Rights:
        """What a session may do now: what it was given, less what the room withholds; nothing once it has ended.

        In a page of another site nobody manages, or speaks for the room: that site's scripts could do the same.
        """
        if self._is_lasting(session):
            return self._withheld.granted(session, session.rights)
        current = self._sessions.current(self._clock(), session.id)
        if current is None or self._is_suspended(session):
            return NO_RIGHTS
        is_elsewhere = self.bearers.origin_of(current.id) != ""
        return self._withheld.granted(current, current.rights & FRONTEND_RIGHTS if is_elsewhere else current.rights)

    def withhold(
        self, withheld: Callable[[Session], Rights], reason: Callable[[Session], VisitorError] = no_reason
    ) -> None:
        """Let the room withhold rights: `withheld` says of a session which, at any time, and must not block.

        `reason` says why. Whoever loses a right by it is told at once. Call `receive_withheld_changed` whenever it may
        say something else.
        """
        self._withheld.set(withheld, reason)
        self.receive_withheld_changed()

    def why_withheld(self, session: Session, right: Right) -> VisitorError | None:
        """Why the room withholds this right of a session; None if it does not, or if the session never had it."""
        current = session if self._is_lasting(session) else self._sessions.current(self._clock(), session.id)
        if current is None or right not in current.rights or right in self._withheld.granted(current, current.rights):
            return None
        return self._withheld.reason(current)

    def receive_withheld_changed(self) -> None:
        """The room may withhold other rights than before: publish what each session, and each program, has lost."""
        sessions = [session for session, _ in self._sessions.all()]
        for session, lost in self._withheld.losses([*sessions, *self.programs.all(), LOCAL_SESSION]):
            self.events.publish(SessionChange(session=session, lost=lost))

    def change_role(self, person_id: str, role: Role) -> Person | None:
        """Give a person another role; returns the person, or None where there is none.

        All that their sessions have open ends within this call, whether the new role permits it or not: it was opened
        under the old one. The sessions go on, and those that had fewer rights than the old role gives get no more.
        """
        person = self.people.change_role(person_id, role)
        if person is None:
            return None
        for session in self._sessions.of(person_id):
            rights = rights_of_role(role)
            if session.rights != rights_of_role(session.role):
                rights &= session.rights
            changed = self._sessions.change_role(session.id, role, rights)
            if changed is not None:
                before, after = changed
                self._withheld.begin(after)
                self.events.publish(SessionChange(session=after, lost=before.rights))
                self._record(RightsChanged(after.id, after.person, " ".join(sorted(after.rights))))
        self._on_changed()
        return person

    def remove(self, person_id: str) -> Person | None:
        """Remove a person, and end all of their sessions; returns the person, or None where there is none."""
        person = self.people.remove(person_id)
        self.end_all_of(person_id, EndReason.REVOKED)
        self._on_changed()
        return person

    def end_all_of(self, person_id: str, reason: EndReason) -> None:
        """End every session of a person."""
        for session in self._sessions.of(person_id):
            self.end(session.id, reason)

    def change_rights(self, session_id: str, rights: Rights) -> None:
        """Give a session these rights instead of its own; does nothing where there is no such session."""
        changed = self._sessions.change_rights(session_id, rights)
        if changed is None:
            return
        before, after = changed
        self.events.publish(SessionChange(session=after, lost=before.rights - after.rights))
        self._on_changed()
        self._record(RightsChanged(after.id, after.person, " ".join(sorted(after.rights))))

    def end(self, session_id: str, reason: EndReason) -> None:
        """End a session before its time; does nothing where it has ended already."""
        ended = self._sessions.end(session_id)
        if ended is not None:
            self._publish(ended, reason)

    def tick(self) -> None:
        """End or suspend sessions whose time is over, and delete expired invitations; to be called at `deadline`."""
        now = self._clock()
        self._invitations = {known: invite for known, invite in self._invitations.items() if now < invite.ends_at_s}
        for session in self._sessions.expire(now):
            self._publish(session, EndReason.EXPIRED)
        suspended = set(self._restored.check(now, self._utc()))
        for session in [session for session, _ in self._sessions.all() if session.id in suspended]:
            self._tell(session, EndReason.EXPIRED)

    def deadline(self) -> float | None:
        """When the next session ends; None without sessions. Expired invitations can wait: they are refused anyway."""
        return min(
            (each for each in (self._sessions.deadline(), self._restored.deadline()) if each is not None), default=None
        )

    def _open(self, person: str, role: Role, rights: Rights, lifetime_s: float | None = None) -> IssuedSession:
        displaced = self._sessions.evict_if_full()
        if displaced is not None:
            self._publish(displaced, EndReason.DISPLACED)
        issued = self._sessions.open(self._clock(), person, role, rights, lifetime_s)
        self._withheld.begin(issued.session)
        self._record(SessionOpened(issued.session.id, issued.session.person))
        self._on_opened()
        self._on_changed()
        return issued

    def _receive_bearers_changed(self) -> None:
        self._on_changed()

    def _is_suspended(self, session: Session) -> bool:
        return self._restored.is_suspended(session.id, self._utc())

    def _is_lasting(self, session: Session) -> bool:
        return session == LOCAL_SESSION or self.programs.has(session)

    def _saved(self, session: Session, left_s: float, utc: float, digests: tuple[bytes, ...]) -> SavedSession:
        restored_end = self._restored.end_utc_s(session.id)
        return SavedSession(
            id=session.id,
            person=session.person,
            role=session.role.value,
            rights=tuple(sorted(session.rights)),
            ends_utc_s=int(utc + left_s if restored_end is None else restored_end),
            left_s=int(left_s),
            digests=digests,
        )

    def _redemption_by(self, token: str, browser: str) -> _Redemption | None:
        """This browser's redemption of this token, as long as it may redeem it again."""
        used = self._used.get((digest(token), digest(browser)))
        is_valid = (
            used is not None and used.remaining > 0 and self._clock() < used.ends_at_s and self.is_live(used.session)
        )
        return used if is_valid else None

    def _publish(self, session: Session, reason: EndReason) -> None:
        self._restored.forget(session.id)
        self.bearers.end(session.id)
        self._withheld.forget(session.id)
        self._tell(session, reason)
        self._on_changed()

    def _tell(self, session: Session, reason: EndReason) -> None:
        self.events.publish(SessionChange(session=session, lost=session.rights, end=reason))
        self._record(SessionEnded(session.id, session.person, reason))
