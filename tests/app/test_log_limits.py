"""One kind of line is said so often, and then counted."""

from belvedere.app.log_limits import LINES, MAX_KINDS, WINDOW_S, LineLimits


def test_a_kind_is_said_so_often_and_then_counted() -> None:
    limits = LineLimits()
    assert [limits.take(0.0, "a") for _ in range(LINES + 3)] == [True] * LINES + [False] * 3
    assert limits.tick(WINDOW_S - 0.1) == []
    assert limits.tick(WINDOW_S) == [("a", 3)]
    assert limits.take(WINDOW_S, "a")


def test_kinds_do_not_share() -> None:
    limits = LineLimits()
    assert [limits.take(0.0, "a") for _ in range(LINES + 1)][-1] is False
    assert limits.take(0.0, "b")


def test_what_was_said_seldom_is_not_counted() -> None:
    limits = LineLimits()
    limits.take(0.0, "a")
    assert limits.tick(WINDOW_S) == []


def test_kinds_without_end_share_one() -> None:
    limits = LineLimits()
    said = sum(limits.take(0.0, str(number)) for number in range(MAX_KINDS * 2))
    assert said == MAX_KINDS + LINES
