"""Joins messages that an app splits over two writes, because a write holds only 20 bytes by default.

Each half means nothing alone, and a stop of which only one half is sent may stop nothing.
"""

from __future__ import annotations

import statistics
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import structs

if TYPE_CHECKING:
    from belvedere.lab.streams import Sample, ValueStream

MIN_MESSAGES = 8
MIN_SHARE = 0.9  # of the values that are halves of a message; the log may have lost some
MAX_GAP_RATIO = 1 / 3  # of the gap between halves to that between messages


def joined(stream: ValueStream) -> ValueStream | None:
    """The stream with each message as one value, at the time of its first half; None if its values are not halves."""
    pairs = _pairs(stream)
    if len(pairs) < MIN_MESSAGES or 2 * len(pairs) < MIN_SHARE * len(stream.samples):
        return None
    within_s = statistics.median(second.time_s - first.time_s for first, second in pairs)
    between_s = statistics.median(after.time_s - before.time_s for (_, before), (after, _) in pairwise(pairs))
    if within_s > MAX_GAP_RATIO * between_s:
        return None
    samples = (structs.replace(first, value=first.value + second.value) for first, second in pairs)
    return structs.replace(stream, samples=tuple(samples))


def _pairs(stream: ValueStream) -> list[tuple[Sample, Sample]]:
    """Adjacent values of the two lengths that alternate, in their order."""
    samples = stream.samples
    if len(samples) < 2 * MIN_MESSAGES:
        return []
    lengths = {len(sample.value) for sample in samples}
    if len(lengths) != 2:  # noqa: PLR2004 - that of the first half, and that of the second
        return []
    longer = max(lengths)  # a first half is as long as a write can be
    return [
        (first, second)
        for first, second in pairwise(samples)
        if len(first.value) == longer and len(second.value) != longer
    ]
