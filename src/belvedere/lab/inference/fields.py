"""Tells the digits of commands apart: what never changes, what says a direction, and what says a speed."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from belvedere.lab.inference.readings import Alternative, Encoding, Kind, Number, Reading, Words, rounded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from belvedere.lab.inference.readings import Stop

MOST_WORDS = 4  # of a direction: rest, one way, the other, and one that nobody expected
FEWEST_SPEEDS = 5  # different ones: fewer may be words as well
SELDOM = 0.03  # a direction changes in motion only where somebody drags across the middle
DECIMAL_SHARE = 10 / 16  # of hexadecimal digits
BEYOND_DOUBT = 0.95  # what else it may be is not worth a word
SMOOTHER = 0.7  # of the way that a number goes: by so much less must another reading explain it
UNDECIDED = 0.2, 0.8  # between these, nothing tells which byte of a number is the high one
REST_ELSEWHERE = 0.6  # what a rest that is neither 0 nor the middle leaves of the confidence in a number
MIDDLE = 8  # the first digit of a number that rests in its middle
ASK_ALL_SPEEDS = "drive from the slowest to the fastest speed in the app, and look again"
ASK_BOTH_WAYS = "drive both ways in the app, and look again"


class Frames(NamedTuple):
    """All commands as digits, in order, and the different ones."""

    all: tuple[tuple[str, ...], ...]
    different: tuple[str, ...]
    stop: str | None

    def is_stop(self, digits: str) -> bool:
        """Whether these are the stop's, but for those that count or check."""
        return self.stop is not None and all(
            said in ("?", digit) for said, digit in zip(self.stop, digits, strict=True)
        )


def fields_of(takes: Iterable[Sequence[bytes]], hidden: Collection[int], stop: Stop | None) -> list[Reading]:
    """A reading for every digit that is not hidden, in order."""
    digits = tuple(tuple(value.hex() for value in take) for take in takes)
    frames = Frames(digits, tuple(dict.fromkeys(one for take in digits for one in take)), stop.digits if stop else None)
    if not frames.different:
        return []
    length = len(frames.different[0])
    varied = [at for at in range(length) if at not in hidden and len({one[at] for one in frames.different}) > 1]
    runs = [part for run in _runs(varied) for part in _parted(frames, *run)]
    numbers = [run for run in runs if len(_words(frames, *run)) >= FEWEST_SPEEDS]
    words = [run for run in runs if run not in numbers]
    numbers += _few_speeds(frames, words, numbers)
    is_alone = not [one for one in words if one not in numbers]
    readings = [_speed(frames, *_whole_number(frames, run, hidden), is_alone=is_alone) for run in numbers]
    readings += [_direction(frames, *_whole_byte(run, hidden, varied)) for run in words if run not in numbers]
    taken = {at for one in readings for at in range(one.start, one.end)} | set(hidden)
    readings += [_constant(frames, *run) for run in _runs([at for at in range(length) if at not in taken])]
    return sorted(readings, key=lambda reading: reading.start)


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring places as (first, behind the last)."""
    runs: list[tuple[int, int]] = []
    for at in places:
        if runs and runs[-1][1] == at:
            runs[-1] = runs[-1][0], at + 1
        else:
            runs.append((at, at + 1))
    return runs


def _parted(frames: Frames, start: int, end: int) -> list[tuple[int, int]]:
    """A run whose first or last byte is a word of its own, cut there: a direction next to its speed."""
    after_first, before_last = start - start % 2 + 2, end - 1 - (end - 1) % 2
    if after_first < end and _is_word(frames, start, after_first, (after_first, end)):
        return [(start, after_first), *_parted(frames, after_first, end)]
    if before_last > start and _is_word(frames, before_last, end, (start, before_last)):
        return [*_parted(frames, start, before_last), (before_last, end)]
    return [(start, end)]


def _is_word(frames: Frames, start: int, end: int, rest: tuple[int, int]) -> bool:
    """Whether these digits take few values and keep them while the others change: a number's high byte does not."""
    if len(_words(frames, start, end)) > MOST_WORDS or len(_words(frames, *rest)) < FEWEST_SPEEDS:
        return False
    pairs = ((one, other) for take in frames.all for one, other in pairwise(take))
    moving = [(one, other) for one, other in pairs if not frames.is_stop(one) and not frames.is_stop(other)]
    changes = sum(one[start:end] != other[start:end] for one, other in moving)
    return changes <= SELDOM * len(moving)


def _words(frames: Frames, start: int, end: int) -> Counter[str]:
    return Counter(one[start:end] for take in frames.all for one in take)


def _few_speeds(
    frames: Frames, words: Sequence[tuple[int, int]], numbers: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Where nothing is surely a number: the place with the most words, if another has fewer, or if it stands alone."""
    if numbers or not words:
        return []
    ranked = sorted(words, key=lambda run: (len(_words(frames, *run)), run[1] - run[0]))
    most = ranked[-1]
    if len(ranked) == 1:
        return [most] if len(_words(frames, *most)) > MOST_WORDS - 1 else []
    return [most] if len(_words(frames, *most)) > len(_words(frames, *ranked[-2])) else []


def _whole_byte(run: tuple[int, int], hidden: Collection[int], varied: Sequence[int]) -> tuple[int, int]:
    """A word that is half a byte takes the other half along, where that never changes."""
    start, end = run
    if start % 2 and start - 1 not in hidden and start - 1 not in varied:
        start -= 1
    if end % 2 and end not in hidden and end not in varied:
        end += 1
    return start, end


def _whole_number(frames: Frames, run: tuple[int, int], hidden: Collection[int]) -> tuple[int, int]:
    """A binary number is made of whole bytes; one of decimal digits need not be."""
    start, end = run
    if not any(digit in "abcdef" for word in _words(frames, start, end) for digit in word):
        return run
    start -= start % 2 and start - 1 not in hidden
    end += end % 2 and end not in hidden
    return start, end


def _constant(frames: Frames, start: int, end: int) -> Reading:
    different = len(frames.different)
    word = frames.different[0][start:end]
    return Reading(
        kind=Kind.CONSTANT,
        start=start,
        end=end,
        confidence=rounded(different / (different + 1)),
        says=f"always {word}",
        evidence=f"in {different} different frames",
        words=Words(word, ()),
    )


def _direction(frames: Frames, start: int, end: int) -> Reading:
    counts = _words(frames, start, end)
    ways = Counter(one[start:end] for take in frames.all for one in take if not frames.is_stop(one))
    none = frames.stop[start:end] if frames.stop and "?" not in frames.stop[start:end] else None
    resting = none  # some heads keep a way's word at rest, and say the speed 0
    if none in ways:
        none = None
    moving = tuple(sorted(ways, key=lambda word: (word != resting, -ways[word])))
    changes = sum(one[start:end] != other[start:end] for take in frames.all for one, other in pairwise(take))
    total = counts.total()
    steadiness = 1 - changes / max(1, total - 1)
    has_both = len(moving) == 2  # noqa: PLR2004 - one way, and the other
    is_usual = resting is not None and has_both
    evidence = ", ".join(f"{word} {count} times" for word, count in counts.most_common())
    return Reading(
        kind=Kind.DIRECTION if len(moving) <= MOST_WORDS else Kind.UNEXPLAINED,
        start=start,
        end=end,
        confidence=rounded((0.97 if is_usual else 0.6) * (0.5 + steadiness / 2) * total / (total + 2)),
        says=f"a direction: rest {none or resting or 'not seen'}, ways {', '.join(moving) or 'not seen'}",
        evidence=f"{evidence}; changes {changes} times in {total} commands",
        advice="" if has_both else ASK_BOTH_WAYS,
        words=Words(none, moving),
    )


def _speed(frames: Frames, start: int, end: int, *, is_alone: bool) -> Reading:
    values = list(_words(frames, start, end))
    rest = frames.stop[start:end] if frames.stop and "?" not in frames.stop[start:end] else None
    number, confidence, others = _encoding(frames, start, end, rest, is_alone=is_alone)
    sizes = sorted({size_of(word, number) for word in values} - {0}) or [0]
    few = len(values) < 2 * FEWEST_SPEEDS
    return Reading(
        kind=Kind.SPEED,
        start=start,
        end=end,
        confidence=rounded(confidence * len(values) / (len(values) + 1)),
        says=f"a speed, {_words_of(number)}: {sizes[0]} to {sizes[-1]} seen",
        evidence=f"{len(values)} different values" + (f", {rest} at rest" if rest else ""),
        advice=ASK_ALL_SPEEDS if few or others else "",
        alternatives=tuple(others),
        number=number,
        slowest=sizes[0],
        fastest=sizes[-1],
    )


def _encoding(
    frames: Frames, start: int, end: int, rest: str | None, *, is_alone: bool
) -> tuple[Number, float, list[Alternative]]:
    values = list(_words(frames, start, end))
    little = _little_endian(frames, start, end)
    is_little = little > 0.5  # noqa: PLR2004 - likelier than not
    order = 1.0 if end - start <= 2 else max(little, 1 - little)  # noqa: PLR2004 - one byte has no order
    signed = _with_sign(frames, (start, end), rest, is_little=is_little) if is_alone and not (end - start) % 2 else None
    if signed is not None:
        at_rest = Number(Encoding.BINARY, is_little).field(end - start).speed_of(rest) if rest is not None else 0
        others = [Alternative("a number without a sign", 0.1), *_two_numbers(start, end, little)]
        return Number(signed, is_little, at_rest), 0.9 * order, others
    known = REST_ELSEWHERE if rest is not None and int(rest, 16) else 1.0
    if any(digit in "abcdef" for word in values for digit in word):
        return Number(Encoding.BINARY, is_little), min(0.95, order) * known, _two_numbers(start, end, little)
    # Each digit but the first would be above nine in six of sixteen numbers, if they were binary.
    lower = len({word[1:] for word in values if len(word) > 1}) or len(values) / 2
    binary = DECIMAL_SHARE**lower
    confidence = 1 / (1 + binary)
    others = [Alternative("a binary number", round(1 - confidence, 2))] if confidence < BEYOND_DOUBT else []
    return Number(Encoding.BCD), confidence * known, others


def _two_numbers(start: int, end: int, little: float) -> list[Alternative]:
    """Bytes that change equally often may be numbers of their own: a frame for two axes."""
    is_undecided = end - start == 4 and UNDECIDED[0] < little < UNDECIDED[1]  # noqa: PLR2004 - two bytes
    return [Alternative("two numbers of one byte each, such as two axes", 0.5)] if is_undecided else []


def _with_sign(frames: Frames, place: tuple[int, int], rest: str | None, *, is_little: bool) -> Encoding | None:
    """How a number says the direction itself, as far as its first digits tell; `rest` is what it is at rest."""
    if rest is None:
        return None
    if int(rest, 16):
        return Encoding.OFFSET if _high_first(rest, is_little=is_little)[0] in "78" else None
    words = _words(frames, *place)
    firsts = {int(_high_first(word, is_little=is_little)[0], 16) for word in words if int(word, 16)}
    if firsts & {0xE, 0xF} and firsts & {0, 1}:  # both sides of 0, in two's complement
        return Encoding.SIGNED
    is_smooth = _way(frames, place, Number(Encoding.MAGNITUDE, is_little)) < SMOOTHER * _way(
        frames, place, Number(Encoding.BINARY, is_little)
    )
    return Encoding.MAGNITUDE if is_smooth and firsts & set(range(8, 16)) else None


def _way(frames: Frames, place: tuple[int, int], number: Number) -> int:
    """How far the number goes, all in all: a stick goes no further than it must."""
    field = number.field(place[1] - place[0])
    values = [[field.speed_of(one[slice(*place)]) for one in take] for take in frames.all]
    return sum(abs(one - other) for take in values for one, other in pairwise(take))


def _high_first(word: str, *, is_little: bool) -> str:
    return bytes.fromhex(word)[::-1].hex() if is_little else word


def _little_endian(frames: Frames, start: int, end: int) -> float:
    """How likely the low byte stands first: a stick moves on by little, so the high byte changes less often."""
    if (end - start) % 2 or end - start < 4:  # noqa: PLR2004 - two bytes have an order
        return 0.0
    first, last = (_changes(frames, start, start + 2), _changes(frames, end - 2, end))
    return (first + 0.5) / (first + last + 1)


def _changes(frames: Frames, start: int, end: int) -> int:
    return sum(one[start:end] != other[start:end] for take in frames.all for one, other in pairwise(take))


def size_of(word: str, number: Number) -> int:
    """The size of a speed without its sign, as its digits say."""
    try:
        return abs(number.field(len(word)).speed_of(word))
    except ValueError:
        return 0  # no decimal digits


def _words_of(number: Number) -> str:
    names = {
        Encoding.BCD: "decimal digits, one a half byte (BCD)",
        Encoding.BINARY: "a binary number",
        Encoding.SIGNED: "a binary number with a sign (two's complement)",
        Encoding.OFFSET: f"a binary number that rests in its middle ({MIDDLE:x}0...)",
        Encoding.MAGNITUDE: "a binary number whose first bit is its sign",
    }
    return names[number.encoding] + (", low byte first" if number.is_little_endian else "")
