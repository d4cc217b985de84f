"""Velocities to frames and back: the bytes that a unit takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.errors import FrameError

if TYPE_CHECKING:
    from belvedere.head.layout import FrameLayout


def pack(layout: FrameLayout, velocity: float) -> bytes:
    """The frame for a velocity, a share of full speed in [-1, 1]; positive is right or up.

    What rounds to less than the slowest speed is a stop. Raises FrameError for anything outside the range, NaN too.
    """
    if not -1 <= velocity <= 1:  # false for NaN as well
        raise FrameError(f"velocity {velocity} is not in [-1, 1]")
    speed = round(abs(velocity) * layout.speed.fastest)
    if speed < layout.speed.slowest:
        return stop_frame(layout)
    return bytes.fromhex(layout.digits("positive" if velocity > 0 else "negative", speed))


def stop_frame(layout: FrameLayout) -> bytes:
    """The frame that ends all motion: no direction, speed 0."""
    return bytes.fromhex(layout.digits("none", 0))


def unpack(layout: FrameLayout, frame: bytes) -> float:
    """The velocity that a frame asks for, in [-1, 1]; no direction is rest whatever the speed says.

    Raises FrameError for bytes that the layout does not allow.
    """
    direction, digits = _fields(layout, frame.hex())
    words = layout.direction
    signs = {words.none.lower(): 0, words.positive.lower(): 1, words.negative.lower(): -1}
    if direction not in signs:
        raise FrameError(f"direction {direction} is none of {', '.join(signs)}")
    try:
        speed = int(digits, layout.speed.radix)
    except ValueError as error:
        raise FrameError(f"speed {digits} is not a number of {layout.speed.encoding} digits") from error
    if speed > layout.speed.fastest:
        raise FrameError(f"speed {speed} is above the fastest, {layout.speed.fastest}")
    return signs[direction] * speed / layout.speed.fastest


def _fields(layout: FrameLayout, digits: str) -> tuple[str, str]:
    """Cut the direction's and the speed's digits out of a frame, checking the constant ones."""
    expected = layout.digits("none", 0)
    if len(digits) != len(expected):
        raise FrameError(f"a frame has {len(expected) // 2} bytes, not {len(digits) // 2}")
    head, middle, _tail = layout.constants
    widths = [len(layout.direction.none), layout.speed.digits]
    if not layout.is_direction_first:
        widths.reverse()
    first = slice(len(head), len(head) + widths[0])
    second = slice(first.stop + len(middle), first.stop + len(middle) + widths[1])
    rest = digits[: first.start], digits[first.stop : second.start], digits[second.stop :]
    if rest != layout.constants:
        raise FrameError(f"{digits} does not follow the template {layout.template}")
    fields = digits[first], digits[second]
    return fields if layout.is_direction_first else (fields[1], fields[0])
