"""Finds the checksum of frames, at their end or before a constant end: sums, XORs and CRCs, and what they cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from belvedere.head.checks import FORMULAS, Check, Order
from belvedere.lab.inference.results import FieldKind, FrameField, round_confidence

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

MIN_FRAMES = 4  # distinct frames: with fewer, too many formulas fit by chance
MIN_VALUES = 3  # of the checksum: a speed that goes with its direction may have two
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


def find_checksum(values: Collection[bytes]) -> FrameField | None:
    """The checksum of frames of one length, if there is one; `values` may repeat.

    It ends with the last byte that varies: what follows is constant, and so is no checksum.
    """
    frames = sorted(set(values))
    if len(frames) < MIN_FRAMES:
        return None
    stop = max(at for at in range(len(frames[0])) if len({frame[at] for frame in frames}) > 1) + 1
    for size, checksums in CHECKSUMS.items():
        end = stop - size
        if end < 1 or len({frame[end:stop] for frame in frames}) < MIN_VALUES:
            continue
        for start in range(min(MAX_START, end - 1) + 1):
            if len({frame[start:end] for frame in frames}) < MIN_FRAMES:
                continue
            for checksum in checksums:
                if all(checksum.of(one[start:end]) == one[end:stop] for one in frames):
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
