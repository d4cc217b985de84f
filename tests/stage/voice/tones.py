"""Tones, and how much of one there is in a piece of sound (Goertzel)."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RATE = 48_000


def tone(hz: float, samples: int, amplitude: float = 8000.0, begin: int = 0) -> array[int]:
    return array("h", (round(amplitude * math.sin(2 * math.pi * hz * (begin + at) / RATE)) for at in range(samples)))


def voice(samples: int, begin: int = 0) -> array[int]:
    """Something like a vowel: a fundamental of 150 Hz and what is above it."""
    return array(
        "h",
        (
            round(sum(4000 / n * math.sin(2 * math.pi * 150 * n * (begin + at) / RATE + n * n) for n in range(1, 12)))
            for at in range(samples)
        ),
    )


def loudness(sound: Sequence[int]) -> float:
    """The root of the mean square."""
    return math.sqrt(sum(sample * sample for sample in sound) / max(1, len(sound)))


def strength(sound: Sequence[int], hz: float) -> float:
    """The amplitude of this frequency."""
    turn = 2 * math.cos(2 * math.pi * hz / RATE)
    before = last = 0.0
    for sample in sound:
        before, last = last, sample + turn * last - before
    power = before * before + last * last - turn * before * last
    return 2 * math.sqrt(max(0.0, power)) / max(1, len(sound))
