"""Finds frame counters: digits that advance by one from frame to frame, even where nothing else changes."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from belvedere.lab.inference.results import FieldKind, FrameField, round_confidence

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_STEPS = 8
MAX_LOST = 3
"""Consecutive lost frames that are tolerated: a larger step is no evidence of a counter."""

MIN_COUNTED_SHARE = 0.9
MIN_STEADY_SHARE = 0.5


def find_counters(sequences: Sequence[Sequence[bytes]], length: int) -> list[FrameField]:
    """Counters in frames of one length: whole bytes first, then single digits of the other bytes."""
    found = [frame_field for at in range(length) if (frame_field := _byte_counter(sequences, 2 * at))]
    whole = {frame_field.start for frame_field in found}
    halves = (at for at in range(2 * length) if at - at % 2 not in whole)
    found += [frame_field for at in halves if (frame_field := _counter(sequences, at, at + 1))]
    return sorted(found, key=lambda frame_field: frame_field.start)


def _byte_counter(sequences: Sequence[Sequence[bytes]], start: int) -> FrameField | None:
    """A whole byte that counts. If its high digit never changes, only the low digit counts, and this is None."""
    firsts = {value[start // 2] >> 4 for sequence in sequences for value in sequence}
    return _counter(sequences, start, start + 2) if len(firsts) > 1 else None


def _counter(sequences: Sequence[Sequence[bytes]], start: int, end: int) -> FrameField | None:
    modulus = 16 ** (end - start)
    numbers = [_numbers(sequence, start, end) for sequence in sequences]
    steps = Counter((after - before) % modulus for some in numbers for before, after in pairwise(some))
    total = steps.total()
    if total < MIN_STEPS:
        return None
    step, commonest = steps.most_common(1)[0]
    if step not in (1, modulus - 1, 2):
        return None
    counted = sum(steps[step * lost % modulus] for lost in range(1, MAX_LOST + 2))
    if counted < MIN_COUNTED_SHARE * total or commonest < MIN_STEADY_SHARE * total:
        return None
    seen = len({number for some in numbers for number in some})
    if seen < min(MIN_STEPS, modulus // 2):
        return None
    confidence = round_confidence((counted + 1) / (total + 2) * (1 - 2.0 ** -(commonest / 3)))
    by = "one" if step == 1 else "two" if step == 2 else "one, downwards,"  # noqa: PLR2004 - the steps allowed above
    return FrameField(
        kind=FieldKind.COUNTER,
        start=start,
        end=end,
        confidence=confidence,
        description=f"a frame counter, by {by} modulo {modulus}",
        evidence=f"{commonest} of {total} steps are by {by}, and {counted - commonest} more would be with lost frames",
    )


def _numbers(sequence: Sequence[bytes], start: int, end: int) -> list[int]:
    """The numbers in these digits, a byte or half of one."""
    at = start // 2
    if end - start > 1:
        return [value[at] for value in sequence]
    return [value[at] & 0xF for value in sequence] if start % 2 else [value[at] >> 4 for value in sequence]
