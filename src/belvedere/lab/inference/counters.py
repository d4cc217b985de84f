"""Finds digits that count the frames: they go on by one from frame to frame, also where nothing else changes."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from belvedere.lab.inference.readings import Kind, Reading, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST_STEPS = 8
MOST_LOST = 3
"""Frames lost in a row that still count as one step: a step of more says nothing."""

COUNTS_SHARE = 0.9
STEADY_SHARE = 0.5


def counters_of(takes: Sequence[Sequence[bytes]], length: int) -> list[Reading]:
    """Counters in frames of one length: bytes first, then digits of bytes that do not count as a whole."""
    found = [reading for at in range(length) if (reading := _byte_counter(takes, 2 * at))]
    whole = {reading.start for reading in found}
    halves = (at for at in range(2 * length) if at - at % 2 not in whole)
    found += [reading for at in halves if (reading := _counter(takes, at, at + 1))]
    return sorted(found, key=lambda reading: reading.start)


def _byte_counter(takes: Sequence[Sequence[bytes]], start: int) -> Reading | None:
    """A byte that counts as a whole: one whose first half never changes counts in its second."""
    firsts = {_number(value, start, start + 1) for take in takes for value in take}
    return _counter(takes, start, start + 2) if len(firsts) > 1 else None


def _counter(takes: Sequence[Sequence[bytes]], start: int, end: int) -> Reading | None:
    modulus = 16 ** (end - start)
    steps = Counter(
        (_number(after, start, end) - _number(before, start, end)) % modulus
        for take in takes
        for before, after in pairwise(take)
    )
    total = steps.total()
    if total < FEWEST_STEPS:
        return None
    step, commonest = steps.most_common(1)[0]
    if step not in (1, modulus - 1, 2):
        return None
    counted = sum(steps[step * lost % modulus] for lost in range(1, MOST_LOST + 2))
    if counted < COUNTS_SHARE * total or commonest < STEADY_SHARE * total:
        return None
    seen = len({_number(value, start, end) for take in takes for value in take})
    if seen < min(FEWEST_STEPS, modulus // 2):
        return None
    confidence = rounded((counted + 1) / (total + 2) * (1 - 2.0 ** -(commonest / 3)))
    by = "one" if step == 1 else "two" if step == 2 else "one, downwards,"  # noqa: PLR2004 - the steps allowed above
    return Reading(
        kind=Kind.COUNTER,
        start=start,
        end=end,
        confidence=confidence,
        says=f"counts frames by {by} modulo {modulus}",
        evidence=f"{commonest} of {total} steps are by {by}, {counted - commonest} more as if frames had been lost",
    )


def _number(value: bytes, start: int, end: int) -> int:
    return int(value.hex()[start:end], 16)
