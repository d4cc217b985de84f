"""Lines of one kind are limited, and then counted."""

from belvedere.app.log_limits import LINES, MAX_KINDS, WINDOW_S, LineLimits


def test_lines_of_a_kind_beyond_the_limit_are_counted() -> None:
    limits = LineLimits()
    assert [limits.take(0.0, "a") for _ in range(LINES + 3)] == [True] * LINES + [False] * 3
    assert limits.tick(WINDOW_S - 0.1) == []
    assert limits.tick(WINDOW_S) == [("a", 3)]
    assert limits.take(WINDOW_S, "a")


def test_each_kind_has_its_own_limit() -> None:
    limits = LineLimits()
    assert [limits.take(0.0, "a") for _ in range(LINES + 1)][-1] is False
    assert limits.take(0.0, "b")


def test_rare_lines_are_not_counted() -> None:
    limits = LineLimits()
    limits.take(0.0, "a")
    assert limits.tick(WINDOW_S) == []


def test_kinds_beyond_the_limit_share_one_window() -> None:
    limits = LineLimits()
    said = sum(limits.take(0.0, str(number)) for number in range(MAX_KINDS * 2))
    assert said == MAX_KINDS + LINES
