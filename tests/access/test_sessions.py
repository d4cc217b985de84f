"""Of sessions only digests of cookies are stored; sessions expire, and are bounded in number."""

import hypothesis.strategies as st
from hypothesis import example, given

from belvedere.access.rights import NO_RIGHTS, VISITOR_RIGHTS, Role
from belvedere.access.sessions import Sessions, digest, new_secret


def test_a_cookie_finds_its_session() -> None:
    sessions = Sessions(lifetime_s=10, at_most=4)
    issued = sessions.open(0.0, "ana", Role.VISITOR, VISITOR_RIGHTS)
    assert sessions.find(9.9, issued.cookie) == issued.session
    assert issued.session.person == "ana"
    assert (issued.session.role, issued.session.rights) == (Role.VISITOR, VISITOR_RIGHTS)


def test_a_session_without_a_name_is_a_person_of_its_own() -> None:
    session = Sessions(lifetime_s=10, at_most=4).open(0.0, "", Role.VISITOR, VISITOR_RIGHTS).session
    assert session.person == session.id


def test_a_session_ends_on_time() -> None:
    sessions = Sessions(lifetime_s=10, at_most=4)
    issued = sessions.open(0.0, "ana", Role.VISITOR, VISITOR_RIGHTS)
    assert sessions.find(10.0, issued.cookie) is None
    assert not sessions.is_live(10.0, issued.session)
    assert sessions.expire(10.0) == [issued.session]
    assert sessions.expire(10.0) == []


def test_one_too_many_ends_the_one_with_the_least_time_left() -> None:
    sessions = Sessions(lifetime_s=10, at_most=2)
    first, second = (sessions.open(float(now), "ana", Role.VISITOR, VISITOR_RIGHTS) for now in range(2))
    assert sessions.evict_if_full() == first.session
    assert sessions.evict_if_full() is None
    third = sessions.open(2.0, "ana", Role.VISITOR, VISITOR_RIGHTS)
    assert sessions.find(3.0, first.cookie) is None
    assert not sessions.is_live(3.0, first.session)
    assert sessions.find(3.0, second.cookie) is not None
    assert sessions.find(3.0, third.cookie) is not None
    assert len(sessions) == 2


def test_a_session_can_be_ended_once_before_its_time() -> None:
    sessions = Sessions(lifetime_s=10, at_most=4)
    ana, ben = (
        sessions.open(0.0, "ana", Role.VISITOR, VISITOR_RIGHTS),
        sessions.open(0.0, "ben", Role.VISITOR, VISITOR_RIGHTS),
    )
    assert sessions.end(ana.session.id) == ana.session
    assert sessions.end(ana.session.id) is None
    assert sessions.find(1.0, ana.cookie) is None
    assert not sessions.is_live(1.0, ana.session)
    assert sessions.is_live(1.0, ben.session)
    assert sessions.expire(10.0) == [ben.session]


def test_the_deadline_is_the_end_of_the_session_that_ends_first() -> None:
    sessions = Sessions(lifetime_s=10, at_most=3)
    assert sessions.deadline() is None
    sessions.open(0.0, "ana", Role.VISITOR, VISITOR_RIGHTS)
    sessions.open(4.0, "ben", Role.VISITOR, VISITOR_RIGHTS)
    assert sessions.deadline() == 10.0
    sessions.expire(10.0)
    assert sessions.deadline() == 14.0


def test_no_secret_is_kept() -> None:
    sessions = Sessions(lifetime_s=10, at_most=2)
    issued = sessions.open(0.0, "ana", Role.VISITOR, VISITOR_RIGHTS)
    assert issued.cookie not in repr(vars(sessions))
    assert issued.cookie not in repr(issued.session)


def test_secrets_are_long_and_never_the_same() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(len(secret) == 43 for secret in secrets)  # 256 bits in base64


@given(st.text())
@example("\ud800")  # half of a pair, which UTF-8 cannot encode
def test_no_guessed_cookie_is_valid(guess: str) -> None:
    sessions = Sessions(lifetime_s=10, at_most=2)
    sessions.open(0.0, "ana", Role.VISITOR, VISITOR_RIGHTS)
    assert sessions.find(0.0, guess) is None
    assert len(digest(guess)) == 32


def test_of_many_the_one_with_the_least_time_left_is_evicted() -> None:
    sessions = Sessions(lifetime_s=10, at_most=8)
    gone, opened = [], []
    for now in range(24):
        gone.append(sessions.evict_if_full())
        opened.append(sessions.open(float(now), "ana", Role.VISITOR, VISITOR_RIGHTS).session)
    assert gone == [None] * 8 + opened[:16]


def test_every_session_has_a_short_name_of_its_own() -> None:
    sessions = Sessions(lifetime_s=10, at_most=100)
    names = {sessions.open(0.0, "", Role.VISITOR, VISITOR_RIGHTS).session.id for _ in range(100)}
    assert len(names) == 100
    assert {len(name) for name in names} == {12}


def test_the_sessions_of_a_person_are_found_and_their_role_changed() -> None:
    sessions = Sessions(lifetime_s=10, at_most=4)
    first, second = (sessions.open(0.0, "ana", Role.VISITOR, VISITOR_RIGHTS).session for _ in range(2))
    ben = sessions.open(0.0, "ben", Role.VISITOR, VISITOR_RIGHTS).session
    assert sessions.of("ana") == [first, second]
    changed = sessions.change_role(first.id, Role.GUEST, NO_RIGHTS)
    assert changed is not None
    before, after = changed
    assert before == first
    assert (after.id, after.role, after.rights) == (first.id, Role.GUEST, NO_RIGHTS)
    assert sessions.of("ana") == [after, second]
    assert sessions.of("ben") == [ben]
    assert sessions.change_role("unknown", Role.GUEST, NO_RIGHTS) is None


def test_a_session_may_be_shorter_than_the_others_but_not_longer() -> None:
    sessions = Sessions(lifetime_s=10, at_most=4)
    short, long = (sessions.open(0.0, "ana", Role.VISITOR, VISITOR_RIGHTS, seconds) for seconds in (4, 400))
    assert (short.lifetime_s, long.lifetime_s) == (4, 10)
