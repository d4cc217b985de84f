"""Finds the stop: a frame that follows each release of the control, and is absent while the control is held.

A frame that keeps a clock of its own does not care about releases (`rhythm`). A frame that follows them by chance is
told from a stop by a test: how likely would so many of these frames come just after a release if they came at any time?
"""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from itertools import groupby, islice, pairwise
from math import comb, exp, lgamma, log, log1p
from typing import TYPE_CHECKING, NamedTuple

from belvedere.lab.inference.results import StopFrame, round_confidence
from belvedere.lab.inference.rhythm import silence_after, without

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from belvedere.lab.inference.rhythm import Event

MIN_RELEASES = 4
"""One burst that ends with a frame is no evidence: everything ends with something."""

OFTEN = 3  # appearances, of a frame that may accompany others

MIN_PRESSES = 5  # where a press and a release are one frame each
MIN_MOTIONS = 2  # distinct frames; with one, nothing tells the press from the release
MIN_ANSWERED_SHARE = 0.6  # of the releases; the log may have lost some stops, and taps may be too short to count
MIN_ALTERNATION = 0.8  # of presses and releases
MIN_STOPPING_SHARE = 0.5  # of the frame's appearances
MAX_CHANCE = 0.005  # of a frame that has nothing to do with releases to pass
MAX_CANDIDATES = 8  # frames judged; a log has one stop, and hardly so many keep-alives and queries
NEARLY_LAST = 3  # frames before a silence: the stop, and others that follow it at once
NEGLIGIBLE = 1e-4  # probability
MIN_PROMPT_S, PROMPT_SHARE = 0.15, 0.55  # how soon after the last command a stop comes; a share of a silence
COMPARABLE = 0.75  # of the releases that the best follows; what follows fewer is held motion, or comes by chance
LONG_GAP = 2.2  # delays: in a longer gap, a clock that starts with a frame beats twice
FIXED_SHARE, FIXED_S = 0.02, 0.012  # median deviation of delays that no hand makes: of the delay, and of a phone's own
MIN_SCRIPTED_S = 0.7  # how long a script may hold; what comes sooner after each press is sent by the app itself
MAX_WITHIN_SHARE = 0.25  # of a frame that follows releases; a motion comes within bursts as well
COMPANION_SHARE = 0.6  # of appearances; the log may have lost some
MAX_STOPS = 3  # that an app sends after a release, unless it never falls silent
ALMOST_ALWAYS = 0.8
RIVAL_SHARE = 0.3  # of the answers, where a stop has a form for each direction


class StopCandidate(NamedTuple):
    """A frame that may be the stop, and those that always follow it at once: a query after the stop, say."""

    stop: StopFrame
    companions: frozenset[str]


class _Burst(NamedTuple):
    """Motion commands without a silence between them, from the first to the last; `until_s` is the next one's time."""

    start_s: float
    end_s: float
    until_s: float
    frames: int


def mask(value: bytes, hidden: Collection[int]) -> str:
    """The frame's digits, with `?` for those that are hidden: counters and checksums."""
    return "".join("?" if at in hidden else digit for at, digit in enumerate(value.hex()))


def find_stops(sequences: Sequence[Sequence[Event]], length: int) -> list[StopCandidate]:
    """The frames that follow releases as a stop does, in the order in which a release sends them.

    Motions have `length` digits; a stop may have another length, and whatever else has is of no concern.
    """
    motions = [[event for event in sequence if len(event.digits) == length] for sequence in sequences]
    silence_s = silence_after(motions)
    companions = _companions(sequences, silence_s)
    others = (digits for digits in _enders(sequences, silence_s) if len(digits) != length)
    enders = (*_enders(motions, silence_s), *others)
    found = []
    for digits in enders:
        its_companions = frozenset(companions.get(digits, ()))
        everything = without(sequences, its_companions)
        motions_and_it = [
            [one for one in sequence if one.digits == digits or len(one.digits) == length] for sequence in everything
        ]
        stop = _judge(digits, motions_and_it, silence_s)
        if stop is None or _has_rival(digits, everything, silence_s):
            continue
        if not any(
            _answers_too(other, stop, without(everything, {digits}), length, silence_s)
            for other in enders
            if other not in {digits, *its_companions}
        ):
            found.append(StopCandidate(stop, its_companions))
    most = max((one.stop.releases for one in found), default=0)
    likely = [one for one in found if one.stop.releases >= COMPARABLE * most]
    return sorted(likely, key=lambda one: sum(one.stop.digits in other.companions for other in likely))


def _enders(sequences: Iterable[Sequence[Event]], silence_s: float) -> list[str]:
    """The frames that are often the last or nearly the last before a silence, or that last for one, by frequency."""
    runs: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for sequence in sequences:
        last: deque[str] = deque(maxlen=NEARLY_LAST)
        start_s = 0.0
        for event, after in pairwise([*sequence, None]):
            if event is None:
                continue
            if not last or last[-1] != event.digits:
                last.append(event.digits)
                runs[event.digits] += 1
                start_s = event.time_s
            if after is None or (after.digits != event.digits and after.time_s - start_s > silence_s):
                ends.update(set(last))
    often = (one for one, count in ends.most_common() if count >= max(OFTEN, MIN_STOPPING_SHARE * runs[one]))
    return list(islice(often, MAX_CANDIDATES))


def _judge(digits: str, sequences: Sequence[Sequence[Event]], silence_s: float) -> StopFrame | None:
    motions = {event.digits for sequence in sequences for event in sequence} - {digits}
    if len(motions) < MIN_MOTIONS:
        return None
    bursts = [_bursts(digits, sequence, silence_s) for sequence in sequences]
    held = [[burst for burst in some if burst.frames > 1] for some in bursts]
    if 2 * sum(burst.frames for some in held for burst in some) >= sum(
        burst.frames for some in bursts for burst in some
    ):
        stop = _after_bursts(digits, sequences, held, silence_s)
        if stop is not None:
            return stop
    return _after_presses(digits, sequences, silence_s)


def _bursts(digits: str, sequence: Sequence[Event], silence_s: float) -> list[_Burst]:
    """The bursts of all frames but this one."""
    times = [event.time_s for event in sequence if event.digits != digits]
    bursts: list[_Burst] = []
    first = 0
    for at, time_s in enumerate(times):
        until_s = times[at + 1] if at + 1 < len(times) else float("inf")
        if until_s - time_s > silence_s:
            bursts.append(_Burst(times[first], time_s, until_s, at + 1 - first))
            first = at + 1
    return bursts


class _Tally(NamedTuple):
    """How often a frame begins just after a burst, within one, or at any time; and how long each of them lasts."""

    answered: int
    within: int
    starts: int
    window_s: float
    held_s: float


def _tally(digits: str, sequence: Sequence[Event], bursts: Sequence[_Burst], silence_s: float) -> _Tally:
    groups = groupby(sequence, lambda event: event.digits == digits)
    starts = [next(group).time_s for is_frame, group in groups if is_frame]
    prompt_s = max(MIN_PROMPT_S, PROMPT_SHARE * silence_s)
    answered = within = at = 0
    for burst in bursts:
        begun = bisect_left(starts, burst.start_s, at)
        at = bisect_left(starts, burst.end_s, begun)
        within += at - begun
        answered += at < len(starts) and starts[at] <= min(burst.end_s + prompt_s, burst.until_s)
    window_s = sum(min(prompt_s, burst.until_s - burst.end_s) for burst in bursts)
    held_s = sum(burst.end_s - burst.start_s for burst in bursts)
    return _Tally(answered, within, len(starts), window_s, held_s)


def _after_bursts(
    digits: str, sequences: Sequence[Sequence[Event]], bursts: Sequence[Sequence[_Burst]], silence_s: float
) -> StopFrame | None:
    """Judge a frame where a held control sends again and again, by whether it comes just after the last command."""
    tallies = [_tally(digits, *each, silence_s) for each in zip(sequences, bursts, strict=True)]
    answered, within, count, window_s, held_s = (sum(column) for column in zip(*tallies, strict=True))
    releases = sum(len(some) for some in bursts)
    if answered < max(MIN_RELEASES, MIN_ANSWERED_SHARE * releases, MIN_STOPPING_SHARE * count):
        return None
    chance = _binomial_tail(int(answered), int(answered + within), window_s / (window_s + held_s))
    if chance > MAX_CHANCE:
        return None
    confidence = (answered + 1) / (releases + 2) * (1 - chance) * (1 - within / (2 * (answered + within)))
    evidence = f"{answered} of {releases} bursts of commands end with it, before a silence"
    evidence += f"; {within} within bursts" if within else ""
    evidence += _chance_note(chance)
    return StopFrame(digits, round_confidence(confidence), evidence, int(answered))


def _has_rival(digits: str, sequences: Iterable[Sequence[Event]], silence_s: float) -> bool:
    """Whether another frame comes just before this one, as often after each release, and only then.

    That may be the stop, and this one a query after it. The frame of a held motion comes more or less often.
    """
    answers = 0
    near: dict[str, Counter[int]] = defaultdict(Counter)
    elsewhere: Counter[str] = Counter()
    for sequence in sequences:
        times: dict[str, list[float]] = defaultdict(list)
        is_first = True
        for time_s, name in sequence:
            if name != digits:
                times[name].append(time_s)
                is_first = True
            elif is_first:
                answers += 1
                for other, found in times.items():
                    is_near = time_s - found[0] <= silence_s
                    near[other][len(found)] += is_near
                    elsewhere[other] += not is_near
                times.clear()
                is_first = False
        elsewhere.update(times.keys())
    return any(
        counts.total() >= max(2, RIVAL_SHARE * answers)
        and counts.total() >= ALMOST_ALWAYS * (counts.total() + elsewhere[other])
        and max((count for size, count in counts.items() if size <= MAX_STOPS), default=0)
        >= COMPANION_SHARE * counts.total()
        for other, counts in near.items()
    )


def _answers_too(
    digits: str, stop: StopFrame, sequences: Iterable[Sequence[Event]], length: int, silence_s: float
) -> bool:
    """Whether this frame follows releases as well, not always with the stop: then nothing tells which of them stops."""
    answered = within = runs = short = 0
    for sequence in sequences:
        motions_and_it = [one for one in sequence if one.digits == digits or len(one.digits) == length]
        bursts = [burst for burst in _bursts(digits, motions_and_it, silence_s) if burst.frames > 1]
        tally = _tally(digits, motions_and_it, bursts, silence_s)
        answered, within = answered + tally.answered, within + tally.within
        sizes = [sum(1 for _ in same) for name, same in groupby(sequence, lambda one: one.digits) if name == digits]
        runs, short = runs + len(sizes), short + sum(size <= MAX_STOPS for size in sizes)
    is_motion = short < ALMOST_ALWAYS * runs or within > MAX_WITHIN_SHARE * (answered + within)
    return not is_motion and answered >= MIN_STOPPING_SHARE * stop.releases


def _after_presses(digits: str, sequences: Iterable[Sequence[Event]], silence_s: float) -> StopFrame | None:
    """Judge a frame where a press and a release are one frame each, by whether it follows every press."""
    if _is_prelude(digits, sequences, silence_s) or not _is_by_hand(digits, sequences, silence_s):
        return None
    orders = [_presses(sequence, digits, silence_s) for sequence in sequences]
    preludes = _preludes(digits, orders)
    orders = [[one for one in order if one not in preludes] for order in orders]
    followed: Counter[str] = Counter()
    presses: Counter[str] = Counter()
    for order in orders:
        for before, after in pairwise([*order, ""]):
            if before != digits:
                presses[before] += 1
                followed[before] += after == digits
    stops = sum(order.count(digits) for order in orders)
    total, answered = presses.total(), followed.total()
    if total < MIN_PRESSES or len(presses) < MIN_MOTIONS or answered < MIN_ALTERNATION * max(total, stops):
        return None
    if any(followed[one] < MIN_ANSWERED_SHARE * count for one, count in presses.items() if count >= OFTEN):
        return None
    chance = sum(comb(total, one) * comb(stops, one) for one in range(answered, min(total, stops) + 1)) / comb(
        total + stops, stops
    )
    if chance > MAX_CHANCE:
        return None
    evidence = f"it follows {answered} of {total} presses{_chance_note(chance)}"
    return StopFrame(digits, round_confidence((answered + 1) / (total + 2) * (1 - chance)), evidence, answered)


def _is_prelude(digits: str, sequences: Iterable[Sequence[Event]], silence_s: float) -> bool:
    """Whether most of these frames come just before another: a person presses again only after a while."""
    pairs = [
        pair for sequence in sequences for pair in pairwise(sequence) if pair[0].digits == digits != pair[1].digits
    ]
    return 2 * sum(after.time_s - before.time_s <= silence_s for before, after in pairs) > len(pairs)


def _is_by_hand(digits: str, sequences: Iterable[Sequence[Event]], silence_s: float) -> bool:
    """Whether these frames come when a person lets go, rather than a fixed time after whatever was sent."""
    delays: list[float] = []
    alone: list[bool] = []
    for sequence in sequences:
        before: Event | None = None
        beats: list[float] = []
        for event in [*sequence, None]:
            if event is not None and event.digits == digits:
                beats += [] if beats and event.time_s - beats[-1] <= silence_s else [event.time_s]
                continue
            if before is not None and beats:
                delays.append(beats[0] - before.time_s)
                if event is not None and event.time_s - before.time_s > LONG_GAP * delays[-1]:
                    alone.append(len(beats) == 1)
            before, beats = event, []
    usual_s = statistics.median(delays) if delays else 0.0
    if usual_s <= silence_s:
        return False
    if statistics.median(abs(delay - usual_s) for delay in delays) > FIXED_SHARE * usual_s + FIXED_S:
        return True
    # So regular a hand is a script's; then a clock that starts with each frame would have beaten again in long gaps.
    return usual_s >= MIN_SCRIPTED_S and sum(alone) >= max(MIN_RELEASES, ALMOST_ALWAYS * len(alone))


def _presses(sequence: Sequence[Event], digits: str, silence_s: float) -> list[str]:
    """The frames in order; a frame that is repeated at once, or repeated while held, counts once."""
    order: list[str] = []
    last_s = 0.0
    for event in sequence:
        is_repeated = bool(order) and order[-1] == event.digits
        if not is_repeated or (event.digits == digits and event.time_s - last_s > silence_s):
            order.append(event.digits)
        last_s = event.time_s
    return order


def _preludes(digits: str, orders: Iterable[Sequence[str]]) -> set[str]:
    """Frames between the one judged and the next press, such as one that switches the motor on."""
    before: dict[str, Counter[str]] = defaultdict(Counter)
    after: dict[str, Counter[str]] = defaultdict(Counter)
    for order in orders:
        for one, other in pairwise(order):
            before[other][one] += 1
            after[one][other] += 1
    return {
        one
        for one in set(before) & set(after) - {digits}
        if before[one].total() >= OFTEN and set(before[one]) == {digits} and not after[one][digits]
    }


def _companions(sequences: Iterable[Sequence[Event]], silence_s: float) -> dict[str, set[str]]:
    """For each frame, those that follow it at once, always and only: a query after the stop, say."""
    runs: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for sequence in sequences:
        last: Event | None = None
        for event in sequence:
            if last is None or event.digits != last.digits:
                runs[event.digits] += 1
                if last is not None and event.time_s - last.time_s <= silence_s:
                    pairs[last.digits, event.digits] += 1
            last = event
    found: dict[str, set[str]] = defaultdict(set)
    for (first, second), count in pairs.items():
        if count >= max(OFTEN, COMPANION_SHARE * runs[first], COMPANION_SHARE * runs[second]):
            found[first].add(second)
    return found


def _binomial_tail(successes: int, trials: int, share: float) -> float:
    """The probability of at least so many successes; by logarithms, because a long log has thousands of trials."""
    if not 0 < share < 1:
        return 1.0
    logs = (
        lgamma(trials + 1)
        - lgamma(one + 1)
        - lgamma(trials - one + 1)
        + one * log(share)
        + (trials - one) * log1p(-share)
        for one in range(successes, trials + 1)
    )
    return min(1.0, sum(exp(value) for value in logs))


def _chance_note(chance: float) -> str:
    """How likely chance would be, where that is worth saying."""
    return f"; by chance: {100 * chance:.2g} %" if chance >= NEGLIGIBLE else ""
