"""Random schedules of faults, and a long drive; `make soak` runs many more of both."""

from __future__ import annotations

import pytest
from tests.faults.long_drive import drive_long
from tests.faults.random_life import TROUBLES, run_random_life


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_nobody_is_turned_unmeant_and_both_units_come_back(seed: int) -> None:
    life = run_random_life(seed, episodes=2)
    assert life.presses
    assert set(life.met) & set(TROUBLES)


def test_the_same_seed_lives_the_same_life() -> None:
    first, second = run_random_life(7, episodes=1), run_random_life(7, episodes=1)
    assert first == second


def test_minutes_at_the_stick_lose_no_stop_and_pile_nothing_up() -> None:
    driven = drive_long(120.0)
    assert driven.stops > 30
    assert driven.latest_stop_s > 0
