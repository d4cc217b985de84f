"""Random schedules of faults, and a long drive; `make soak` runs many more of both."""

from __future__ import annotations

import pytest
from tests.faults.long_drive import drive_long
from tests.faults.random_faults import FAULT_KINDS, run_random_faults


@pytest.mark.parametrize("seed", range(8))
def test_under_random_faults_no_unit_moves_without_a_press_and_both_recover(seed: int) -> None:
    run = run_random_faults(seed, episodes=2)
    assert run.presses
    assert set(run.met) & set(FAULT_KINDS)


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = run_random_faults(7, episodes=1), run_random_faults(7, episodes=1)
    assert first == second


def test_minutes_of_driving_lose_no_stop_and_accumulate_no_tasks() -> None:
    driven = drive_long(60.0)
    assert driven.stops > 15
    assert driven.latest_stop_s > 0
