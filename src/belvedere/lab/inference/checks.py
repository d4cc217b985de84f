"""Finds digits that check the others: sums, exclusive ors and cyclic redundancy checks, over which bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from belvedere.head.checks import FORMULAS, Check, Order
from belvedere.lab.inference.readings import Kind, Reading, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST_FRAMES = 4  # different ones: below that too many formulas fit by chance
LATEST_START = 4  # headers that a check leaves out are no longer than this
TRIES_BITS = 8  # about so many formulas are tried for each place: a fit must be better than the best of those by chance
SIZES = (2, 1)  # bytes; the longer first, because its last byte may be a check by itself
CHECKS = {
    size: tuple(
        Check(formula=name, order=order)
        for name, formula in FORMULAS.items()
        if formula.size == size
        for order in (Order if size > 1 else (Order.HIGH_FIRST,))
    )
    for size in SIZES
}


def check_of(values: Sequence[bytes]) -> Reading | None:
    """The check at the end of frames of one length, if there is one; `values` may repeat."""
    frames = sorted(set(values))
    if len(frames) < FEWEST_FRAMES:
        return None
    length = len(frames[0])
    for size, checks in CHECKS.items():
        end = length - size
        if end < 1 or len({frame[end:] for frame in frames}) < FEWEST_FRAMES / 2:
            continue
        for start in range(min(LATEST_START, end - 1) + 1):
            for check in checks:
                if all(check.of(one[start:end]) == one[end:] for one in frames):
                    return _reading(structs.replace(check, first_byte=start), end, frames)
    return None


def _reading(check: Check, end: int, frames: Sequence[bytes]) -> Reading:
    start = check.first_byte
    inputs = len({frame[start:end] for frame in frames})
    surplus_bits = 8 * check.size * (inputs - 1) - TRIES_BITS
    order = f", {check.order.replace('-', ' byte ')}" if check.size > 1 else ""
    return Reading(
        kind=Kind.CHECK,
        start=2 * end,
        end=2 * (end + check.size),
        confidence=rounded(1 - 2.0 ** -max(0, surplus_bits) if surplus_bits > 0 else 0.3),
        says=f"checks bytes {start} to {end - 1}: {check.formula}{order}",
        evidence=f"fits all {len(frames)} different frames",
        check=check,
    )
