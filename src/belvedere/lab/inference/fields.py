"""Finds the fields of commands: constants, directions and speeds.

The idea: neighbouring digits that vary form a field. A direction takes few values and seldom changes during motion; a
speed takes many, and moves in small steps because people move sticks smoothly.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from belvedere.lab.inference.numbers import Reading, read_pair
from belvedere.lab.inference.results import (
    Alternative,
    DirectionValues,
    Encoding,
    FieldKind,
    FrameField,
    NumberFormat,
    round_confidence,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from belvedere.lab.inference.results import StopFrame

MAX_DIRECTION_VALUES = 4  # rest, one way, the other, and one unexpected
MIN_SPEEDS = 5  # distinct values: fewer may be directions as well
MIN_SPEEDS_BESIDE = 4  # distinct values of a speed beside digits that have fewer
MAX_CHANGE_SHARE = 0.03  # of the steps during motion: a direction changes only where a stick crosses its middle
NEAR_REST = 0.5  # of the fastest speed
CARRY_FREE_SHARE = 0.8  # of a direction's changes during motions: near rest
SIGN_BYTES = {"00", "ff"}
DECIMAL_SHARE = 10 / 16  # the share of hexadecimal digits that are decimal
CERTAIN = 0.95  # above this confidence, alternatives are not mentioned
SMOOTHNESS_RATIO = 0.7  # of the total change: a format must explain the values with so much less of it to be preferred
NUMBER_DIGITS = 4  # of the longest number that is read: a longer one cannot be told from several
NONZERO_REST_FACTOR = 0.6  # factor on the confidence if the value at rest is neither 0 nor the middle
MIDDLE = 8  # first digit of the middle of a number's range
ASK_ALL_SPEEDS = "drive from the slowest to the fastest speed in the app, and record another log"
ASK_SLOWLY = (
    "drive one axis alone, slowly from the slowest to the fastest speed and back, three times, and record another log"
)
ASK_BOTH_WAYS = "drive both ways in the app, and record another log"


class FrameDigits:
    """All commands as hexadecimal digits, in order.

    Attributes:
        all: a sequence per stream.
        counts: each distinct command, with how often it was sent.
        stop: its digits, with `?` for those of counters; or None.
        stops: the commands that are stops.
        motions: the commands between two stops, for each time.
    """

    def __init__(self, sequences: Iterable[Sequence[bytes]], stop: str | None) -> None:
        names: dict[bytes, str] = {}
        self.all = [
            [names.get(value) or names.setdefault(value, value.hex()) for value in sequence] for sequence in sequences
        ]
        self.counts = Counter(one for sequence in self.all for one in sequence)
        self.stop = stop
        self.stops = {one for one in self.counts if stop is not None and _is_like(stop, one)}
        groups = (groupby(sequence, self.stops.__contains__) for sequence in self.all)
        self.motions = [list(same) for group in groups for is_stop, same in group if not is_stop]
        self._values: dict[tuple[int, int], Counter[str]] = {}

    def values_at(self, start: int, end: int) -> Counter[str]:
        """The values of these digits, with how often each was sent."""
        found = self._values.get((start, end))
        if found is None:
            found = self._values[start, end] = Counter()
            for one, count in self.counts.items():
                found[one[start:end]] += count
        return found


def _is_like(masked: str, digits: str) -> bool:
    return all(wanted in ("?", digit) for wanted, digit in zip(masked, digits, strict=True))


def find_fields(
    sequences: Iterable[Sequence[bytes]], hidden: Collection[int], stop: StopFrame | None
) -> list[FrameField]:
    """The fields of all digits that are not hidden, in order."""
    frames = FrameDigits(sequences, stop.digits if stop else None)
    if not frames.counts:
        return []
    length = len(next(iter(frames.counts)))
    varied = [at for at in range(length) if at not in hidden and len(frames.values_at(at, at + 1)) > 1]
    places = {*varied, *(at for at in range(0, length, 2) if {at - 1, at + 1} <= {*varied} and at not in hidden)}
    split = [part for run in _runs(sorted(places)) for part in _split_run(frames, *run)]
    runs = [(start if start in varied else start + 1, end) for start, end in split]
    numbers = [run for run in runs if len(frames.values_at(*run)) >= MIN_SPEEDS]
    directions = [run for run in runs if run not in numbers]
    numbers += _few_speeds(frames, directions, numbers)
    is_alone = not [one for one in directions if one not in numbers]
    fields = [_number(frames, *_whole_number(frames, run, hidden), is_alone=is_alone) for run in numbers]
    fields += [_direction(frames, *_whole_byte(run, hidden, varied)) for run in directions if run not in numbers]
    taken = {at for one in fields for at in range(one.start, one.end)} | set(hidden)
    fields += [_constant(frames, *run) for run in _runs([at for at in range(length) if at not in taken])]
    return sorted(fields, key=lambda frame_field: frame_field.start)


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of adjacent positions, as (first, last + 1)."""
    runs: list[tuple[int, int]] = []
    for at in places:
        if runs and runs[-1][1] == at:
            runs[-1] = runs[-1][0], at + 1
        else:
            runs.append((at, at + 1))
    return runs


def _split_run(frames: FrameDigits, start: int, end: int) -> list[tuple[int, int]]:
    """Split off the first or last byte of a run where it is a direction next to its speed."""
    after_first, before_last = start - start % 2 + 2, end - 1 - (end - 1) % 2
    if after_first < end and _is_direction(frames, start, after_first, (after_first, end)):
        return [(start, after_first), *_split_run(frames, after_first, end)]
    if before_last > start and _is_direction(frames, before_last, end, (start, before_last)):
        return [*_split_run(frames, start, before_last), (before_last, end)]
    return [(start, end)]


def _is_direction(frames: FrameDigits, start: int, end: int, rest: tuple[int, int]) -> bool:
    """Whether these digits are a direction beside the rest, a number, rather than that number's high byte.

    A direction takes few values, and changes during a motion only near rest; a high byte changes at a carry, and one
    that is 00 or ff may extend the sign of the low byte.
    """
    if rest[1] - rest[0] > NUMBER_DIGITS:
        return False
    words, speeds = len(frames.values_at(start, end)), len(frames.values_at(*rest))
    if words > MAX_DIRECTION_VALUES or speeds < max(MIN_SPEEDS_BESIDE, words + 1):
        return False
    moving = [pair for sequence in frames.motions for pair in pairwise(sequence)]
    changes = [pair for pair in moving if pair[0][start:end] != pair[1][start:end]]
    if len(changes) > MAX_CHANGE_SHARE * len(moving):
        return False
    if changes and not _are_near_rest(frames, changes, rest):
        return False
    seen = {one[start:end] for sequence in frames.motions for one in sequence}
    return seen != SIGN_BYTES or not _extends_sign(frames, (start, end), rest)


def _are_near_rest(frames: FrameDigits, changes: Sequence[tuple[str, str]], speed: tuple[int, int]) -> bool:
    """Whether these pairs of commands have low speeds on both sides, as where a stick crosses its middle."""
    fastest = max(int(value, 16) for value in frames.values_at(*speed))
    slow = sum(max(int(one[slice(*speed)], 16) for one in pair) <= NEAR_REST * fastest for pair in changes)
    return slow >= CARRY_FREE_SHARE * len(changes)


def _extends_sign(frames: FrameDigits, sign: tuple[int, int], low: tuple[int, int]) -> bool:
    """Whether the low byte begins at its top where the sign is ff: a small negative number, not a low speed."""
    starts = [sequence[0][slice(*low)] for sequence in frames.motions if sequence[0][slice(*sign)] == "ff"]
    return 2 * sum(int(start[0], 16) >= MIDDLE for start in starts) >= len(starts)


def _few_speeds(
    frames: FrameDigits, directions: Sequence[tuple[int, int]], numbers: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Where nothing has enough values for a speed: the run with the most, if all others have fewer."""
    if numbers or not directions:
        return []
    ranked = sorted(directions, key=lambda run: (len(frames.values_at(*run)), run[1] - run[0]))
    most = ranked[-1]
    if len(ranked) == 1:
        return [most] if len(frames.values_at(*most)) > MAX_DIRECTION_VALUES - 1 else []
    return [most] if len(frames.values_at(*most)) > len(frames.values_at(*ranked[-2])) else []


def _whole_byte(run: tuple[int, int], hidden: Collection[int], varied: Sequence[int]) -> tuple[int, int]:
    """Extend a half byte to the whole byte, where the other half never changes."""
    start, end = run
    if start % 2 and start - 1 not in hidden and start - 1 not in varied:
        start -= 1
    if end % 2 and end not in hidden and end not in varied:
        end += 1
    return start, end


def _whole_number(frames: FrameDigits, run: tuple[int, int], hidden: Collection[int]) -> tuple[int, int]:
    """Extend a binary number to whole bytes; one of decimal digits need not fill bytes."""
    start, end = run
    if not any(digit in "abcdef" for value in frames.values_at(start, end) for digit in value):
        return run
    start -= start % 2 and start - 1 not in hidden
    end += end % 2 and end not in hidden
    return start, end


def _constant(frames: FrameDigits, start: int, end: int) -> FrameField:
    different = len(frames.counts)
    value = next(iter(frames.counts))[start:end]
    return FrameField(
        kind=FieldKind.CONSTANT,
        start=start,
        end=end,
        confidence=round_confidence(different / (different + 1)),
        description=f"always {value}",
        evidence=f"in {different} distinct frames",
        direction_values=DirectionValues(value, ()),
    )


def _direction(frames: FrameDigits, start: int, end: int) -> FrameField:
    counts = frames.values_at(start, end)
    ways: Counter[str] = Counter()
    for one, count in frames.counts.items():
        if one not in frames.stops:
            ways[one[start:end]] += count
    none = frames.stop[start:end] if frames.stop and "?" not in frames.stop[start:end] else None
    resting = none  # some heads keep a direction at rest and send speed 0
    if none in ways:
        none = None
    moving = tuple(sorted(ways, key=lambda value: (value != resting, -ways[value])))
    changes = sum(one[start:end] != other[start:end] for sequence in frames.all for one, other in pairwise(sequence))
    total = counts.total()
    steadiness = 1 - changes / max(1, total - 1)
    has_both = len(moving) == 2  # noqa: PLR2004 - one way, and the other
    is_usual = resting is not None and has_both
    evidence = ", ".join(f"{value} {count} times" for value, count in counts.most_common())
    return FrameField(
        kind=FieldKind.DIRECTION if len(moving) <= MAX_DIRECTION_VALUES else FieldKind.UNEXPLAINED,
        start=start,
        end=end,
        confidence=round_confidence((0.97 if is_usual else 0.6) * (0.5 + steadiness / 2) * total / (total + 2)),
        description=f"a direction: {none or resting or '?'} at rest, {' or '.join(moving) or '?'} in motion",
        evidence=f"{evidence}; changes {changes} times in {total} commands",
        advice="" if has_both else ASK_BOTH_WAYS,
        direction_values=DirectionValues(none, moving),
    )


def _number(frames: FrameDigits, start: int, end: int, *, is_alone: bool) -> FrameField:
    """The speed in these digits, or what else they are, where they are not surely one number."""
    reading = _reading(frames, start, end)
    if reading in {Reading.HIGH_FIRST, Reading.LOW_FIRST}:
        return _speed(frames, start, end, is_alone=is_alone, is_little_endian=reading is Reading.LOW_FIRST)
    is_several = reading is Reading.SEVERAL
    what = "several numbers, as in a frame for two axes"
    return FrameField(
        kind=FieldKind.NUMBERS,
        start=start,
        end=end,
        confidence=round_confidence(0.9 if is_several else 0.5),
        description=what if is_several else f"{what}, or one number whose byte order this log does not show",
        evidence=f"{len(frames.values_at(start, end))} distinct values",
        advice=ASK_SLOWLY,
    )


def _reading(frames: FrameDigits, start: int, end: int) -> Reading:
    """How the digits are read; half bytes are parts of one number, because no axis has less than a byte."""
    length = end - start
    if length > NUMBER_DIGITS:
        return Reading.SEVERAL
    if length < NUMBER_DIGITS:
        return Reading.HIGH_FIRST
    is_decimal = not any(digit in "abcdef" for value in frames.values_at(start, end) for digit in value)
    return read_pair([[one[start:end] for one in sequence] for sequence in frames.motions], 10 if is_decimal else 16)


def _speed(frames: FrameDigits, start: int, end: int, *, is_alone: bool, is_little_endian: bool) -> FrameField:
    values = list(frames.values_at(start, end))
    rest = frames.stop[start:end] if frames.stop and "?" not in frames.stop[start:end] else None
    number, confidence, others = _encoding(frames, start, end, rest, is_alone=is_alone, low_first=is_little_endian)
    sizes = sorted({size_of(value, number) for value in values} - {0}) or [0]
    few = len(values) < 2 * MIN_SPEEDS
    return FrameField(
        kind=FieldKind.SPEED,
        start=start,
        end=end,
        confidence=round_confidence(confidence * len(values) / (len(values) + 1)),
        description=f"a speed, {_describe(number)}: {sizes[0]} to {sizes[-1]} seen",
        evidence=f"{len(values)} distinct values" + (f", {rest} at rest" if rest else ""),
        advice=ASK_ALL_SPEEDS if few or others else "",
        alternatives=tuple(others),
        number=number,
        slowest=sizes[0],
        fastest=sizes[-1],
    )


def _encoding(
    frames: FrameDigits, start: int, end: int, rest: str | None, *, is_alone: bool, low_first: bool
) -> tuple[NumberFormat, float, list[Alternative]]:
    values = list(frames.values_at(start, end))
    can_be_signed = is_alone and not (end - start) % 2
    signed = _with_sign(frames, (start, end), rest, is_little_endian=low_first) if can_be_signed else None
    if signed is not None:
        at_rest = NumberFormat(Encoding.BINARY, low_first).speed_field(end - start).speed_of(rest) if rest else 0
        return NumberFormat(signed, low_first, at_rest), 0.9, [Alternative("a number without a sign", 0.1)]
    known = NONZERO_REST_FACTOR if rest is not None and int(rest, 16) else 1.0
    if low_first or any(digit in "abcdef" for value in values for digit in value):
        return NumberFormat(Encoding.BINARY, low_first), 0.95 * known, []
    # If the numbers were binary, each digit but the first would be above nine in six of sixteen cases.
    lower = len({value[1:] for value in values if len(value) > 1}) or len(values) / 2
    binary = DECIMAL_SHARE**lower
    confidence = 1 / (1 + binary)
    others = [Alternative("a binary number", round(1 - confidence, 2))] if confidence < CERTAIN else []
    return NumberFormat(Encoding.BCD), confidence * known, others


def _with_sign(
    frames: FrameDigits, place: tuple[int, int], rest: str | None, *, is_little_endian: bool
) -> Encoding | None:
    """How a number encodes the direction in its sign, judging by its first digits and its value at rest."""
    if rest is None:
        return None
    values = frames.values_at(*place)
    if int(rest, 16):
        middle, others = _high_first(rest, is_little_endian=is_little_endian), values.keys() - {rest}
        sides = {_high_first(value, is_little_endian=is_little_endian) > middle for value in others}
        is_middle = int(middle, 16) in {16 ** len(middle) // 2 - 1, 16 ** len(middle) // 2}
        return Encoding.OFFSET if is_middle and len(sides) == 2 else None  # noqa: PLR2004 - both sides of rest
    firsts = {int(_high_first(value, is_little_endian=is_little_endian)[0], 16) for value in values if int(value, 16)}
    if firsts & {0xE, 0xF} and firsts & {0, 1}:  # both sides of 0 in two's complement
        return Encoding.SIGNED
    is_smooth = _total_change(
        frames, place, NumberFormat(Encoding.MAGNITUDE, is_little_endian)
    ) < SMOOTHNESS_RATIO * _total_change(frames, place, NumberFormat(Encoding.BINARY, is_little_endian))
    return Encoding.MAGNITUDE if is_smooth and firsts & set(range(8, 16)) else None


def _total_change(frames: FrameDigits, place: tuple[int, int], number: NumberFormat) -> int:
    """The sum of all steps of the number: with the right format it is smallest, because sticks move smoothly."""
    field = number.speed_field(place[1] - place[0])
    values = [[field.speed_of(one[slice(*place)]) for one in sequence] for sequence in frames.all]
    return sum(abs(one - other) for sequence in values for one, other in pairwise(sequence))


def _high_first(value: str, *, is_little_endian: bool) -> str:
    return bytes.fromhex(value)[::-1].hex() if is_little_endian else value


def size_of(value: str, number: NumberFormat) -> int:
    """The absolute value of a speed, from its digits; 0 where they are not decimal as they should be."""
    try:
        return abs(number.speed_field(len(value)).speed_of(value))
    except ValueError:
        return 0


def _describe(number: NumberFormat) -> str:
    names = {
        Encoding.BCD: "decimal digits (BCD)",
        Encoding.BINARY: "a binary number",
        Encoding.SIGNED: "a signed binary number (two's complement)",
        Encoding.OFFSET: f"a binary number with an offset, {MIDDLE:x}0... at rest",
        Encoding.MAGNITUDE: "a binary number with the sign in its first bit",
    }
    return names[number.encoding] + (", low byte first" if number.is_little_endian else "")
