"""An invitation is redeemed once for a session, which ends in time, by displacement, or on request."""

import pytest

from belvedere.access.invitations import MAX_REDEEM_AGAIN, REDEEM_AGAIN_S, AccessOptions, Invitations
from belvedere.access.rights import NO_RIGHTS, VISITOR_RIGHTS, Right, Role
from belvedere.access.session_events import SessionChange
from belvedere.access.sessions import EndReason, IssuedSession, Session
from belvedere.events import Event, RightsChanged, SessionEnded, SessionOpened
from belvedere.testing.clock import FakeClock


def test_an_invitation_is_redeemed_once() -> None:
    invitations = Invitations(FakeClock())
    token = invitations.invite("ana")
    issued = invitations.redeem(token)
    assert issued is not None
    assert invitations.session(issued.cookie) == issued.session
    assert invitations.redeem(token) is None


def test_the_start_and_the_end_of_a_session_are_recorded_once() -> None:
    events: list[Event] = []
    invitations = Invitations(FakeClock(), record=events.append)
    token = invitations.invite("ana")
    issued = invitations.redeem(token, "ana's browser")
    assert invitations.redeem(token, "ana's browser") is not None
    assert invitations.redeem("no token") is None
    assert issued is not None
    session = issued.session.id
    invitations.end(session, EndReason.LEFT)
    invitations.end(session, EndReason.LEFT)
    assert events == [SessionOpened(session, "ana"), SessionEnded(session, "ana", "left")]


def test_the_token_is_not_the_cookie() -> None:
    invitations = Invitations(FakeClock())
    token = invitations.invite()
    issued = invitations.redeem(token)
    assert issued is not None
    assert invitations.session(token) is None
    assert invitations.redeem(issued.cookie) is None


@pytest.mark.parametrize("token", ["", "x", "☃", "\ud800", "a" * 100_000])
def test_an_unknown_token_is_refused(token: str) -> None:
    invitations = Invitations(FakeClock())
    invitations.invite()
    assert invitations.redeem(token) is None


@pytest.mark.parametrize("cookie", [None, "", "x", "☃", "\ud800"])
def test_an_unknown_cookie_has_no_session(cookie: str | None) -> None:
    assert Invitations(FakeClock()).session(cookie) is None


def test_an_invitation_expires() -> None:
    clock = FakeClock()
    invitations = Invitations(clock)
    token = invitations.invite()
    clock.advance(AccessOptions().invite_s)
    assert invitations.redeem(token) is None


def test_where_there_are_too_many_invitations_the_oldest_is_deleted() -> None:
    invitations = Invitations(FakeClock(), AccessOptions(max_invitations=2))
    first, second, third = (invitations.invite() for _ in range(3))
    assert invitations.redeem(first) is None
    assert invitations.redeem(second) is not None
    assert invitations.redeem(third) is not None


def ended(session: Session, reason: EndReason) -> SessionChange:
    return SessionChange(session=session, lost=session.rights, end=reason)


def open_session(invitations: Invitations) -> IssuedSession:
    issued = invitations.redeem(invitations.invite())
    assert issued is not None
    return issued


def test_the_browser_that_used_a_link_may_redeem_it_again_for_a_while_for_the_same_session() -> None:
    clock = FakeClock()
    invitations = Invitations(clock)
    token, other = invitations.invite(), invitations.invite()
    first, again = invitations.redeem(token, "ana's browser"), invitations.redeem(token, "ana's browser")
    assert first is not None
    assert again is not None
    assert first.session == again.session
    assert first.cookie != again.cookie
    assert invitations.is_invited(token, "ana's browser")
    assert not invitations.is_invited(token, "ben's browser")
    assert not invitations.is_invited(token)
    assert invitations.session(first.cookie) == invitations.session(again.cookie) == first.session
    assert invitations.redeem(token, "ben's browser") is None
    assert invitations.redeem(token) is None
    second = invitations.redeem(other, "ana's browser")
    assert second is not None
    assert second.session != first.session
    clock.advance(REDEEM_AGAIN_S)
    assert invitations.redeem(token, "ana's browser") is None


def test_a_link_can_be_redeemed_again_only_so_often() -> None:
    invitations = Invitations(FakeClock())
    token = invitations.invite()
    open_session = [invitations.redeem(token, "ana's browser") is not None for _ in range(100)]
    assert sum(open_session) == 1 + MAX_REDEEM_AGAIN


def test_a_browser_without_a_secret_uses_a_link_once() -> None:
    invitations = Invitations(FakeClock())
    token = invitations.invite()
    assert invitations.redeem(token) is not None
    assert invitations.redeem(token) is None


def test_a_link_does_not_bring_back_a_session_that_ended() -> None:
    invitations = Invitations(FakeClock())
    token = invitations.invite()
    issued = invitations.redeem(token, "ana's browser")
    assert issued is not None
    invitations.end(issued.session.id, EndReason.LEFT)
    assert invitations.redeem(token, "ana's browser") is None


def test_checking_a_link_does_not_use_it_up() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, AccessOptions(invite_s=10))
    token, old = invitations.invite(), invitations.invite()
    assert [invitations.is_invited(token) for _ in range(3)] == [True] * 3
    assert not invitations.is_invited("x")
    assert invitations.redeem(token) is not None
    assert not invitations.is_invited(token)
    clock.advance(10)
    assert not invitations.is_invited(old)


def test_the_end_of_an_expired_session_is_published_once() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, AccessOptions(session_s=10))
    received: list[SessionChange] = []
    invitations.events.subscribe(received.append)
    issued = open_session(invitations)
    invitations.tick()
    assert received == []
    clock.advance(10)
    assert invitations.session(issued.cookie) is None
    assert not invitations.is_live(issued.session)
    invitations.tick()
    invitations.tick()
    assert received == [ended(issued.session, EndReason.EXPIRED)]


def test_the_end_of_a_displaced_session_is_published_within_the_call_that_displaces_it() -> None:
    invitations = Invitations(FakeClock(), AccessOptions(max_sessions=1))
    received: list[SessionChange] = []
    first = open_session(invitations)
    invitations.events.subscribe(received.append)
    second = open_session(invitations)
    assert received == [ended(first.session, EndReason.DISPLACED)]
    assert invitations.session(first.cookie) is None
    assert not invitations.is_live(first.session)
    assert invitations.is_live(second.session)


@pytest.mark.parametrize("reason", [EndReason.LEFT, EndReason.REVOKED])
def test_a_session_can_be_ended_once_for_a_reason(reason: EndReason) -> None:
    invitations = Invitations(FakeClock())
    received: list[SessionChange] = []
    invitations.events.subscribe(received.append)
    ana, ben = open_session(invitations), open_session(invitations)
    invitations.end(ana.session.id, reason)
    invitations.end(ana.session.id, reason)
    invitations.end("unknown", reason)
    assert received == [ended(ana.session, reason)]
    assert invitations.session(ana.cookie) is None
    assert invitations.session(ben.cookie) == ben.session


def test_subscribers_are_called_when_the_cookie_is_already_invalid() -> None:
    invitations = Invitations(FakeClock())
    issued = open_session(invitations)
    seen: list[bool] = []
    invitations.events.subscribe(lambda ended: seen.append(invitations.is_live(ended.session)))
    invitations.events.subscribe(lambda _: seen.append(invitations.session(issued.cookie) is not None))
    invitations.end(issued.session.id, EndReason.LEFT)
    assert seen == [False, False]


def test_a_subscriber_that_fails_does_not_keep_others_from_being_called(caplog: pytest.LogCaptureFixture) -> None:
    invitations = Invitations(FakeClock(), AccessOptions(max_sessions=1))
    received: list[str] = []

    def fail(_: SessionChange) -> None:
        received.append("first")
        raise RuntimeError("broken")

    invitations.events.subscribe(fail)
    invitations.events.subscribe(lambda _: received.append("second"))
    open_session(invitations)
    assert invitations.session(open_session(invitations).cookie) is not None
    assert received == ["first", "second"]
    assert "a subscriber failed to handle it" in caplog.text


def test_the_watcher_is_called_for_every_new_session_and_for_nothing_else() -> None:
    clock = FakeClock(100)
    invitations = Invitations(clock, AccessOptions(session_s=10))
    received: list[float | None] = []
    invitations.watch(lambda: received.append(invitations.deadline()))
    token = invitations.invite()
    invitations.redeem("wrong")
    assert invitations.deadline() is None
    invitations.redeem(token)
    invitations.redeem(token)
    assert received == [110]


def test_expired_invitations_are_deleted() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, AccessOptions(invite_s=10))
    token = invitations.invite()
    clock.advance(9)
    invitations.tick()
    young = invitations.invite()
    clock.advance(1)
    invitations.tick()
    assert invitations.redeem(token) is None
    assert invitations.redeem(young) is not None


def test_a_session_has_the_name_role_and_rights_of_its_invitation() -> None:
    invitations = Invitations(FakeClock())
    watching = frozenset({Right.LOOK})
    resident = invitations.redeem(invitations.invite("resident", Role.RESIDENT, watching))
    anonymous = invitations.redeem(invitations.invite())
    assert resident is not None
    assert anonymous is not None
    first, second = resident.session, anonymous.session
    assert (first.person, first.role, first.rights) == ("resident", Role.RESIDENT, watching)
    assert (second.person, second.role, second.rights) == (second.id, Role.VISITOR, VISITOR_RIGHTS)
    assert invitations.rights_of(first) == watching


def test_a_change_of_rights_is_published_once_they_are_in_force_with_what_was_lost() -> None:
    events: list[Event] = []
    invitations = Invitations(FakeClock(), record=events.append)
    issued = open_session(invitations)
    received: list[tuple[SessionChange, frozenset[Right]]] = []
    invitations.events.subscribe(lambda change: received.append((change, invitations.rights_of(issued.session))))
    watching = frozenset({Right.LOOK, Right.TALK})
    invitations.change_rights(issued.session.id, watching)
    invitations.change_rights("unknown", watching)
    ((change, in_force),) = received
    assert (change.lost, change.session.rights, in_force) == (frozenset({Right.DRIVE}), watching, watching)
    assert change.end is None
    assert change.takes(Right.DRIVE)
    assert not change.takes(Right.LOOK)
    assert invitations.session(issued.cookie) == change.session
    assert invitations.is_live(issued.session)
    assert events[1:] == [RightsChanged(issued.session.id, issued.session.person, "look talk")]


def test_a_session_that_ended_has_no_rights_left_and_gets_none() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, AccessOptions(session_s=10))
    left, late = open_session(invitations).session, open_session(invitations).session
    invitations.end(left.id, EndReason.LEFT)
    clock.advance(10)
    invitations.change_rights(left.id, VISITOR_RIGHTS)
    invitations.change_rights(late.id, VISITOR_RIGHTS)
    assert invitations.rights_of(left) == invitations.rights_of(late) == NO_RIGHTS
