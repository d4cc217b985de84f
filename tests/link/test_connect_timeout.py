from __future__ import annotations

import pytest

from belvedere.link.connect_timeout import ConnectTimeout


def test_a_unit_that_was_never_connected_gets_the_longest_timeout() -> None:
    assert ConnectTimeout(5).limit_s == 5


@pytest.mark.parametrize(("took_s", "limit_s"), [(0.1, 2), (0.9, pytest.approx(2.7)), (4, 5)])
def test_the_timeout_is_three_times_the_last_duration_but_at_least_two_seconds(took_s: float, limit_s: float) -> None:
    unit = ConnectTimeout(5)
    unit.receive_connected(took_s)
    assert unit.limit_s == limit_s


def test_the_slowest_of_the_last_connects_counts() -> None:
    unit = ConnectTimeout(5)
    for took_s in (4, 1, *[0.5] * 14):
        unit.receive_connected(took_s)
    assert unit.limit_s == 5
    unit.receive_connected(0.5)
    assert unit.limit_s == 3


def test_the_timeout_doubles_with_each_late_attempt_until_one_succeeds() -> None:
    unit = ConnectTimeout(10)
    unit.receive_connected(1)
    limits = []
    for _ in range(100):
        limits.append(unit.limit_s)
        unit.receive_late()
    assert limits[:3] == [3, 6, 10]
    assert set(limits[3:]) == {10}
    unit.receive_connected(1)
    assert unit.limit_s == 3


def test_the_configured_limit_is_never_exceeded() -> None:
    unit = ConnectTimeout(1)
    unit.receive_connected(0.9)
    unit.receive_late()
    assert unit.limit_s == 1


def test_a_unit_that_was_late_but_never_connected_gets_the_longest_timeout() -> None:
    unit = ConnectTimeout(5)
    unit.receive_late()
    assert unit.limit_s == 5
