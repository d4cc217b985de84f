"""A link opens the door once; a cookie keeps it open for a day."""

import pytest

from belvedere.access.door import ADMIT_AGAIN_AT_MOST, ADMIT_AGAIN_S, Door, DoorOptions
from belvedere.access.sessions import Admission, EndedSession, EndReason
from belvedere.events import Event, SessionEnded, SessionOpened
from belvedere.testing.clock import FakeClock


def test_an_invitation_lets_one_browser_in_once() -> None:
    door = Door(FakeClock())
    token = door.invite("ana")
    admission = door.admit(token)
    assert admission is not None
    assert door.session(admission.cookie) == admission.session
    assert door.admit(token) is None


def test_who_came_in_and_who_left_is_recorded_once() -> None:
    events: list[Event] = []
    door = Door(FakeClock(), record=events.append)
    token = door.invite("ana")
    admission = door.admit(token, "ana's browser")
    assert door.admit(token, "ana's browser") is not None
    assert door.admit("no token") is None
    assert admission is not None
    session = admission.session.id
    door.end(session, EndReason.LEFT)
    door.end(session, EndReason.LEFT)
    assert events == [SessionOpened(session, "ana"), SessionEnded(session, "ana", "left")]


def test_the_token_is_not_the_cookie() -> None:
    door = Door(FakeClock())
    token = door.invite()
    admission = door.admit(token)
    assert admission is not None
    assert door.session(token) is None
    assert door.admit(admission.cookie) is None


@pytest.mark.parametrize("token", ["", "x", "☃", "\ud800", "a" * 100_000])
def test_an_unknown_token_opens_nothing(token: str) -> None:
    door = Door(FakeClock())
    door.invite()
    assert door.admit(token) is None


@pytest.mark.parametrize("cookie", [None, "", "x", "☃", "\ud800"])
def test_an_unknown_cookie_is_nobody(cookie: str | None) -> None:
    assert Door(FakeClock()).session(cookie) is None


def test_an_invitation_grows_too_old() -> None:
    clock = FakeClock()
    door = Door(clock)
    token = door.invite()
    clock.advance(DoorOptions().invite_s)
    assert door.admit(token) is None


def test_the_oldest_invitation_gives_way() -> None:
    door = Door(FakeClock(), DoorOptions(most_invites=2))
    first, second, third = (door.invite() for _ in range(3))
    assert door.admit(first) is None
    assert door.admit(second) is not None
    assert door.admit(third) is not None


def let_in(door: Door) -> Admission:
    admission = door.admit(door.invite())
    assert admission is not None
    return admission


def test_the_browser_that_used_a_link_may_use_it_again_for_a_while_for_the_same_session() -> None:
    clock = FakeClock()
    door = Door(clock)
    token, other = door.invite(), door.invite()
    first, again = door.admit(token, "ana's browser"), door.admit(token, "ana's browser")
    assert first is not None
    assert again is not None
    assert first.session == again.session
    assert first.cookie != again.cookie
    assert door.is_invited(token, "ana's browser")
    assert not door.is_invited(token, "ben's browser")
    assert not door.is_invited(token)
    assert door.session(first.cookie) == door.session(again.cookie) == first.session
    assert door.admit(token, "ben's browser") is None
    assert door.admit(token) is None
    second = door.admit(other, "ana's browser")
    assert second is not None
    assert second.session != first.session
    clock.advance(ADMIT_AGAIN_S)
    assert door.admit(token, "ana's browser") is None


def test_a_link_is_not_used_again_and_again() -> None:
    door = Door(FakeClock())
    token = door.invite()
    let_in = [door.admit(token, "ana's browser") is not None for _ in range(100)]
    assert sum(let_in) == 1 + ADMIT_AGAIN_AT_MOST


def test_a_browser_without_a_secret_uses_a_link_once() -> None:
    door = Door(FakeClock())
    token = door.invite()
    assert door.admit(token) is not None
    assert door.admit(token) is None


def test_a_link_does_not_bring_back_a_session_that_ended() -> None:
    door = Door(FakeClock())
    token = door.invite()
    admission = door.admit(token, "ana's browser")
    assert admission is not None
    door.end(admission.session.id, EndReason.LEFT)
    assert door.admit(token, "ana's browser") is None


def test_asking_whether_a_link_still_opens_does_not_use_it_up() -> None:
    clock = FakeClock()
    door = Door(clock, DoorOptions(invite_s=10))
    token, old = door.invite(), door.invite()
    assert [door.is_invited(token) for _ in range(3)] == [True] * 3
    assert not door.is_invited("x")
    assert door.admit(token) is not None
    assert not door.is_invited(token)
    clock.advance(10)
    assert not door.is_invited(old)


def test_a_session_whose_time_is_over_is_told_once() -> None:
    clock = FakeClock()
    door = Door(clock, DoorOptions(session_s=10))
    told: list[EndedSession] = []
    door.subscribe(told.append)
    admission = let_in(door)
    door.tick()
    assert told == []
    clock.advance(10)
    assert door.session(admission.cookie) is None
    assert not door.is_live(admission.session)
    door.tick()
    door.tick()
    assert told == [EndedSession(admission.session, EndReason.EXPIRED)]


def test_a_session_that_has_to_give_way_is_told_within_the_call_that_lets_the_next_one_in() -> None:
    door = Door(FakeClock(), DoorOptions(most_sessions=1))
    told: list[EndedSession] = []
    first = let_in(door)
    door.subscribe(told.append)
    second = let_in(door)
    assert told == [EndedSession(first.session, EndReason.DISPLACED)]
    assert door.session(first.cookie) is None
    assert not door.is_live(first.session)
    assert door.is_live(second.session)


@pytest.mark.parametrize("reason", [EndReason.LEFT, EndReason.REVOKED])
def test_a_session_can_be_ended_once_for_a_reason(reason: EndReason) -> None:
    door = Door(FakeClock())
    told: list[EndedSession] = []
    door.subscribe(told.append)
    ana, ben = let_in(door), let_in(door)
    door.end(ana.session.id, reason)
    door.end(ana.session.id, reason)
    door.end("unknown", reason)
    assert told == [EndedSession(ana.session, reason)]
    assert door.session(ana.cookie) is None
    assert door.session(ben.cookie) == ben.session


def test_by_the_time_anyone_is_told_the_cookie_proves_nothing() -> None:
    door = Door(FakeClock())
    admission = let_in(door)
    seen: list[bool] = []
    door.subscribe(lambda ended: seen.append(door.is_live(ended.session)))
    door.subscribe(lambda _: seen.append(door.session(admission.cookie) is not None))
    door.end(admission.session.id, EndReason.LEFT)
    assert seen == [False, False]


def test_a_subscriber_that_fails_keeps_nobody_from_being_told(caplog: pytest.LogCaptureFixture) -> None:
    door = Door(FakeClock(), DoorOptions(most_sessions=1))
    told: list[str] = []

    def fail(_: EndedSession) -> None:
        told.append("first")
        raise RuntimeError("broken")

    door.subscribe(fail)
    door.subscribe(lambda _: told.append("second"))
    let_in(door)
    assert door.session(let_in(door).cookie) is not None
    assert told == ["first", "second"]
    assert "a subscriber failed to act on it" in caplog.text


def test_whoever_watches_is_told_of_every_session_and_of_nothing_else() -> None:
    clock = FakeClock(100)
    door = Door(clock, DoorOptions(session_s=10))
    told: list[float | None] = []
    door.watch(lambda: told.append(door.deadline()))
    token = door.invite()
    door.admit("wrong")
    assert door.deadline() is None
    door.admit(token)
    door.admit(token)
    assert told == [110]


def test_old_invitations_are_forgotten() -> None:
    clock = FakeClock()
    door = Door(clock, DoorOptions(invite_s=10))
    token = door.invite()
    clock.advance(9)
    door.tick()
    young = door.invite()
    clock.advance(1)
    door.tick()
    assert door.admit(token) is None
    assert door.admit(young) is not None


def test_everyone_has_a_name_and_a_rank() -> None:
    door = Door(FakeClock())
    resident = door.admit(door.invite("resident", rank=10))
    stranger = door.admit(door.invite())
    assert resident is not None
    assert stranger is not None
    assert (resident.session.person, resident.session.rank) == ("resident", 10)
    assert (stranger.session.person, stranger.session.rank) == (stranger.session.id, 0)
