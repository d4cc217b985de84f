"""Finds the frame that ends motion: what bursts of commands end with, and what silence follows."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from belvedere.lab.inference.readings import Stop, rounded

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from belvedere.lab.inference.families import Family

LONG_RUN = 8  # times in a row: a stick that is held still says the same as well, but seldom for so long
FEWEST_RUNS = 3  # once or twice may be somebody's full speed
MANY_RUNS = 1.5  # so many times as often as the next
MANY_ENDS = 0.5  # less than every second burst ends with it: then it is no stop


def masked(value: bytes, hidden: Collection[int]) -> str:
    """The frame's digits, with a `?` for each that is hidden: a counter's or a check's."""
    return "".join("?" if at in hidden else digit for at, digit in enumerate(value.hex()))


def stop_of(family: Family, hidden: Collection[int]) -> Stop | None:
    """The frame that most bursts end with, or that is said on and on, if anything else moves."""
    return _ending(family, hidden) or _resting(family, hidden)


def _ending(family: Family, hidden: Collection[int]) -> Stop | None:
    ends: Counter[str] = Counter()
    amid: Counter[str] = Counter()
    for burst in _bursts(family, hidden):
        ends[burst[-1]] += 1
        amid.update(set(_before_the_end(burst)))
    frames = set(ends) | set(amid)
    if len(frames) < 2 or not ends:  # noqa: PLR2004 - a stop is one thing, and motion another
        return None
    digits, count = max(ends.items(), key=lambda item: (item[1] - amid[item[0]], item[1], item[0].count("0")))
    bursts = ends.total()
    if count < MANY_ENDS * bursts or amid[digits] >= count:
        return None
    confidence = rounded((count + 1) / (bursts + 2) * (1 - amid[digits] / (2 * bursts)))
    return Stop(digits, confidence, f"{count} of {bursts} bursts of commands end with it, and then there is silence")


def _resting(family: Family, hidden: Collection[int]) -> Stop | None:
    """The frame that is said on and on, again and again, where an app never falls silent."""
    runs: Counter[str] = Counter()
    for take in family.takes:
        for digits, same in groupby(masked(sample.value, hidden) for sample in take):
            runs[digits] += sum(1 for _ in same) >= LONG_RUN
    if not runs:
        return None
    (digits, count), *others = sorted(runs.items(), key=lambda item: (-item[1], -item[0].count("0"), item[0]))
    rival = others[0][1] if others else 0
    if not others or count < FEWEST_RUNS or count < MANY_RUNS * rival:
        return None
    return Stop(
        digits, rounded(0.8 * (count + 1) / (count + 2)), f"it is said on and on {count} times, with motion between"
    )


def _bursts(family: Family, hidden: Collection[int]) -> list[list[str]]:
    """Commands without silence between them."""
    bursts: list[list[str]] = []
    for take in family.takes:
        bursts.append([masked(take[0].value, hidden)])
        for before, after in pairwise(take):
            if after.time_s - before.time_s > family.silence_s:
                bursts.append([])
            bursts[-1].append(masked(after.value, hidden))
    return bursts


def _before_the_end(burst: Sequence[str]) -> list[str]:
    """What came before the last frame and its repetitions."""
    end = len(burst)
    while end and burst[end - 1] == burst[-1]:
        end -= 1
    return list(burst[:end])
