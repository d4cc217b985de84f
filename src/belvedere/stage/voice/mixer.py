"""Adds voices up, and the tone that rings before them. Pure."""

from __future__ import annotations

import functools
import math
from array import array
from typing import TYPE_CHECKING

from belvedere.stage.voice.opus import RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LOUDEST = 32_767
CHIME = ((659.3, 0.0), (523.3, 0.18))  # E5, then C5: hertz, and when each begins
CHIME_S = 0.75
CHIME_AMPLITUDE = 5000.0
ATTACK_S, DECAY_S = 0.01, 0.16


def mix(voices: Sequence[array[int]]) -> array[int]:
    """The sum of pieces of equal length; what is too loud is cut off."""
    if len(voices) == 1:
        return voices[0]
    return array("h", (max(-LOUDEST, min(LOUDEST, total)) for total in map(sum, zip(*voices, strict=True))))


@functools.cache
def chime() -> array[int]:
    """A soft tone of two notes, not to be changed; the first call takes a tenth of a second: make it in a thread."""
    return array("h", _chime())


def _chime() -> Iterable[int]:
    for number in range(int(CHIME_S * RATE_HZ)):
        at_s = number / RATE_HZ
        yield round(sum(_note(hz, at_s - begin_s) for hz, begin_s in CHIME))


def _note(hz: float, at_s: float) -> float:
    if at_s < 0:
        return 0.0
    envelope = min(1.0, at_s / ATTACK_S) * math.exp(-at_s / DECAY_S)
    return CHIME_AMPLITUDE * envelope * math.sin(2 * math.pi * hz * at_s)
