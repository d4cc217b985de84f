from __future__ import annotations

import pytest

from belvedere.stage.encoding.preset import COSTS, PRESETS, PresetChoice

INTERVAL_S = 1 / 30


def chosen(fast_s: float, *, budget: float = 0.75, pictures: int = 2000) -> str:
    """The preset on a machine that takes `fast_s` for a picture with the fastest."""
    choice = PresetChoice(budget)
    for _ in range(pictures):
        choice.receive_time(choice.preset, fast_s * COSTS[choice.preset], INTERVAL_S)
    return choice.preset


@pytest.mark.parametrize(
    ("fast_s", "budget", "preset"),
    [
        (0.0045, 0.14, "ultrafast"),
        (0.0025, 0.14, "superfast"),
        (0.0015, 0.14, "veryfast"),
        (0.0005, 0.14, "faster"),
        (0.004, 0.75, "faster"),
        (0.009, 0.75, "veryfast"),
        (0.030, 0.75, "ultrafast"),
        (0.050, 0.14, "ultrafast"),
    ],
)
def test_the_slowest_preset_that_fits_the_budget_and_leaves_a_quarter_of_the_time_is_used(
    fast_s: float, budget: float, preset: str
) -> None:
    assert chosen(fast_s, budget=budget) == preset


def test_it_begins_with_the_fastest_and_goes_one_step_at_a_time() -> None:
    assert chosen(0.0001, pictures=0) == PRESETS[0]
    assert chosen(0.0001, pictures=100) == PRESETS[1]


def test_a_machine_that_becomes_slow_gets_a_faster_preset() -> None:
    choice = PresetChoice(0.75)
    for fast_s in (0.0045, 0.020):
        for _ in range(1000):
            choice.receive_time(choice.preset, fast_s * COSTS[choice.preset], INTERVAL_S)
    assert choice.preset == "ultrafast"


def test_pictures_of_the_encoder_that_is_still_open_with_another_preset_do_not_count() -> None:
    choice = PresetChoice(0.75)
    for _ in range(1000):
        choice.receive_time("ultrafast", 0.0001, INTERVAL_S)
    assert choice.preset == "superfast"
