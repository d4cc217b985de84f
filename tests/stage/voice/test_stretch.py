from __future__ import annotations

import random
from array import array
from itertools import pairwise

import pytest
from tests.stage.voice.tones import strength, tone

from belvedere.stage.voice.stretch import LONGEST, NEEDED, SHORTEST, lengthen, shorten


@pytest.mark.parametrize("hz", [110, 220, 440, 1000, 3000])
@pytest.mark.parametrize("change", [shorten, lengthen])
def test_a_tone_stays_a_tone(hz: float, change: object) -> None:
    sound = tone(hz, 9600)
    steepest = max(abs(one - other) for one, other in pairwise(sound))
    assert callable(change)
    count = change(sound)
    assert SHORTEST <= count <= LONGEST
    assert len(sound) == 9600 + (count if change is lengthen else -count)
    assert strength(sound, hz) == pytest.approx(8000, rel=0.05)
    assert max(abs(one - other) for one, other in pairwise(sound)) < 1.1 * steepest


def test_what_comes_before_and_after_is_unchanged() -> None:
    chance = random.Random(3)
    before = array("h", (chance.randrange(-9000, 9000) for _ in range(1920)))
    shorter, longer = before[:], before[:]
    left_out, put_in = shorten(shorter), lengthen(longer)
    assert shorter[240:] == before[240 + left_out :]
    assert longer[:put_in] == before[:put_in]
    assert longer[put_in + 240 :] == before[240:]


def test_too_little_is_left_alone() -> None:
    sound = tone(440, NEEDED - 1)
    assert (shorten(sound), lengthen(sound)) == (0, 0)
    assert sound == tone(440, NEEDED - 1)


def test_the_loudest_sound_does_not_overflow() -> None:
    sound = array("h", [-32_768, 32_767] * 960)
    assert shorten(sound)
    assert lengthen(sound)
