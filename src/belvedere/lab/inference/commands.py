"""Separates commands from other values on the same handle: heartbeats, other lengths, and rare outliers."""

from __future__ import annotations

import statistics
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from belvedere.lab.inference.results import OtherTraffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from belvedere.lab.streams import Sample, ValueStream

MIN_HEARTBEATS = 5
"""Four intervals of the same length are hardly chance; fewer may be."""

HEARTBEAT_JITTER = 0.2
"""As a share of the period: a phone sends at its next connection event, up to 50 ms off a period of a second."""

MIN_STEADY_SHARE = 0.75  # of the intervals; the log may have lost heartbeats, and commands may delay them
MAX_BURST_GAP_S = 0.6
"""Apps repeat a held command at least twice a second; a longer gap ends a burst."""

USUAL_SHARE = 0.95
RARE_SHARE = 0.1


class CommandSet(NamedTuple):
    """The commands, all of one length, as a sequence per stream; and the other traffic.

    Attributes:
        silence_s: a gap longer than this ends a burst of commands.
    """

    sequences: tuple[tuple[Sample, ...], ...]
    silence_s: float
    other_traffic: tuple[OtherTraffic, ...]

    @property
    def values(self) -> list[bytes]:
        """All commands, in order."""
        return [sample.value for sequence in self.sequences for sample in sequence]


def separate_commands(streams: Sequence[ValueStream]) -> CommandSet:
    """Separate the commands in streams that carry the same frames."""
    sequences = [list(stream.samples) for stream in streams]
    other_traffic: list[OtherTraffic] = []
    for sequence in sequences:
        for beat in _heartbeats(sequence):
            period_s = _period(beat)
            other_traffic.append(OtherTraffic(f"heartbeat every {period_s:.2g} s", beat[0].value, len(beat)))
            frames = {sample.frame for sample in beat}
            sequence[:] = [sample for sample in sequence if sample.frame not in frames]
    length = _main_length(sample.value for sequence in sequences for sample in sequence)
    other_traffic += _of_other_lengths(sequences, length)
    sequences = [[sample for sample in sequence if len(sample.value) == length] for sequence in sequences]
    silence_s = _silence_threshold(sequences)
    outliers = _outliers(sequences, silence_s)
    other_traffic += [
        OtherTraffic("rare and of a different form", value, count) for value, count in outliers.most_common()
    ]
    kept = tuple(tuple(sample for sample in sequence if sample.value not in outliers) for sequence in sequences)
    return CommandSet(tuple(sequence for sequence in kept if sequence), silence_s, tuple(other_traffic))


def _heartbeats(sequence: Sequence[Sample]) -> list[list[Sample]]:
    """Values that are sent at a steady rate, whatever else is sent."""
    by_value: dict[bytes, list[Sample]] = {}
    for sample in sequence:
        by_value.setdefault(sample.value, []).append(sample)
    return [same for same in by_value.values() if len(by_value) > 1 and _is_heartbeat(same, sequence)]


def _is_heartbeat(same: Sequence[Sample], sequence: Sequence[Sample]) -> bool:
    if len(same) < MIN_HEARTBEATS or not _is_steady(same):
        return False
    value, period_s = same[0].value, _period(same)
    others = [sample for sample in sequence if sample.value != value]
    between = [after.time_s - before.time_s for before, after in pairwise(others)]
    if not between or period_s < 2 * statistics.median(between):
        return False  # as frequent as the commands, so one of them
    # A heartbeat comes between two equal commands without changing them, and it also fills silences.
    trios = zip(sequence, sequence[1:], sequence[2:], strict=False)
    within = sum(
        one.value == value and value != before.value == after.value and after.time_s - before.time_s < period_s
        for before, one, after in trios
    )
    return within >= 2 or _fills_silence(same, others, period_s)  # noqa: PLR2004 - once may be chance


def _fills_silence(same: Sequence[Sample], others: Sequence[Sample], period_s: float) -> bool:
    """Whether it is sent during long silences and during commands alike."""
    spans = [(before.time_s, after.time_s) for before, after in pairwise(others)]
    silent = [(start, end) for start, end in spans if end - start > 3 * period_s]
    in_silence = sum(any(start < sample.time_s < end for start, end in silent) for sample in same)
    in_use = sum(any(start < sample.time_s < end for start, end in spans if end - start < period_s) for sample in same)
    return in_silence >= MIN_HEARTBEATS and in_use >= MIN_HEARTBEATS


def _is_steady(same: Sequence[Sample]) -> bool:
    period_s = _period(same)
    if period_s <= 0:
        return False
    beats = [(after.time_s - before.time_s) / period_s for before, after in pairwise(same)]
    steady = sum(round(beat) >= 1 and abs(beat - round(beat)) <= HEARTBEAT_JITTER for beat in beats)
    return steady >= MIN_STEADY_SHARE * len(beats)


def _period(same: Sequence[Sample]) -> float:
    return statistics.median(after.time_s - before.time_s for before, after in pairwise(same))


def _main_length(values: Iterable[bytes]) -> int:
    """The most frequent length; lengths with only one distinct value count only where there are no others."""
    by_length: dict[int, Counter[bytes]] = {}
    for value in values:
        by_length.setdefault(len(value), Counter())[value] += 1
    lively = {length: counts for length, counts in by_length.items() if length and len(counts) > 1}
    among = lively or {length: counts for length, counts in by_length.items() if length}
    return max(among, key=lambda length: (among[length].total(), length), default=0)


def _of_other_lengths(sequences: Iterable[Iterable[Sample]], length: int) -> list[OtherTraffic]:
    others: dict[int, list[bytes]] = {}
    for sequence in sequences:
        for sample in sequence:
            if len(sample.value) != length:
                others.setdefault(len(sample.value), []).append(sample.value)
    return [OtherTraffic(f"{size} bytes long", values[0], len(values)) for size, values in sorted(others.items())]


def _silence_threshold(sequences: Iterable[Sequence[Sample]]) -> float:
    """How long a gap must be to count as silence rather than as lost commands: five usual intervals, within bounds."""
    gaps = [after.time_s - before.time_s for sequence in sequences for before, after in pairwise(sequence)]
    quick = [gap for gap in gaps if 0 < gap < MAX_BURST_GAP_S]
    return min(max(5 * statistics.median(quick), 0.2), MAX_BURST_GAP_S) if quick else MAX_BURST_GAP_S


def _outliers(sequences: Sequence[Sequence[Sample]], silence_s: float) -> Counter[bytes]:
    """Rare values that differ in at least two nearly constant digits. One that ends bursts may be a stop, and stays."""
    values = Counter(sample.value.hex() for sequence in sequences for sample in sequence)
    total = values.total()
    usual = []
    for at in range(len(next(iter(values), ""))):
        counts: Counter[str] = Counter()
        for value, count in values.items():
            counts[value[at]] += count
        digit, most = counts.most_common(1)[0]
        usual.append(digit if most >= USUAL_SHARE * total else "")
    enders = {
        before.value
        for sequence in sequences
        for before, after in pairwise([*sequence, None])
        if before and (after is None or after.time_s - before.time_s > silence_s)
    }
    found: Counter[bytes] = Counter()
    for value, count in values.items():
        broken = sum(bool(digit) and digit != here for digit, here in zip(usual, value, strict=True))
        if broken > 1 and count <= RARE_SHARE * total and bytes.fromhex(value) not in enders:
            found[bytes.fromhex(value)] = count
    return found
