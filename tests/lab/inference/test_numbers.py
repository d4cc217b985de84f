from random import Random

import pytest

from belvedere.lab.inference.numbers import Reading, read_pair


def strokes(chance: Random, most: int, step: float, count: int = 12) -> list[list[int]]:
    """How a stick moves: up from rest and about, for each time."""
    found = []
    for _ in range(count):
        value, stroke = 0.0, []
        for _ in range(20):
            value = min(most, max(1, value + chance.uniform(-0.3, 1) * step * most))
            stroke.append(round(value))
        found.append(stroke)
    return found


@pytest.mark.parametrize(("most", "step"), [(799, 0.1), (5000, 0.06), (65535, 0.08), (1000, 0.06)])
@pytest.mark.parametrize("seed", range(5))
def test_a_number_of_two_bytes_shows_by_its_carry_which_comes_first(most: int, step: float, seed: int) -> None:
    numbers = strokes(Random(seed), most, step)
    assert read_pair([[f"{one:04x}" for one in some] for some in numbers], 16) is Reading.HIGH_FIRST
    low_first = [[one.to_bytes(2, "little").hex() for one in some] for some in numbers]
    assert read_pair(low_first, 16) is Reading.LOW_FIRST


def test_decimal_digits_carry_at_a_hundred() -> None:
    numbers = strokes(Random(1), 2400, 0.1)
    assert read_pair([[f"{one:04}" for one in some] for some in numbers], 10) is Reading.HIGH_FIRST


@pytest.mark.parametrize("seed", range(10))
def test_two_axes_driven_in_turns_are_two_numbers(seed: int) -> None:
    numbers = strokes(Random(seed), 255, 0.08)
    turns = [[f"{one:02x}00" if at % 2 else f"00{one:02x}" for one in some] for at, some in enumerate(numbers)]
    assert read_pair(turns, 16) is Reading.SEVERAL


@pytest.mark.parametrize("seed", range(10))
def test_two_axes_driven_together_are_never_one_number(seed: int) -> None:
    pan, tilt = strokes(Random(seed), 255, 0.08), strokes(Random(seed + 100), 255, 0.08)
    together = [[f"{x:02x}{y:02x}" for x, y in zip(*pair, strict=True)] for pair in zip(pan, tilt, strict=True)]
    assert read_pair(together, 16) in {Reading.SEVERAL, Reading.UNDECIDED}


def test_a_byte_that_extends_the_sign_is_the_high_one() -> None:
    both_ways = [[(way * one) % 65536 for one in some] for some in strokes(Random(1), 90, 0.1) for way in (1, -1)]
    assert read_pair([[f"{one:04x}" for one in some] for some in both_ways], 16) is Reading.HIGH_FIRST
    low_first = [[one.to_bytes(2, "little").hex() for one in some] for some in both_ways]
    assert read_pair(low_first, 16) is Reading.LOW_FIRST


def test_a_few_speeds_of_buttons_decide_nothing() -> None:
    held = [[speed] * 20 for speed in ("0064", "01b4", "03e7", "0258", "0190") for _ in range(3)]
    assert read_pair(held, 16) is Reading.UNDECIDED
