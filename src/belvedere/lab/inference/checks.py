"""Finds digits that check the others: sums, exclusive ors and cyclic redundancy checks, over which bytes."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Literal, NamedTuple

from belvedere.lab.inference.crc import CRCS, NamedCrc, remainder
from belvedere.lab.inference.readings import Kind, Reading, rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BYTE = 8  # bits
FEWEST_FRAMES = 4  # different ones: below that too many formulas fit by chance
LATEST_START = 4  # headers that a check leaves out are no longer than this
TRIES_BITS = 8  # about so many formulas are tried for each place: a fit must be better than the best of those by chance


class Formula(NamedTuple):
    """A way of checking `data`; `size` bytes come of it."""

    name: str
    size: int
    value: Callable[[bytes], bytes]


def _byte(value: int) -> bytes:
    return (value & 0xFF).to_bytes(1, "big")


def _formulas() -> Iterator[Formula]:
    yield Formula("sum", 1, lambda data: _byte(sum(data)))
    yield Formula("negated sum", 1, lambda data: _byte(-sum(data)))
    yield Formula("inverted sum", 1, lambda data: _byte(~sum(data)))
    yield Formula("exclusive or", 1, lambda data: _byte(reduce(lambda one, other: one ^ other, data, 0)))
    yield Formula("sum, high byte first", 2, lambda data: (sum(data) & 0xFFFF).to_bytes(2, "big"))
    yield Formula("sum, low byte first", 2, lambda data: (sum(data) & 0xFFFF).to_bytes(2, "little"))
    for crc in CRCS:
        yield _crc(crc, "big", "" if crc.polynomial.bits == BYTE else ", high byte first")
        if crc.polynomial.bits > BYTE:
            yield _crc(crc, "little", ", low byte first")


def _crc(crc: NamedCrc, order: Literal["big", "little"], words: str) -> Formula:
    size = crc.polynomial.bits // BYTE

    def value(data: bytes) -> bytes:
        return (remainder(crc.polynomial, crc.start, data) ^ crc.end).to_bytes(size, order)

    return Formula(crc.name + words, size, value)


FORMULAS = tuple(_formulas())


def check_of(values: Sequence[bytes]) -> Reading | None:
    """The check at the end of frames of one length, if there is one; `values` may repeat."""
    frames = sorted(set(values))
    if len(frames) < FEWEST_FRAMES:
        return None
    length = len(frames[0])
    for size in (2, 1):
        end = length - size
        if end < 1 or len({frame[end:] for frame in frames}) < FEWEST_FRAMES / 2:
            continue
        for start in range(min(LATEST_START, end - 1) + 1):
            for formula in FORMULAS:
                if formula.size == size and all(formula.value(one[start:end]) == one[end:] for one in frames):
                    return _reading(formula, start, end, frames)
    return None


def _reading(formula: Formula, start: int, end: int, frames: Sequence[bytes]) -> Reading:
    inputs = len({frame[start:end] for frame in frames})
    surplus_bits = 8 * formula.size * (inputs - 1) - TRIES_BITS
    return Reading(
        kind=Kind.CHECK,
        start=2 * end,
        end=2 * (end + formula.size),
        confidence=rounded(1 - 2.0 ** -max(0, surplus_bits) if surplus_bits > 0 else 0.3),
        says=f"checks bytes {start} to {end - 1}: {formula.name}",
        evidence=f"fits all {len(frames)} different frames",
    )
