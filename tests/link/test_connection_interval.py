"""The estimate of the connection interval, and the timeouts derived from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.link.connection_interval import RECENT, ConnectionInterval
from belvedere.link.options import FASTEST_INTERVAL_S, SLOWEST_INTERVAL_S

FIRST_S = 0.05
intervals = st.floats(FASTEST_INTERVAL_S, 0.5)
phases = st.floats(0, 1)


def taught(*round_trips_s: float) -> ConnectionInterval:
    interval = ConnectionInterval(FIRST_S)
    for round_trip_s in round_trips_s:
        interval.receive_round_trip(round_trip_s)
    return interval


def test_before_the_first_round_trip_the_estimate_is_the_configured_one() -> None:
    interval = taught()
    assert (interval.estimate_s, interval.is_learned, interval.is_well_learned) == (FIRST_S, False, False)


def test_the_shortest_round_trip_is_the_estimate() -> None:
    interval = taught(0.058, 0.041, 0.077)
    assert (interval.estimate_s, interval.is_learned) == (0.041, True)


def test_a_shortest_round_trip_counts_only_while_it_is_recent() -> None:
    interval = taught(0.031, *[0.055] * RECENT)
    assert interval.estimate_s == 0.055


def test_after_four_round_trips_the_interval_is_well_learned() -> None:
    assert not taught(0.04, 0.04, 0.04).is_well_learned
    assert taught(0.04, 0.04, 0.04, 0.04).is_well_learned


@given(interval_s=intervals, waits=st.lists(phases, min_size=1, max_size=40))
def test_on_an_idle_link_the_estimate_lies_between_the_interval_and_twice_that(
    interval_s: float, waits: list[float]
) -> None:
    interval = taught(*(interval_s * (1 + wait) for wait in waits))
    assert interval_s <= interval.estimate_s <= 2 * interval_s


@given(interval_s=intervals)
def test_round_trips_at_all_phases_bring_the_estimate_within_a_tenth_of_the_interval(interval_s: float) -> None:
    interval = taught(*(interval_s * (1 + (0.381966 * step) % 1) for step in range(1, RECENT)))
    assert interval_s <= interval.estimate_s <= 1.1 * interval_s


def test_a_round_trip_of_more_than_three_intervals_is_a_backlog_and_raises_the_estimate() -> None:
    interval = taught(0.032, 0.097)
    assert interval.estimate_s == pytest.approx(0.048)
    assert not interval.is_learned


def test_the_first_round_trip_after_a_backlog_sets_the_new_estimate() -> None:
    interval = taught(0.032, 0.097, 0.130)
    assert interval.estimate_s == 0.130


def test_a_first_round_trip_is_never_taken_for_a_backlog() -> None:
    assert taught(0.4).estimate_s == 0.4


@given(st.lists(st.floats(0, 60), max_size=30))
def test_the_estimate_stays_within_the_intervals_that_bluetooth_allows(round_trips_s: list[float]) -> None:
    assert FASTEST_INTERVAL_S <= taught(*round_trips_s).estimate_s <= SLOWEST_INTERVAL_S


@pytest.mark.parametrize(
    ("interval_s", "write_s", "request_s"),
    [(0.0075, 0.2, 0.4), (0.04, 0.32, 0.64), (0.1, 0.8, 1.0), (4.0, 1.0, 1.0)],
)
def test_an_answer_may_take_a_few_intervals_within_bounds(interval_s: float, write_s: float, request_s: float) -> None:
    interval = taught(interval_s)
    assert [interval.answer_timeout_s, interval.keep_alive_timeout_s] == pytest.approx([write_s, request_s])


def test_a_round_trip_of_just_three_intervals_is_no_backlog() -> None:
    assert taught(0.25, 0.75).is_learned
