"""A link opens the door once; a cookie keeps it open for a day."""

import pytest

from belvedere.access.door import Door, DoorOptions
from belvedere.testing.clock import FakeClock


def test_an_invitation_lets_one_browser_in_once() -> None:
    door = Door(FakeClock())
    token = door.invite("ana")
    admission = door.admit(token)
    assert admission is not None
    assert door.session(admission.cookie) == admission.session
    assert door.admit(token) is None


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


def test_ended_sessions_are_told_once() -> None:
    clock = FakeClock()
    door = Door(clock, DoorOptions(session_s=10))
    admission = door.admit(door.invite())
    assert admission is not None
    assert door.tick() == []
    clock.advance(10)
    assert door.session(admission.cookie) is None
    assert door.tick() == [admission.session]
    assert door.tick() == []


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
