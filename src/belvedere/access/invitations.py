"""People, their one-time invitations, and the sessions that they have: the one object that says who may do what.

All of it survives a restart where it is saved (`saved`, `restore`); then the same cookie proves the same session.
"""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, Annotated

import msgspec

from belvedere.access.bearers import Bearers
from belvedere.access.cloudflare import CloudflareOptions
from belvedere.access.ended_logins import EndedLogins
from belvedere.access.links import Link, Links
from belvedere.access.local_session import LOCAL_SESSION
from belvedere.access.people import People
from belvedere.access.programs import Player, Programs
from belvedere.access.restored_sessions import RestoredSessions
from belvedere.access.rights import FRONTEND_RIGHTS, NO_RIGHTS, Right, Rights, Role, rights_of_role
from belvedere.access.session_events import SessionChange, SessionEvents
from belvedere.access.sessions import EndReason, IssuedSession, Session, Sessions, new_id
from belvedere.access.withheld import WithheldRights, no_reason
from belvedere.errors import Refusal, VisitorError
from belvedere.events import RightsChanged, SessionEnded, SessionOpened, SessionRestored, ignore
from belvedere.store.access import SavedAccess
from belvedere.store.sessions import MAX_LABEL_CHARS, SavedSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.access.people import Person
    from belvedere.events import Event

MOST_SESSION_S = 400 * 86400.0  # browsers delete any cookie after 400 days
MOST_INVITATION_S = 31 * 86400.0
MAX_SESSIONS_OF_PERSON = 16  # a phone, a tablet and some browsers that were forgotten


logger = logging.getLogger(__name__)


Origin = Annotated[
    str,
    msgspec.Meta(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?\Z", max_length=253, description="https://example.org"),
]


class AccessOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long sessions and invitations last, and how many there may be.

    Attributes:
        session_s: the lifetime of a session, used or not.
        idle_s: how long a session lasts that is not used.
        invite_s: the lifetime of an unused invitation; by default a link made on Friday still works on Monday.
        max_sessions: a bound on memory, far above what one home needs; one more ends another, of the same person first.
        max_invitations: likewise; one more deletes the oldest of whoever has most.
        frontends: pages of other origins that may use this house, such as `https://family.example`: to show it
            (docs/how-to/show-it-in-your-own-page.md), or the picture only, with a player's token
            (docs/how-to/watch-with-another-player.md).
        players: programs that may look, each by a token of its own.
        cloudflare: where given, everybody comes in through Cloudflare Access, and by nothing else.
    """

    session_s: Annotated[float, msgspec.Meta(ge=60, le=MOST_SESSION_S)] = 30 * 86400.0
    idle_s: Annotated[float, msgspec.Meta(ge=60, le=MOST_SESSION_S)] = 7 * 86400.0
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


class Redemption(msgspec.Struct, frozen=True):
    """What an invitation was redeemed for.

    Attributes:
        issued: the session, with a new cookie.
        secret: of the invitation.
        link: the invitation as it was before it was used; None where its browser redeemed it again.
    """

    issued: IssuedSession
    secret: str
    link: Link | None


class Invitations:
    """People, invitations and sessions.

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
        self.ended_logins = EndedLogins()
        self._links = Links(self._options.invite_s, self._options.max_invitations)
        self._sessions = Sessions(
            self._options.session_s,
            self._options.max_sessions,
            idle_s=self._options.idle_s,
            per_person=MAX_SESSIONS_OF_PERSON,
        )
        self._restored = RestoredSessions()
        self._withheld = WithheldRights()
        self._on_opened: Callable[[], None] = lambda: None
        self._on_changed: Callable[[], None] = lambda: None
        self.events = SessionEvents()

    def watch(self, on_opened: Callable[[], None]) -> None:
        """Call this whenever a session begins, because that may change `deadline`."""
        self._on_opened = on_opened

    def watch_saved(self, on_changed: Callable[[], None]) -> None:
        """Call this whenever `saved` would return something else than before, time apart."""
        self._on_changed = on_changed

    # Saving.

    def saved(self) -> SavedAccess:
        """All people, and all invitations and sessions that have not ended, for the store."""
        now, utc = self._clock(), self._utc()
        sessions = [self._saved(session, now, utc, digests) for session, digests in self._sessions.all()]
        return SavedAccess(
            people=self.people.saved(),
            links=self._links.saved(now, utc),
            sessions=[each for each in sessions if each.left_s >= 1 and each.idle_left_s >= 1],
            bearers=self.bearers.saved(),
            ended_logins=self.ended_logins.saved(utc),
        )

    def restore(self, saved: SavedAccess) -> None:
        """Add what an earlier run saved.

        Sessions of nobody, or with a role or right that does not exist, are ended, and logged. None has a right that
        its person's role does not give, or lasts longer than a new one; if there are too many, those with the least
        time left are ended.
        """
        now = self._clock()
        self.people.restore(saved.people)
        self._links.restore(now, (each for each in saved.links if self.people.find(each.person) is not None))
        longest_first = sorted(saved.sessions, key=lambda each: each.left_s, reverse=True)
        for each in longest_first[: self._options.max_sessions - len(self._sessions)]:
            self._restore(now, each)
        self.bearers.restore(saved.bearers)
        self.ended_logins.restore(saved.ended_logins)
        self._on_opened()

    # Invitations.

    def invite(self, person_id: str) -> str:
        """The secret of a new invitation of a person. Raises VisitorError where there is none with this id."""
        if self.people.find(person_id) is None:
            raise VisitorError(Refusal.NOT_PERMITTED, "this person is not known here")
        secret = self._links.add(self._clock(), person_id)
        self._on_changed()
        return secret

    def withdraw(self, secret: str) -> None:
        """End an invitation; does nothing where there is none."""
        self._links.end(secret)
        self._on_changed()

    @property
    def invite_s(self) -> float:
        """How long a new invitation lasts."""
        return self._options.invite_s

    def invited(self, secret: str, browser: str = "") -> Person | None:
        """Whom `redeem` would let in, or None; does not use the invitation up."""
        link = self._find(secret, browser)
        return None if link is None else self.people.find(link.person)

    def count_invitations_of(self, person_id: str) -> int:
        """How many invitations a person has not used."""
        return self._links.count_unused(self._clock(), person_id)

    def redeem(self, secret: str, browser: str = "", label: str = "") -> Redemption | None:
        """Use up an invitation for a session; None where it is unknown, used or expired.

        `browser` is a secret of the requesting browser, or "". For some minutes the same browser may redeem again, a
        few times, and gets a further cookie of the same session: a second tap or a bad connection may have cost it the
        first response, and the cookie in it.
        """
        link = self._find(secret, browser)
        if link is None:
            return None
        now = self._clock()
        session = self._sessions.by_id(link.session)
        if session is not None:
            link.remaining -= 1
            issued = self._sessions.issue(now, session)
            self._on_changed()
            return Redemption(issued, secret, None)
        issued = self.open_session(link.person, label=label)
        self._links.use(now, secret, issued.session.id, browser)
        self._on_changed()
        return Redemption(issued, secret, link)

    def take_back(self, redemption: Redemption) -> None:
        """Undo a redemption that could not be saved: its session ends, and its invitation may be redeemed again."""
        if redemption.link is not None:
            self.end(redemption.issued.session.id, EndReason.REVOKED)
            self._links.put_back(redemption.secret, redemption.link)
            self._on_changed()

    # Sessions.

    def open_session(
        self, person_id: str, *, rights: Rights | None = None, lifetime_s: float | None = None, label: str = ""
    ) -> IssuedSession:
        """A session of a person who has proved who they are.

        It has the rights of the person's role, or those of them that `rights` names, and lasts for `lifetime_s` if that
        is less than the settings say. Raises VisitorError where there is no such person.
        """
        person = self.people.find(person_id)
        if person is None:
            raise VisitorError(Refusal.NOT_PERMITTED, "this person is not known here")
        displaced = self._sessions.evict_for(person.id)
        if displaced is not None:
            self._publish(displaced, EndReason.DISPLACED)
        now, utc, granted = self._clock(), self._utc(), rights_of_role(person.role)
        session = Session(
            id=new_id(),
            person=person.id,
            role=person.role,
            rights=granted if rights is None else granted & rights,
            ends_at_s=math.inf if lifetime_s is None else now + lifetime_s,
            label=label[:MAX_LABEL_CHARS],
            opened_utc_s=int(utc),
        )
        issued = self._sessions.open(now, session)
        self._withheld.begin(issued.session)
        self.people.receive_joined(person.id)
        self._record(SessionOpened(session.id, session.person))
        self._on_opened()
        self._on_changed()
        return issued

    def session(self, cookie: str | None) -> Session | None:
        """The live session that this cookie proves, which counts as a use of it; None where there is none."""
        return None if cookie is None else self._used(self._sessions.find(self._clock(), cookie))

    def receive_use(self, session: Session) -> None:
        """A session is used: it does not end for being idle; for whatever goes on without a request."""
        self._restored.receive_use(session.id)
        self._sessions.receive_use(self._clock(), session.id)

    def sessions(self) -> list[tuple[Session, float]]:
        """All sessions that are live, with the wall-clock time of their last use."""
        now, utc = self._clock(), self._utc()
        live = (session for session, _ in self._sessions.all() if self.is_live(session))
        return [(session, self._used_utc_s(session, now, utc)) for session in live]

    def find(self, session_id: str, *, is_use: bool = True) -> Session | None:
        """The live session with this id, or None; asking counts as a use of it, unless nothing but a rule asks."""
        return self._used(self._sessions.current(self._clock(), session_id), is_use=is_use)

    def is_live(self, session: Session) -> bool:
        """Whether a session has not ended."""
        return self._is_lasting(session) or self._current(session) is not None

    def rights_of(self, session: Session) -> Rights:
        """What a session may do now: what it was given, less what the room withholds; nothing once it has ended.

        In a page of another site nobody manages, or speaks for the room: that site's scripts could do the same.
        """
        if self._is_lasting(session):
            return self._withheld.granted(session, session.rights)
        current = self._current(session)
        if current is None:
            return NO_RIGHTS
        is_elsewhere = self.bearers.origin_of(current.id) != ""
        return self._withheld.granted(current, current.rights & FRONTEND_RIGHTS if is_elsewhere else current.rights)

    # What changes rights, and ends sessions.

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
        Unused invitations end: they were made for the old role.
        """
        person = self.people.change_role(person_id, role)
        if person is None:
            return None
        for session in self._sessions.of(person_id):
            rights = rights_of_role(role)
            if session.rights != rights_of_role(session.role):
                rights &= session.rights
            changed = self._sessions.change_rights(session.id, rights, role)
            if changed is not None:
                before, after = changed
                self._withheld.begin(after)
                self.events.publish(SessionChange(session=after, lost=before.rights, is_new_role=True))
                self._record(RightsChanged(after.id, after.person, " ".join(sorted(after.rights))))
        self._links.end_all_of(person_id)
        self._on_changed()
        return person

    def remove(self, person_id: str) -> Person | None:
        """Remove a person, and end their sessions and invitations; returns the person, or None where there is none."""
        person = self.people.remove(person_id)
        self._links.end_all_of(person_id)
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
        self._links.purge(now)
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

    def _receive_bearers_changed(self) -> None:
        self._on_changed()

    def _used(self, session: Session | None, *, is_use: bool = True) -> Session | None:
        """The session, which is used now; None where it is suspended."""
        if session is None or self._is_suspended(session):
            return None
        if is_use:
            self.receive_use(session)
        return session

    def _current(self, session: Session) -> Session | None:
        """The session as it is now; None where it has ended or is suspended."""
        current = self._sessions.current(self._clock(), session.id)
        return None if current is None or self._is_suspended(current) else current

    def _is_suspended(self, session: Session) -> bool:
        return self._restored.is_suspended(session.id, self._utc())

    def _is_lasting(self, session: Session) -> bool:
        return session == LOCAL_SESSION or self.programs.has(session)

    def _find(self, secret: str, browser: str) -> Link | None:
        """The invitation that this browser may redeem now."""
        link = self._links.find(self._clock(), self._utc(), secret, browser)
        if link is not None and link.session:
            session = self._sessions.by_id(link.session)
            return link if session is not None and self.is_live(session) else None
        return link

    def _restore(self, now: float, each: SavedSession) -> None:
        person = self.people.find(each.person)
        try:
            Role(each.role)
            rights = frozenset(map(Right, each.rights))
        except ValueError:
            logger.warning("ended the saved session %s: it has an unknown role or right", each.id)
            return
        if person is None:
            logger.warning("ended the saved session %s: its person is not known", each.id)
            return
        session = Session(
            id=each.id,
            person=each.person,
            role=person.role,
            rights=rights & rights_of_role(person.role),
            ends_at_s=now + min(each.left_s, self._options.session_s),
            label=each.label,
            opened_utc_s=each.opened_utc_s,
        )
        idle_s = self._options.idle_s
        used_at_s = now - idle_s + min(each.idle_left_s, idle_s)
        self._sessions.restore(session, used_at_s, each.digests)
        self._restored.add(each.id, each.ends_utc_s, now, each.seen_utc_s + idle_s)
        self._withheld.begin(session)
        self._record(SessionRestored(session.id, session.person))

    def _saved(self, session: Session, now: float, utc: float, digests: tuple[bytes, ...]) -> SavedSession:
        restored_end = self._restored.end_utc_s(session.id)
        left_s = session.ends_at_s - now
        return SavedSession(
            id=session.id,
            person=session.person,
            role=session.role.value,
            rights=tuple(sorted(session.rights)),
            ends_utc_s=int(utc + left_s if restored_end is None else restored_end),
            left_s=int(left_s),
            seen_utc_s=max(0, int(self._used_utc_s(session, now, utc))),
            idle_left_s=int(self._sessions.used_at_s(session.id) + self._options.idle_s - now),
            opened_utc_s=max(0, session.opened_utc_s),
            label=session.label,
            digests=digests,
        )

    def _used_utc_s(self, session: Session, now: float, utc: float) -> float:
        """When a session was used last, by what the wall clock says now; it may have been wrong then."""
        idle_end = self._restored.idle_end_utc_s(session.id)
        if idle_end is not None:
            return idle_end - self._options.idle_s
        return utc - (now - self._sessions.used_at_s(session.id))

    def _publish(self, session: Session, reason: EndReason) -> None:
        self._restored.forget(session.id)
        self.bearers.end(session.id)
        self._withheld.forget(session.id)
        self._tell(session, reason)
        self._on_changed()

    def _tell(self, session: Session, reason: EndReason) -> None:
        self.events.publish(SessionChange(session=session, lost=session.rights, end=reason))
        self._record(SessionEnded(session.id, session.person, reason))
