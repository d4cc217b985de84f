"""Finds the checksum at the end of frames: sums, XORs and CRCs, and the bytes that they cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from belvedere.head.checks import FORMULAS, Check, Order
from belvedere.lab.inference.results import FieldKind, FrameField, round_confidence

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_FRAMES = 4  # distinct frames: with fewer, too many formulas fit by chance
MAX_START = 4  # longest header that a checksum may leave out, in bytes
TRIES_BITS = 8  # log2 of the formulas tried at each position: a fit must be better than the best of so many by chance
SIZES = (2, 1)  # bytes; the longer first, because the last byte of a 16-bit checksum may fit an 8-bit one
CHECKSUMS = {
    size: tuple(
        Check(formula=name, order=order)
        for name, formula in FORMULAS.items()
        if formula.size == size
        for order in (Order if size > 1 else (Order.HIGH_FIRST,))
    )
    for size in SIZES
}


def find_checksum(values: Sequence[bytes]) -> FrameField | None:
    """The checksum at the end of frames of one length, if there is one; `values` may repeat."""
    frames = sorted(set(values))
    if len(frames) < MIN_FRAMES:
        return None
    length = len(frames[0])
    for size, checksums in CHECKSUMS.items():
        end = length - size
        if end < 1 or len({frame[end:] for frame in frames}) < MIN_FRAMES / 2:
            continue
        for start in range(min(MAX_START, end - 1) + 1):
            for checksum in checksums:
                if all(checksum.of(one[start:end]) == one[end:] for one in frames):
                    return _frame_field(structs.replace(checksum, first_byte=start), end, frames)
    return None


def _frame_field(checksum: Check, end: int, frames: Sequence[bytes]) -> FrameField:
    start = checksum.first_byte
    inputs = len({frame[start:end] for frame in frames})
    surplus_bits = 8 * checksum.size * (inputs - 1) - TRIES_BITS
    order = f", {checksum.order.replace('-', ' byte ')}" if checksum.size > 1 else ""
    return FrameField(
        kind=FieldKind.CHECKSUM,
        start=2 * end,
        end=2 * (end + checksum.size),
        confidence=round_confidence(1 - 2.0 ** -max(0, surplus_bits) if surplus_bits > 0 else 0.3),
        description=f"a checksum of bytes {start} to {end - 1}: {checksum.formula}{order}",
        evidence=f"fits all {len(frames)} different frames",
        checksum=checksum,
    )
