"""The checksums that a frame may contain, by the names used in profiles."""

from __future__ import annotations

import enum
from functools import partial, reduce
from operator import xor
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec

from belvedere.head.crc import CRCS, checked

if TYPE_CHECKING:
    from collections.abc import Callable


class Order(enum.StrEnum):
    """The byte order of a number."""

    HIGH_FIRST = "high-first"
    LOW_FIRST = "low-first"

    def arranged(self, data: bytes) -> bytes:
        """Convert bytes between "highest first" and this order; the conversion is its own inverse."""
        return data if self is Order.HIGH_FIRST else data[::-1]


class Formula(NamedTuple):
    """A checksum's name, its size in bytes, and the function that computes it."""

    name: str
    size: int
    value: Callable[[bytes], int]


FORMULAS = {
    formula.name: formula
    for formula in (
        Formula("sum", 1, lambda data: sum(data) & 0xFF),
        Formula("negated-sum", 1, lambda data: -sum(data) & 0xFF),
        Formula("inverted-sum", 1, lambda data: ~sum(data) & 0xFF),
        Formula("xor", 1, lambda data: reduce(xor, data, 0)),
        Formula("sum-16", 2, lambda data: sum(data) & 0xFFFF),
        *(Formula(crc.name, crc.polynomial.bits // 8, partial(checked, crc)) for crc in CRCS),
    )
}


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a frame's `{check}` is computed: over the bytes from `first_byte` (0 is the first) up to the check itself."""

    formula: str
    order: Order = Order.HIGH_FIRST
    first_byte: Annotated[int, msgspec.Meta(ge=0, le=32)] = 0

    def __post_init__(self) -> None:
        if self.formula not in FORMULAS:
            raise ValueError(f"unknown formula {self.formula}: use one of {', '.join(FORMULAS)}")

    @property
    def size(self) -> int:
        """The size of the check in bytes."""
        return FORMULAS[self.formula].size

    def of(self, data: bytes) -> bytes:
        """The check's bytes for `data`, all bytes of the frame before the check."""
        formula = FORMULAS[self.formula]
        return self.order.arranged(formula.value(data[self.first_byte :]).to_bytes(formula.size, "big"))
