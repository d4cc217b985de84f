"""Of sessions only digests of cookies are stored; sessions expire, and are bounded in number."""

import math

import hypothesis.strategies as st
from hypothesis import example, given

from belvedere.access.rights import NO_RIGHTS, VISITOR_RIGHTS, Role
from belvedere.access.sessions import IssuedSession, Session, Sessions, digest, new_id, new_secret


def come_in(sessions: Sessions, now: float, person: str, lifetime_s: float = math.inf) -> IssuedSession:
    session = Session(id=new_id(), person=person, role=Role.VISITOR, rights=VISITOR_RIGHTS, ends_at_s=now + lifetime_s)
    return sessions.open(now, session)


def test_a_cookie_finds_its_session() -> None:
    sessions = Sessions(lifetime_s=10, at_most=4)
    issued = come_in(sessions, 0.0, "ana")
    assert sessions.find(9.9, issued.cookie) == issued.session
    assert issued.session.person == "ana"
    assert (issued.session.role, issued.session.rights) == (Role.VISITOR, VISITOR_RIGHTS)


def test_a_session_ends_on_time() -> None:
    sessions = Sessions(lifetime_s=10, at_most=4)
    issued = come_in(sessions, 0.0, "ana")
    assert sessions.find(10.0, issued.cookie) is None
    assert sessions.current(10.0, issued.session.id) is None
    assert sessions.expire(10.0) == [issued.session]
    assert sessions.expire(10.0) == []


def test_one_too_many_ends_the_one_with_the_least_time_left() -> None:
    sessions = Sessions(lifetime_s=10, at_most=2)
    first, second = (come_in(sessions, float(now), "ana") for now in range(2))
    assert sessions.evict_for("ana") == first.session
    assert sessions.evict_for("ana") is None
    third = come_in(sessions, 2.0, "ana")
    assert sessions.find(3.0, first.cookie) is None
    assert sessions.current(3.0, first.session.id) is None
    assert sessions.find(3.0, second.cookie) is not None
    assert sessions.find(3.0, third.cookie) is not None
    assert len(sessions) == 2


def test_a_session_can_be_ended_once_before_its_time() -> None:
    sessions = Sessions(lifetime_s=10, at_most=4)
    ana, ben = (
        come_in(sessions, 0.0, "ana"),
        come_in(sessions, 0.0, "ben"),
    )
    assert sessions.end(ana.session.id) == ana.session
    assert sessions.end(ana.session.id) is None
    assert sessions.find(1.0, ana.cookie) is None
    assert sessions.current(1.0, ana.session.id) is None
    assert sessions.current(1.0, ben.session.id) is not None
    assert sessions.expire(10.0) == [ben.session]


def test_the_deadline_is_the_end_of_the_session_that_ends_first() -> None:
    sessions = Sessions(lifetime_s=10, at_most=3)
    assert sessions.deadline() is None
    come_in(sessions, 0.0, "ana")
    come_in(sessions, 4.0, "ben")
    assert sessions.deadline() == 10.0
    sessions.expire(10.0)
    assert sessions.deadline() == 14.0


def test_no_secret_is_kept() -> None:
    sessions = Sessions(lifetime_s=10, at_most=2)
    issued = come_in(sessions, 0.0, "ana")
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
    come_in(sessions, 0.0, "ana")
    assert sessions.find(0.0, guess) is None
    assert len(digest(guess)) == 32


def test_of_many_the_one_with_the_least_time_left_is_evicted() -> None:
    sessions = Sessions(lifetime_s=10, at_most=8)
    gone, opened = [], []
    for now in range(24):
        gone.append(sessions.evict_for("ana"))
        opened.append(come_in(sessions, float(now), "ana").session)
    assert gone == [None] * 8 + opened[:16]


def test_every_session_has_a_short_name_of_its_own() -> None:
    names = {new_id() for _ in range(100)}
    assert len(names) == 100
    assert {len(name) for name in names} == {12}


def test_a_session_ends_when_it_was_not_used_for_long_and_a_use_moves_the_deadline() -> None:
    sessions = Sessions(lifetime_s=100, at_most=4, idle_s=10)
    issued = come_in(sessions, 0.0, "ana")
    assert sessions.deadline() == 10.0
    sessions.receive_use(9.0, issued.session.id)
    sessions.receive_use(9.0, "unknown")
    assert (sessions.deadline(), sessions.used_at_s(issued.session.id)) == (19.0, 9.0)
    assert sessions.find(18.9, issued.cookie) is not None
    assert sessions.find(19.0, issued.cookie) is None
    assert sessions.expire(19.0) == [issued.session]


def test_one_too_many_of_a_person_ends_the_persons_own_that_was_unused_for_longest() -> None:
    sessions = Sessions(lifetime_s=100, at_most=8, idle_s=10, per_person=2)
    ben = come_in(sessions, 0.0, "ben").session
    first, second = come_in(sessions, 1.0, "ana").session, come_in(sessions, 2.0, "ana").session
    sessions.receive_use(3.0, first.id)
    assert sessions.evict_for("ana") == second
    assert sessions.evict_for("ben") is None
    assert sessions.current(3.0, ben.id) is not None


def test_one_too_many_of_all_ends_one_of_whoever_has_most() -> None:
    sessions = Sessions(lifetime_s=100, at_most=3, per_person=3)
    ben = come_in(sessions, 0.0, "ben").session
    first, _ = come_in(sessions, 1.0, "ana").session, come_in(sessions, 2.0, "ana").session
    assert sessions.evict_for("cem") == first
    assert sessions.current(3.0, ben.id) is not None


def test_the_sessions_of_a_person_are_found_and_their_role_changed() -> None:
    sessions = Sessions(lifetime_s=10, at_most=4)
    first, second = (come_in(sessions, 0.0, "ana").session for _ in range(2))
    ben = come_in(sessions, 0.0, "ben").session
    assert sessions.of("ana") == [first, second]
    changed = sessions.change_rights(first.id, NO_RIGHTS, Role.GUEST)
    assert changed is not None
    before, after = changed
    assert before == first
    assert (after.id, after.role, after.rights) == (first.id, Role.GUEST, NO_RIGHTS)
    assert sessions.of("ana") == [after, second]
    assert sessions.of("ben") == [ben]
    assert sessions.change_rights("unknown", NO_RIGHTS, Role.GUEST) is None


def test_a_session_may_be_shorter_than_the_others_but_not_longer() -> None:
    sessions = Sessions(lifetime_s=10, at_most=4)
    short, long = (come_in(sessions, 0.0, "ana", seconds) for seconds in (4, 400))
    assert (short.lifetime_s, long.lifetime_s) == (4, 10)
