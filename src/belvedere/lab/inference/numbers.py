"""Tells whether adjacent bytes are one number or several, such as for two axes in a frame, and which byte comes first.

A number of two bytes that a stick moves shows itself by its carry: the high byte seldom changes without the low one,
and where it steps by one, the low byte goes the other way, or wraps at each step. Two numbers do not do that. Nothing
is guessed: where a log shows neither, the bytes are undecided, because a guess may command one axis for another.
"""

from __future__ import annotations

import enum
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_STEPS = 6  # of the high byte
MAX_ALONE_SHARE = 0.15  # of the high byte's steps: without the low byte, only where a step is a multiple of 256
MIN_CARRY_SHARE = 0.8  # of the high byte's steps by one
SELDOM = 0.5  # steps of the high byte, as a share of the low byte's
JUMPY = 0.2  # mean step as a share of the range: of a low byte that wraps at each step; a stick's own is smaller
JUMPY_RATIO = 1.5  # to the high byte's mean step
WIDE = 0.9  # of all values of a byte: the range of a low byte that wraps


class Reading(enum.Enum):
    """How adjacent bytes are read."""

    HIGH_FIRST = enum.auto()
    LOW_FIRST = enum.auto()
    SEVERAL = enum.auto()
    UNDECIDED = enum.auto()


def read_pair(sequences: Sequence[Sequence[str]], radix: int) -> Reading:
    """How two bytes are read, from their four digits in each motion command; a sequence ends where the unit stops."""
    bytes_ = [[(int(one[:2], radix), int(one[2:], radix)) for one in sequence] for sequence in sequences]
    steps = [
        (first - before_first, last - before_last)
        for sequence in bytes_
        for (before_first, before_last), (first, last) in pairwise(sequence)
    ]
    values = radix * radix
    seen = [{pair[at] for sequence in bytes_ for pair in sequence} for at in (0, 1)]
    extensions = [radix == 16 and seen[at] == {0, 0xFF} and len(seen[1 - at]) > 2 for at in (0, 1)]  # noqa: PLR2004 - more than 0 and one
    if extensions[0] is not extensions[1]:
        return Reading.HIGH_FIRST if extensions[0] else Reading.LOW_FIRST
    ranges = [_range([pair[at] for sequence in bytes_ for pair in sequence]) for at in (0, 1)]
    is_high_first = _is_number(steps, (ranges[0], ranges[1]), values)
    is_low_first = _is_number([(last, first) for first, last in steps], (ranges[1], ranges[0]), values)
    if is_high_first is not is_low_first:
        return Reading.HIGH_FIRST if is_high_first else Reading.LOW_FIRST
    alone = [sum(bool(step[at]) and not step[1 - at] for step in steps) for at in (0, 1)]
    return Reading.SEVERAL if min(alone) >= MIN_STEPS else Reading.UNDECIDED


def _range(values: Sequence[int]) -> int:
    return max(values, default=0) - min(values, default=0)


def _is_number(steps: Sequence[tuple[int, int]], ranges: tuple[int, int], values: int) -> bool:
    """Whether these are steps of the high and the low byte of one number; `values` is how many a byte has."""
    high_steps = [(high, low) for high, low in steps if high]
    low_changes = sum(bool(low) for _high, low in steps)
    alone = sum(not low for _high, low in high_steps)
    if len(high_steps) < MIN_STEPS or alone > MAX_ALONE_SHARE * len(high_steps):
        return False
    single = [(high, low) for high, low in high_steps if abs(high) in {1, values - 1}]
    carried = sum((low < 0) is ((high > 0) is (abs(high) == 1)) and low != 0 for high, low in single)
    is_carrying = len(single) * 2 >= len(high_steps) and carried >= MIN_CARRY_SHARE * len(single)
    if is_carrying and len(high_steps) <= SELDOM * low_changes:
        return True
    high_roughness = sum(abs(high) for high, _low in steps) / (len(steps) * max(1, ranges[0]))
    low_roughness = sum(abs(low) for _high, low in steps) / (len(steps) * max(1, ranges[1]))
    is_jumpy = low_roughness >= max(JUMPY, JUMPY_RATIO * high_roughness)
    return is_jumpy and ranges[1] >= WIDE * (values - 1)
