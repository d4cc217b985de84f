"""Finds what is sent by a clock of its own, whatever the control does: keep-alives and status queries."""

from __future__ import annotations

import statistics
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

MIN_BEATS = 5
"""Four intervals of the same length, with nothing between, are hardly chance; fewer may be."""

MIN_SCATTERED_BEATS = 8  # among other frames, where an interval is also steady if it is a multiple of the period

JITTER, JITTER_S, DRIFT = 0.2, 0.06, 0.03
"""How far an interval may be off: a share of the period, and at most the wait for a connection event, about 50 ms, and
a share that timers of busy apps need. What is 20 % off a period of three seconds keeps no clock."""

MIN_STEADY_SHARE = 0.75  # of the intervals; the log may have lost beats, and commands may delay them
MAX_LOST = 2  # consecutive beats that the log may have lost; a longer interval shows no period
UNDISTURBED = 1.5  # usual gaps: the longest gap between two commands with a beat between them
MIN_HELD_SHARE = 0.3  # of the beats that a clock of its own would send while the control is held
MIN_HELD_TIME = 0.2  # of all time; where the control is held for less, its share says nothing
FULL_GAP_BEATS = 4  # periods; in a longer gap, a clock of its own must beat until the end
MIN_FULL_SHARE = 0.8
MAX_BURST_GAP_S = 0.6
"""Apps repeat a held command at least twice a second; a longer gap ends a burst."""

MIN_COVERED_SHARE = 0.6  # of the time from the first to the last beat; a command that is held comes in runs
MAX_CANDIDATES = 16  # frames examined; an app has hardly so many clocks, and one that repeats all it says has none
PROMPT_SHARE = 1 / 3  # of a period; a clock of its own comes so soon after others in one of three cases
SAME_RHYTHM = 0.6, 1.7  # ratio of two periods that may be those of one timer


class Event(NamedTuple):
    """A frame that was sent: when, and its digits, without those of counters."""

    time_s: float
    digits: str


def silence_after(sequences: Iterable[Sequence[Event]]) -> float:
    """How long a gap ends a burst of commands, rather than being that of lost ones: five usual gaps, within bounds."""
    usual_s = usual_gap(sequences)
    return min(max(5 * usual_s, 0.2), MAX_BURST_GAP_S) if usual_s else MAX_BURST_GAP_S


def usual_gap(sequences: Iterable[Sequence[Event]]) -> float:
    """The median gap between frames, of those that are short enough to be within a burst; 0 where there is none."""
    gaps = (after.time_s - before.time_s for sequence in sequences for before, after in pairwise(sequence))
    quick = [gap for gap in gaps if 0 < gap <= MAX_BURST_GAP_S]
    return statistics.median(quick) if quick else 0.0


def find_background(sequences: Sequence[Sequence[Event]], length: int) -> dict[str, float]:
    """The frames that keep a clock of their own, each with its period in seconds.

    Motions have `length` digits; only they show whether another frame cares about the control.
    """
    commands = [[event for event in sequence if len(event.digits) == length] for sequence in sequences]
    if sum(map(len, commands)) == sum(map(len, sequences)):
        return _find_background(commands)
    others = {digits: period_s for digits, period_s in _find_background(sequences).items() if len(digits) != length}
    return {**_find_background(commands), **others}


def _find_background(sequences: Sequence[Sequence[Event]]) -> dict[str, float]:
    found: dict[str, float] = {}
    counts = Counter(event.digits for sequence in sequences for event in sequence)
    for digits in _perhaps_steady(sequences, counts):
        if len(counts) - len(found) > 1:
            period_s = _own_period(digits, without(sequences, found))
            if period_s:
                found[digits] = period_s
    return found


def _perhaps_steady(sequences: Iterable[Sequence[Event]], counts: Counter[str]) -> list[str]:
    """The frames worth a closer look, the most frequent first; a cheap test, because a stick has hundreds of values."""
    intervals: dict[str, list[float]] = {digits: [] for digits, count in counts.items() if count >= MIN_BEATS}
    adjacent: dict[str, list[float]] = {digits: [] for digits in intervals}
    for sequence in sequences:
        last: dict[str, float] = {}
        before = ""
        for event in sequence:
            if event.digits in intervals:
                if event.digits in last:
                    intervals[event.digits].append(event.time_s - last[event.digits])
                if event.digits == before:
                    adjacent[event.digits].append(event.time_s - last[event.digits])
                last[event.digits] = event.time_s
            before = event.digits
    return [
        digits
        for digits, _count in counts.most_common()
        if digits in intervals and (_has_period(intervals[digits]) or _has_period(adjacent[digits]))
    ][:MAX_CANDIDATES]


def _has_period(intervals: Sequence[float]) -> bool:
    return len(intervals) >= MIN_BEATS - 1 and _is_steady(intervals, statistics.median(intervals))


def without(sequences: Iterable[Sequence[Event]], excluded: Collection[str]) -> list[Sequence[Event]]:
    """The sequences without these frames."""
    if not excluded:
        return list(sequences)
    return [[event for event in sequence if event.digits not in excluded] for sequence in sequences]


def _own_period(digits: str, sequences: Iterable[Sequence[Event]]) -> float:
    """The period of a frame's own clock, or 0."""
    gaps = [gap for sequence in sequences for gap in _gaps(digits, sequence)]
    adjacent = [after - before for gap in gaps for before, after in pairwise(gap.beats)]
    if _has_period(adjacent):
        period_s = statistics.median(adjacent)
        if _fills(gaps, period_s) and not _is_rest_of_commands(gaps, period_s):
            return period_s
    times = [time_s for gap in gaps for time_s in gap.beats]
    intervals = [after - before for before, after in pairwise(times) if after > before]
    if len(times) < MIN_SCATTERED_BEATS or not _has_period(intervals) or not _is_independent(gaps, intervals):
        return 0.0
    period_s = statistics.median(intervals)
    is_everywhere = len(times) * period_s >= MIN_COVERED_SHARE * (times[-1] - times[0])
    return period_s if is_everywhere else 0.0


class _Gap(NamedTuple):
    """The time between two other frames, and the beats within; `length_s` is None at the sequence's ends."""

    start_s: float | None
    end_s: float | None
    length_s: float | None
    beats: tuple[float, ...]


def _gaps(digits: str, sequence: Sequence[Event]) -> list[_Gap]:
    """Each gap between other frames; those at the sequence's ends are open."""
    gaps: list[_Gap] = []
    start_s: float | None = None
    beats: list[float] = []
    for time_s, name in sequence:
        if name == digits:
            beats.append(time_s)
            continue
        gaps.append(_Gap(start_s, time_s, None if start_s is None else time_s - start_s, tuple(beats)))
        start_s = time_s
        if beats:
            beats = []
    return [*gaps, _Gap(start_s, None, None, tuple(beats))]


def _is_steady(intervals: Sequence[float], period_s: float) -> bool:
    if period_s <= 0:
        return False
    beats = [interval / period_s for interval in intervals]
    jitter = min(JITTER, JITTER_S / period_s + DRIFT)
    steady = sum(1 <= round(beat) <= 1 + MAX_LOST and abs(beat - round(beat)) <= jitter for beat in beats)
    return steady >= MIN_STEADY_SHARE * len(beats)


def _fills(gaps: Iterable[_Gap], period_s: float) -> bool:
    """Whether it is sent until the end of long gaps: what is repeated a few times ends before."""
    long = [gap for gap in gaps if gap.length_s is not None and gap.length_s > FULL_GAP_BEATS * period_s]
    full = sum(
        bool(gap.beats) and gap.end_s is not None and gap.end_s - gap.beats[-1] <= (1 + MAX_LOST) * period_s
        for gap in long
    )
    return bool(long) and full >= MIN_FULL_SHARE * len(long)


def _is_rest_of_commands(gaps: Sequence[_Gap], period_s: float) -> bool:
    """Whether it is the stop of an app that never falls silent.

    Then it takes the place of commands in their rhythm, or its first follows them sooner than by its own clock.
    """
    quick = [gap.length_s for gap in gaps if gap.length_s is not None and not gap.beats and gap.length_s > 0]
    slow, fast = SAME_RHYTHM
    if len(quick) >= MIN_BEATS and slow <= period_s / statistics.median(quick) <= fast:
        return True
    delays = [gap.beats[0] - gap.start_s for gap in gaps if gap.beats and gap.start_s is not None]
    prompt = sum(delay <= PROMPT_SHARE * period_s for delay in delays)
    return len(delays) >= MIN_BEATS and prompt >= MIN_FULL_SHARE * len(delays)


def _is_independent(gaps: Sequence[_Gap], intervals: Sequence[float]) -> bool:
    """Whether it comes while the control is held as at other times, and by its own clock rather than after others."""
    closed = [(gap.length_s, len(gap.beats)) for gap in gaps if gap.length_s is not None]
    quick = [length_s for length_s, count in closed if not count and 0 < length_s <= MAX_BURST_GAP_S]
    longest_s = UNDISTURBED * statistics.median(quick) if quick else 0.0
    held = [(length_s, count) for length_s, count in closed if length_s <= longest_s]
    held_share = sum(length_s for length_s, _count in held) / (sum(length_s for length_s, _count in closed) or 1)
    if held_share >= MIN_HELD_TIME:
        # A beat between commands leaves them as close together as others, before and after it; a stop does not.
        between = sum(
            len(gap.beats) == 1
            and _is_within(before, longest_s)
            and _is_within(after, longest_s)
            and _is_within(gap, longest_s)
            for before, gap, after in zip(gaps, gaps[1:], gaps[2:], strict=False)
        )
        return between >= max(2, MIN_HELD_SHARE * held_share * sum(count for _length_s, count in closed))
    delays = [gap.beats[0] - gap.start_s for gap in gaps if gap.beats and gap.start_s is not None]
    return len(delays) >= MIN_BEATS and _spread(intervals) < _spread(delays)


def _is_within(gap: _Gap, longest_s: float) -> bool:
    return gap.length_s is not None and gap.length_s <= longest_s


def _spread(values: Sequence[float]) -> float:
    """The median absolute deviation."""
    middle = statistics.median(values)
    return statistics.median(abs(value - middle) for value in values)
