"""Finds the stop frame: the one that bursts of commands end with before a silence."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from belvedere.lab.inference.results import StopFrame, round_confidence

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from belvedere.lab.inference.commands import CommandSet

LONG_RUN_FRAMES = 8  # repetitions: a stick held still repeats its frame too, but seldom for so long
MIN_RUNS = 3  # once or twice may be full speed, held
MIN_RUNS_RATIO = 1.5  # ratio to the next most frequent
MIN_END_SHARE = 0.5  # of the bursts; a frame that ends fewer is not taken for a stop


def mask(value: bytes, hidden: Collection[int]) -> str:
    """The frame's digits, with `?` for those that are hidden: counters and checksums."""
    return "".join("?" if at in hidden else digit for at, digit in enumerate(value.hex()))


def find_stop(commands: CommandSet, hidden: Collection[int]) -> StopFrame | None:
    """The frame that most bursts end with, or one that is repeated at rest; None where there is no other frame."""
    return _burst_end(commands, hidden) or _repeated_frame(commands, hidden)


def _burst_end(commands: CommandSet, hidden: Collection[int]) -> StopFrame | None:
    ends: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for burst in _bursts(commands, hidden):
        ends[burst[-1]] += 1
        within.update(set(_before_the_end(burst)))
    frames = set(ends) | set(within)
    if len(frames) < 2 or not ends:  # noqa: PLR2004 - a stop and at least one motion
        return None
    digits, count = max(ends.items(), key=lambda item: (item[1] - within[item[0]], item[1], item[0].count("0")))
    bursts = ends.total()
    if count < MIN_END_SHARE * bursts or within[digits] >= count:
        return None
    confidence = round_confidence((count + 1) / (bursts + 2) * (1 - within[digits] / (2 * bursts)))
    return StopFrame(digits, confidence, f"{count} of {bursts} bursts of commands end with it, before a silence")


def _repeated_frame(commands: CommandSet, hidden: Collection[int]) -> StopFrame | None:
    """The frame that is often repeated for long: the stop of an app that keeps sending while at rest."""
    runs: Counter[str] = Counter()
    for sequence in commands.sequences:
        for digits, same in groupby(mask(sample.value, hidden) for sample in sequence):
            runs[digits] += sum(1 for _ in same) >= LONG_RUN_FRAMES
    if not runs:
        return None
    (digits, count), *others = sorted(runs.items(), key=lambda item: (-item[1], -item[0].count("0"), item[0]))
    rival = others[0][1] if others else 0
    if not others or count < MIN_RUNS or count < MIN_RUNS_RATIO * rival:
        return None
    return StopFrame(
        digits,
        round_confidence(0.8 * (count + 1) / (count + 2)),
        f"it is sent repeatedly {count} times, with motion in between",
    )


def _bursts(commands: CommandSet, hidden: Collection[int]) -> list[list[str]]:
    """Runs of commands without a silence between them."""
    bursts: list[list[str]] = []
    for sequence in commands.sequences:
        bursts.append([mask(sequence[0].value, hidden)])
        for before, after in pairwise(sequence):
            if after.time_s - before.time_s > commands.silence_s:
                bursts.append([])
            bursts[-1].append(mask(after.value, hidden))
    return bursts


def _before_the_end(burst: Sequence[str]) -> list[str]:
    """The frames before the last one and its repetitions."""
    end = len(burst)
    while end and burst[end - 1] == burst[-1]:
        end -= 1
    return list(burst[:end])
