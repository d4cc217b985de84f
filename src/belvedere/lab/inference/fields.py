"""Finds the fields of commands: constants, directions and speeds.

The idea: neighbouring digits that vary form a field. A direction takes few values and seldom changes during motion; a
speed takes many, and moves in small steps because people move sticks smoothly.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

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
MAX_CHANGE_SHARE = 0.03  # of the steps during motion: a direction changes only where a stick crosses its middle
DECIMAL_SHARE = 10 / 16  # the share of hexadecimal digits that are decimal
CERTAIN = 0.95  # above this confidence, alternatives are not mentioned
SMOOTHNESS_RATIO = 0.7  # of the total change: a format must explain the values with so much less of it to be preferred
UNDECIDED = 0.2, 0.8  # likelihoods between which the byte order is undecided
NONZERO_REST_FACTOR = 0.6  # factor on the confidence if the value at rest is neither 0 nor the middle
MIDDLE = 8  # first digit of the middle of a number's range
ASK_ALL_SPEEDS = "drive from the slowest to the fastest speed in the app, and record another log"
ASK_BOTH_WAYS = "drive both ways in the app, and record another log"


class FrameDigits(NamedTuple):
    """All commands as hexadecimal digits, in order, and the distinct ones."""

    all: tuple[tuple[str, ...], ...]
    different: tuple[str, ...]
    stop: str | None

    def is_stop(self, digits: str) -> bool:
        """Whether this is the stop, apart from counters and checksums."""
        return self.stop is not None and all(
            wanted in ("?", digit) for wanted, digit in zip(self.stop, digits, strict=True)
        )


def find_fields(
    sequences: Iterable[Sequence[bytes]], hidden: Collection[int], stop: StopFrame | None
) -> list[FrameField]:
    """The fields of all digits that are not hidden, in order."""
    digits = tuple(tuple(value.hex() for value in sequence) for sequence in sequences)
    frames = FrameDigits(
        digits, tuple(dict.fromkeys(one for sequence in digits for one in sequence)), stop.digits if stop else None
    )
    if not frames.different:
        return []
    length = len(frames.different[0])
    varied = [at for at in range(length) if at not in hidden and len({one[at] for one in frames.different}) > 1]
    runs = [part for run in _runs(varied) for part in _split_run(frames, *run)]
    numbers = [run for run in runs if len(_values_at(frames, *run)) >= MIN_SPEEDS]
    directions = [run for run in runs if run not in numbers]
    numbers += _few_speeds(frames, directions, numbers)
    is_alone = not [one for one in directions if one not in numbers]
    fields = [_speed(frames, *_whole_number(frames, run, hidden), is_alone=is_alone) for run in numbers]
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
    """Whether these digits take few values, and keep them while the rest changes, as a number's high byte does not."""
    if len(_values_at(frames, start, end)) > MAX_DIRECTION_VALUES or len(_values_at(frames, *rest)) < MIN_SPEEDS:
        return False
    pairs = ((one, other) for sequence in frames.all for one, other in pairwise(sequence))
    moving = [(one, other) for one, other in pairs if not frames.is_stop(one) and not frames.is_stop(other)]
    changes = sum(one[start:end] != other[start:end] for one, other in moving)
    return changes <= MAX_CHANGE_SHARE * len(moving)


def _values_at(frames: FrameDigits, start: int, end: int) -> Counter[str]:
    return Counter(one[start:end] for sequence in frames.all for one in sequence)


def _few_speeds(
    frames: FrameDigits, directions: Sequence[tuple[int, int]], numbers: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Where nothing has enough values for a speed: the run with the most, if all others have fewer."""
    if numbers or not directions:
        return []
    ranked = sorted(directions, key=lambda run: (len(_values_at(frames, *run)), run[1] - run[0]))
    most = ranked[-1]
    if len(ranked) == 1:
        return [most] if len(_values_at(frames, *most)) > MAX_DIRECTION_VALUES - 1 else []
    return [most] if len(_values_at(frames, *most)) > len(_values_at(frames, *ranked[-2])) else []


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
    if not any(digit in "abcdef" for value in _values_at(frames, start, end) for digit in value):
        return run
    start -= start % 2 and start - 1 not in hidden
    end += end % 2 and end not in hidden
    return start, end


def _constant(frames: FrameDigits, start: int, end: int) -> FrameField:
    different = len(frames.different)
    value = frames.different[0][start:end]
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
    counts = _values_at(frames, start, end)
    ways = Counter(one[start:end] for sequence in frames.all for one in sequence if not frames.is_stop(one))
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


def _speed(frames: FrameDigits, start: int, end: int, *, is_alone: bool) -> FrameField:
    values = list(_values_at(frames, start, end))
    rest = frames.stop[start:end] if frames.stop and "?" not in frames.stop[start:end] else None
    number, confidence, others = _encoding(frames, start, end, rest, is_alone=is_alone)
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
    frames: FrameDigits, start: int, end: int, rest: str | None, *, is_alone: bool
) -> tuple[NumberFormat, float, list[Alternative]]:
    values = list(_values_at(frames, start, end))
    little_endian = _little_endian(frames, start, end)
    is_little_endian = little_endian > 0.5  # noqa: PLR2004 - likelier than not
    order = 1.0 if end - start <= 2 else max(little_endian, 1 - little_endian)  # noqa: PLR2004 - one byte has no order
    signed = (
        _with_sign(frames, (start, end), rest, is_little_endian=is_little_endian)
        if is_alone and not (end - start) % 2
        else None
    )
    if signed is not None:
        at_rest = (
            NumberFormat(Encoding.BINARY, is_little_endian).speed_field(end - start).speed_of(rest)
            if rest is not None
            else 0
        )
        others = [Alternative("a number without a sign", 0.1), *_two_numbers(start, end, little_endian)]
        return NumberFormat(signed, is_little_endian, at_rest), 0.9 * order, others
    known = NONZERO_REST_FACTOR if rest is not None and int(rest, 16) else 1.0
    if any(digit in "abcdef" for value in values for digit in value):
        return (
            NumberFormat(Encoding.BINARY, is_little_endian),
            min(0.95, order) * known,
            _two_numbers(start, end, little_endian),
        )
    # If the numbers were binary, each digit but the first would be above nine in six of sixteen cases.
    lower = len({value[1:] for value in values if len(value) > 1}) or len(values) / 2
    binary = DECIMAL_SHARE**lower
    confidence = 1 / (1 + binary)
    others = [Alternative("a binary number", round(1 - confidence, 2))] if confidence < CERTAIN else []
    return NumberFormat(Encoding.BCD), confidence * known, others


def _two_numbers(start: int, end: int, little_endian: float) -> list[Alternative]:
    """Two bytes that change equally often may be separate numbers: a frame for two axes."""
    is_undecided = end - start == 4 and UNDECIDED[0] < little_endian < UNDECIDED[1]  # noqa: PLR2004 - two bytes
    return [Alternative("two numbers of one byte each, such as for two axes", 0.5)] if is_undecided else []


def _with_sign(
    frames: FrameDigits, place: tuple[int, int], rest: str | None, *, is_little_endian: bool
) -> Encoding | None:
    """How a number encodes the direction in its sign, judging by its first digits and its value at rest."""
    if rest is None:
        return None
    if int(rest, 16):
        return Encoding.OFFSET if _high_first(rest, is_little_endian=is_little_endian)[0] in "78" else None
    values = _values_at(frames, *place)
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


def _little_endian(frames: FrameDigits, start: int, end: int) -> float:
    """How likely the low byte comes first: sticks move in small steps, so the high byte changes less often."""
    if (end - start) % 2 or end - start < 4:  # noqa: PLR2004 - two bytes have an order
        return 0.0
    first, last = (_changes(frames, start, start + 2), _changes(frames, end - 2, end))
    return (first + 0.5) / (first + last + 1)


def _changes(frames: FrameDigits, start: int, end: int) -> int:
    return sum(one[start:end] != other[start:end] for sequence in frames.all for one, other in pairwise(sequence))


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
