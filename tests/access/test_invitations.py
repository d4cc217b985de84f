"""A link opens the door once; a cookie keeps it open for a day."""

import pytest

from belvedere.access.invitations import MAX_REDEEM_AGAIN, REDEEM_AGAIN_S, AccessOptions, Invitations
from belvedere.access.sessions import EndedSession, EndReason, IssuedSession
from belvedere.events import Event, SessionEnded, SessionOpened
from belvedere.testing.clock import FakeClock


def test_an_invitation_lets_one_browser_in_once() -> None:
    invitations = Invitations(FakeClock())
    token = invitations.invite("ana")
    issued = invitations.redeem(token)
    assert issued is not None
    assert invitations.session(issued.cookie) == issued.session
    assert invitations.redeem(token) is None


def test_who_came_in_and_who_left_is_recorded_once() -> None:
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
def test_an_unknown_token_opens_nothing(token: str) -> None:
    invitations = Invitations(FakeClock())
    invitations.invite()
    assert invitations.redeem(token) is None


@pytest.mark.parametrize("cookie", [None, "", "x", "☃", "\ud800"])
def test_an_unknown_cookie_is_nobody(cookie: str | None) -> None:
    assert Invitations(FakeClock()).session(cookie) is None


def test_an_invitation_grows_too_old() -> None:
    clock = FakeClock()
    invitations = Invitations(clock)
    token = invitations.invite()
    clock.advance(AccessOptions().invite_s)
    assert invitations.redeem(token) is None


def test_the_oldest_invitation_gives_way() -> None:
    invitations = Invitations(FakeClock(), AccessOptions(max_invitations=2))
    first, second, third = (invitations.invite() for _ in range(3))
    assert invitations.redeem(first) is None
    assert invitations.redeem(second) is not None
    assert invitations.redeem(third) is not None


def open_session(invitations: Invitations) -> IssuedSession:
    issued = invitations.redeem(invitations.invite())
    assert issued is not None
    return issued


def test_the_browser_that_used_a_link_may_use_it_again_for_a_while_for_the_same_session() -> None:
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


def test_a_link_is_not_used_again_and_again() -> None:
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


def test_asking_whether_a_link_still_opens_does_not_use_it_up() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, AccessOptions(invite_s=10))
    token, old = invitations.invite(), invitations.invite()
    assert [invitations.is_invited(token) for _ in range(3)] == [True] * 3
    assert not invitations.is_invited("x")
    assert invitations.redeem(token) is not None
    assert not invitations.is_invited(token)
    clock.advance(10)
    assert not invitations.is_invited(old)


def test_a_session_whose_time_is_over_is_told_once() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, AccessOptions(session_s=10))
    told: list[EndedSession] = []
    invitations.subscribe(told.append)
    issued = open_session(invitations)
    invitations.tick()
    assert told == []
    clock.advance(10)
    assert invitations.session(issued.cookie) is None
    assert not invitations.is_live(issued.session)
    invitations.tick()
    invitations.tick()
    assert told == [EndedSession(issued.session, EndReason.EXPIRED)]


def test_a_session_that_has_to_give_way_is_told_within_the_call_that_lets_the_next_one_in() -> None:
    invitations = Invitations(FakeClock(), AccessOptions(max_sessions=1))
    told: list[EndedSession] = []
    first = open_session(invitations)
    invitations.subscribe(told.append)
    second = open_session(invitations)
    assert told == [EndedSession(first.session, EndReason.DISPLACED)]
    assert invitations.session(first.cookie) is None
    assert not invitations.is_live(first.session)
    assert invitations.is_live(second.session)


@pytest.mark.parametrize("reason", [EndReason.LEFT, EndReason.REVOKED])
def test_a_session_can_be_ended_once_for_a_reason(reason: EndReason) -> None:
    invitations = Invitations(FakeClock())
    told: list[EndedSession] = []
    invitations.subscribe(told.append)
    ana, ben = open_session(invitations), open_session(invitations)
    invitations.end(ana.session.id, reason)
    invitations.end(ana.session.id, reason)
    invitations.end("unknown", reason)
    assert told == [EndedSession(ana.session, reason)]
    assert invitations.session(ana.cookie) is None
    assert invitations.session(ben.cookie) == ben.session


def test_by_the_time_anyone_is_told_the_cookie_proves_nothing() -> None:
    invitations = Invitations(FakeClock())
    issued = open_session(invitations)
    seen: list[bool] = []
    invitations.subscribe(lambda ended: seen.append(invitations.is_live(ended.session)))
    invitations.subscribe(lambda _: seen.append(invitations.session(issued.cookie) is not None))
    invitations.end(issued.session.id, EndReason.LEFT)
    assert seen == [False, False]


def test_a_subscriber_that_fails_keeps_nobody_from_being_told(caplog: pytest.LogCaptureFixture) -> None:
    invitations = Invitations(FakeClock(), AccessOptions(max_sessions=1))
    told: list[str] = []

    def fail(_: EndedSession) -> None:
        told.append("first")
        raise RuntimeError("broken")

    invitations.subscribe(fail)
    invitations.subscribe(lambda _: told.append("second"))
    open_session(invitations)
    assert invitations.session(open_session(invitations).cookie) is not None
    assert told == ["first", "second"]
    assert "a subscriber failed to handle it" in caplog.text


def test_whoever_watches_is_told_of_every_session_and_of_nothing_else() -> None:
    clock = FakeClock(100)
    invitations = Invitations(clock, AccessOptions(session_s=10))
    told: list[float | None] = []
    invitations.watch(lambda: told.append(invitations.deadline()))
    token = invitations.invite()
    invitations.redeem("wrong")
    assert invitations.deadline() is None
    invitations.redeem(token)
    invitations.redeem(token)
    assert told == [110]


def test_old_invitations_are_forgotten() -> None:
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


def test_everyone_has_a_name_and_a_rank() -> None:
    invitations = Invitations(FakeClock())
    resident = invitations.redeem(invitations.invite("resident", rank=10))
    stranger = invitations.redeem(invitations.invite())
    assert resident is not None
    assert stranger is not None
    assert (resident.session.person, resident.session.rank) == ("resident", 10)
    assert (stranger.session.person, stranger.session.rank) == (stranger.session.id, 0)
