from __future__ import annotations

import random

import pytest

from belvedere.stage.voice.sample_clock import SampleClock

FRAME, RATE = 960, 48_000


def test_a_frame_was_captured_its_length_and_the_latency_before_it_came() -> None:
    clock = SampleClock(latency_s=0.01)
    assert clock.receive(FRAME, 5.0, is_newest=True) == pytest.approx(5.0 - 0.02 - 0.01)
    assert clock.count == FRAME


def test_a_frame_that_comes_late_was_captured_with_the_others() -> None:
    clock = SampleClock(latency_s=0.0)
    clock.receive(FRAME, 0.02, is_newest=True)
    assert clock.receive(FRAME, 0.04 + 0.09, is_newest=True) == pytest.approx(0.02)


@pytest.mark.parametrize("ppm", [200, -200])
def test_the_sound_cards_drift_is_followed_for_two_hours(ppm: float) -> None:
    clock, chance = SampleClock(latency_s=0.0), random.Random(1)
    for number in range(1, 2 * 3600 * 50):
        at_s = number * 0.02 * (1 + ppm / 1e6)
        found = clock.receive(FRAME, at_s + chance.random() * 0.02, is_newest=True)
        assert found is not None
        assert number < 100 or abs(found - (at_s - 0.02)) < 0.004


def test_what_waited_while_everything_stood_still_is_dropped_up_to_the_newest() -> None:
    clock = SampleClock(latency_s=0.0)
    for number in range(50):
        clock.receive(FRAME, number * 0.02, is_newest=True)
    found = [clock.receive(FRAME, 3.0, is_newest=number == 99) for number in range(100)]
    kept = [at_s for at_s in found if at_s is not None]
    assert len(kept) in {7, 8}
    assert kept[-1] == pytest.approx(3.0 - 0.02, abs=0.03)


def test_samples_that_were_lost_make_the_sound_late_for_half_a_second_only() -> None:
    clock = SampleClock(latency_s=0.0)
    for number in range(50):
        clock.receive(FRAME, number * 0.02, is_newest=True)
    later = [clock.receive(FRAME, 10.0 + number * 0.02, is_newest=True) for number in range(60)]
    assert [at_s is None for at_s in later[:24]] == [True] * 24
    assert later[-1] == pytest.approx(10.0 + 59 * 0.02 - 0.02)
