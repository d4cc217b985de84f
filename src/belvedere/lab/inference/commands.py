"""Separates commands from other values on the same handle: keep-alives, queries, other lengths, and rare outliers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from belvedere.lab.inference.checksums import find_checksum
from belvedere.lab.inference.counters import find_counters
from belvedere.lab.inference.results import OtherTraffic
from belvedere.lab.inference.rhythm import Event, find_background, silence_after
from belvedere.lab.inference.stops import find_stops, mask

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from belvedere.lab.inference.results import FrameField
    from belvedere.lab.inference.stops import StopCandidate
    from belvedere.lab.streams import Sample, ValueStream

USUAL_SHARE, USUAL_SHARE_OF_FEW, FEW = 0.95, 0.9, 100  # of few commands, a single odd one is already a larger share
RARE_SHARE = 0.1
MIN_OPENINGS = 3


class CommandSet(NamedTuple):
    """The commands, all of one length, as a sequence per stream or between two stops; and the other traffic.

    Attributes:
        length: of a command in bytes.
        stop_value: the stop as it was sent; None without one, or where no two stops are equal because they are counted.
    """

    length: int
    sequences: tuple[tuple[bytes, ...], ...]
    other_traffic: tuple[OtherTraffic, ...]
    stop_value: bytes | None

    @property
    def values(self) -> list[bytes]:
        """All commands, in order."""
        return [value for sequence in self.sequences for value in sequence]


class Traffic:
    """All that was written to one handle of one or more devices, without what keeps a clock of its own.

    Attributes:
        length: of a command in bytes.
        counters: fields of commands that count frames.
        stops: the frames that may be the stop, the likeliest first.
    """

    def __init__(self, streams: Sequence[ValueStream]) -> None:
        self._sequences = [list(stream.samples) for stream in streams]
        self.length = _main_length(sample.value for sequence in self._sequences for sample in sequence)
        self.counters = self._find_counters(frozenset())
        self._label()
        self._background = find_background(self._events, 2 * self.length)
        if self._background and not self.counters:
            self.counters = self._find_counters(self._background)
            if self.counters:
                self._label()
                self._background = find_background(self._events, 2 * self.length)
        remaining = [[event for event in events if event.digits not in self._background] for events in self._events]
        self.stops: list[StopCandidate] = find_stops([events for events in remaining if events], 2 * self.length)

    def commands(self, candidate: StopCandidate | None, *, is_stop_apart: bool = False) -> CommandSet:
        """The commands, if this is the stop; a stop of another length, or one to be read apart, is not among them."""
        companions = candidate.companions if candidate else frozenset[str]()
        stop = candidate.stop.digits if candidate else ""
        kept: list[list[Sample]] = []
        aside: dict[str, list[bytes]] = {}
        stops: Counter[bytes] = Counter()
        for sequence, events in zip(self._sequences, self._events, strict=True):
            kept.append([])
            for sample, event in zip(sequence, events, strict=True):
                is_stop = event.digits == stop
                stops[sample.value] += is_stop
                reason = self._reason(sample.value, event.digits, companions)
                if is_stop and (is_stop_apart or len(sample.value) != self.length):
                    kept.append([])  # the stop ends what the unit was doing
                elif reason and not is_stop:
                    aside.setdefault(reason, []).append(sample.value)
                else:
                    kept[-1].append(sample)
        outliers = _outliers(kept, stop, self._hidden, self._openers())
        others = [OtherTraffic(reason, values[0], len(values)) for reason, values in aside.items()]
        others += [
            OtherTraffic("rare and of a different form", value, count) for value, count in outliers.most_common()
        ]
        sequences = (tuple(one.value for one in sequence if one.value not in outliers) for sequence in kept)
        return CommandSet(
            self.length,
            tuple(sequence for sequence in sequences if sequence),
            tuple(others),
            next(iter(found)) if len(found := +stops) == 1 else None,
        )

    def _openers(self) -> set[str]:
        """Frames that are always the first after a silence, such as one that switches the motor on."""
        runs: Counter[str] = Counter()
        opens: Counter[str] = Counter()
        silence_s = silence_after(self._events)
        for events in self._events:
            before: Event | None = None
            for event in events:
                if event.digits in self._background:
                    continue
                runs[event.digits] += 1
                opens[event.digits] += before is None or event.time_s - before.time_s > silence_s
                before = event
        return {digits for digits, count in opens.items() if count >= max(MIN_OPENINGS, USUAL_SHARE * runs[digits])}

    def _reason(self, value: bytes, digits: str, companions: Collection[str]) -> str:
        """Why this value is no command, in words, or ""."""
        if digits in self._background:
            return f"heartbeat every {self._background[digits]:.2g} s ({digits})"
        if digits in companions:
            return f"sent right after the stop ({digits})"
        return f"{len(value)} bytes long" if len(value) != self.length else ""

    def _find_counters(self, excluded: Collection[str]) -> list[FrameField]:
        sequences = [
            [one.value for one in sequence if len(one.value) == self.length and one.value.hex() not in excluded]
            for sequence in self._sequences
        ]
        return find_counters(sequences, self.length)

    def _label(self) -> None:
        """Name the frames by their digits, those of counters and of checksums over these hidden."""
        fields = list(self.counters)
        if fields:  # then the checksum of the stop changes with the count
            values = {one.value for sequence in self._sequences for one in sequence if len(one.value) == self.length}
            checksum = find_checksum(values)
            fields += [checksum] if checksum else []
        self._hidden = frozenset(at for one in fields for at in range(one.start, one.end))
        names: dict[bytes, str] = {}
        self._events = [
            [
                Event(one.time_s, names.get(one.value) or names.setdefault(one.value, self._name(one.value)))
                for one in some
            ]
            for some in self._sequences
        ]

    def _name(self, value: bytes) -> str:
        return mask(value, self._hidden if len(value) == self.length else ())


def _main_length(values: Iterable[bytes]) -> int:
    """The most frequent length; lengths with only one distinct value count only where there are no others."""
    counts = Counter(values)
    by_length: dict[int, list[int]] = {}
    for value, count in counts.items():
        if value:
            by_length.setdefault(len(value), []).append(count)
    lively = {length: found for length, found in by_length.items() if len(found) > 1}
    among = lively or by_length
    return max(among, key=lambda length: (sum(among[length]), length), default=0)


def _outliers(
    sequences: Sequence[Sequence[Sample]], stop: str, hidden: Collection[int], openers: Collection[str]
) -> Counter[bytes]:
    """Rare values, and openers, that differ in at least two nearly constant digits. The stop may, and stays."""
    values = Counter(sample.value for sequence in sequences for sample in sequence)
    names = {value: mask(value, hidden) for value in values}
    motions = Counter({value: count for value, count in values.items() if names[value] not in {stop, *openers}})
    total, usual = values.total(), usual_digits(motions)
    found: Counter[bytes] = Counter()
    for value, count in values.items():
        if names[value] == stop or (count > RARE_SHARE * total and names[value] not in openers):
            continue
        broken = sum(bool(digit) and digit != here for digit, here in zip(usual, value.hex(), strict=False))
        if broken > 1:
            found[value] = count
    return found


def usual_digits(values: Counter[bytes]) -> list[str]:
    """The digit that nearly all frames of one length have at each place, or ""."""
    if not values:
        return []
    total = values.total()
    enough = total * (USUAL_SHARE if total >= FEW else USUAL_SHARE_OF_FEW)
    usual = []
    counts = list(values.values())
    for place in zip(*(value.hex() for value in values), strict=True):
        if len(set(place)) == 1:
            usual.append(place[0])
            continue
        digits: Counter[str] = Counter()
        for digit, count in zip(place, counts, strict=True):
            digits[digit] += count
        digit, most = digits.most_common(1)[0]
        usual.append(digit if most >= enough else "")
    return usual
