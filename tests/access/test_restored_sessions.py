"""A restored session is suspended while the wall clock is past its end, and is never made longer by any clock."""

import pytest

from belvedere.access.restored_sessions import CHECK_EVERY_S, RestoredSessions


def test_a_session_of_this_run_knows_no_wall_clock() -> None:
    restored = RestoredSessions()
    assert not restored.is_suspended("a", 1e12)
    assert restored.end_utc_s("a") is None
    assert restored.deadline() is None
    assert restored.check(0.0, 1e12) == []


def test_a_session_is_suspended_from_its_end_on_and_reported_once() -> None:
    restored = RestoredSessions()
    restored.add("a", 1100.0, now=5.0)
    assert restored.check(5.0, 1090.0) == []
    assert restored.deadline() == pytest.approx(15.0)
    assert not restored.is_suspended("a", 1099.9)
    assert restored.is_suspended("a", 1100.0)
    assert restored.check(14.9, 1100.0) == []  # not due yet
    assert restored.check(15.0, 1100.0) == ["a"]
    assert restored.check(15.0 + CHECK_EVERY_S, 1200.0) == []


def test_a_jump_is_noticed_within_a_minute_and_a_clock_that_comes_back_costs_the_moment_only() -> None:
    restored = RestoredSessions()
    restored.add("a", 100_000.0, now=0.0)
    assert restored.check(0.0, 1000.0) == []
    assert restored.deadline() == CHECK_EVERY_S
    assert restored.check(CHECK_EVERY_S, 2e9) == ["a"]
    assert restored.check(2 * CHECK_EVERY_S, 1120.0) == []
    assert not restored.is_suspended("a", 1120.0)
    assert restored.check(3 * CHECK_EVERY_S, 2e9) == ["a"]


def test_a_clock_that_is_behind_suspends_nothing() -> None:
    restored = RestoredSessions()
    restored.add("a", 1_800_000_000.0, now=0.0)
    assert not restored.is_suspended("a", 0.0)


def test_what_has_ended_for_good_is_forgotten() -> None:
    restored = RestoredSessions()
    restored.add("a", 100.0, now=0.0)
    assert restored.check(0.0, 200.0) == ["a"]
    restored.forget("a")
    restored.forget("a")
    assert restored.deadline() is None
    assert not restored.is_suspended("a", 200.0)
