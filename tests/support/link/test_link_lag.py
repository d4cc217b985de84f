"""How old a command is when a unit receives it, and how long a stop takes, over a radio that queues without limit."""

from __future__ import annotations

import statistics
from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.support.link.link_lag import Lag, measure_lag
from tests.support.link.simulated_unit import SimulatedRadio

from belvedere.head.axes import AXES

if TYPE_CHECKING:
    from tests.support.link.simulated_unit import SimulatedUnit

    from belvedere.head.axes import Axis

INTERVALS_S = [0.015, 0.030, 0.040, 0.050, 0.100]
EPSILON_S = 1e-6


@pytest.mark.parametrize("interval_s", INTERVALS_S)
async def test_a_command_is_at_most_two_intervals_old_when_it_arrives_and_never_older_with_time(
    interval_s: float,
) -> None:
    lag = await measure_lag(SimulatedRadio(interval_s=interval_s), Random(1), seconds=30)
    assert lag.age_s(0.99) <= 2 * interval_s
    assert lag.deepest <= 2
    for axis in AXES:
        early, late = (statistics.fmean(part) for part in (lag.ages_s[axis][:100], lag.ages_s[axis][-100:]))
        assert late <= early + 0.25 * interval_s


@pytest.mark.parametrize("interval_s", INTERVALS_S)
async def test_a_stop_arrives_within_two_intervals_at_any_moment(interval_s: float) -> None:
    lag = await measure_lag(SimulatedRadio(interval_s=interval_s), Random(2), seconds=60, hold_s=0.4)
    assert len(lag.stops_s) > 50
    assert max(lag.stops_s) <= 2 * interval_s + EPSILON_S


@pytest.mark.parametrize(("interval_s", "rate_hz"), [(0.030, 60), (0.040, 60), (0.050, 25)])
async def test_both_units_get_most_of_the_commands_that_their_radio_can_carry(
    interval_s: float, rate_hz: float
) -> None:
    """Without the shift of keep-alives, the last pair would stay in phase with the radio and reach only 0.72."""
    lag = await measure_lag(SimulatedRadio(interval_s=interval_s), Random(3), seconds=30, rate_hz=rate_hz)
    for axis in AXES:
        assert len(lag.ages_s[axis]) >= 0.78 * 30 * min(rate_hz, 1 / interval_s)


async def test_when_the_unit_gets_itself_a_slower_link_the_backlog_is_seen_and_goes_away() -> None:
    def slow_down(units: dict[Axis, SimulatedUnit]) -> None:
        for unit in units.values():
            unit.retime(0.060)

    lag = await measure_lag(SimulatedRadio(interval_s=0.030), Random(4), seconds=30, during=slow_down)
    for axis in AXES:
        assert statistics.quantiles(lag.ages_s[axis][-200:], n=100)[-1] <= 2 * 0.060
    assert lag.deepest <= 20  # the backlog until the next keep-alive, at most half a second later


def test_ages_are_counted_over_both_axes() -> None:
    lag = Lag()
    for axis, ages in zip(AXES, ([0.1, 0.3], [0.2, 0.4]), strict=True):
        lag.ages_s[axis].extend(ages)
    assert [lag.age_s(share) for share in (0.0, 0.5, 1.0)] == [0.1, 0.3, 0.4]
