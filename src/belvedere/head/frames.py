"""Velocities to frames and back: the bytes that a unit takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.errors import FrameError
from belvedere.head.layout import DIRECTION, SPEED

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
    return layout.frame(1 if velocity > 0 else -1, speed)


def stop_frame(layout: FrameLayout) -> bytes:
    """The frame that ends all motion: no direction, speed 0."""
    return layout.frame(0, 0)


def unpack(layout: FrameLayout, frame: bytes) -> float:
    """The velocity that a frame asks for, in [-1, 1]; no direction is rest whatever the speed says.

    Raises FrameError for bytes that the layout does not allow.
    """
    try:
        fields = layout.fields(frame)
    except ValueError as error:
        raise FrameError(str(error)) from error
    if fields is None:
        raise FrameError(f"{frame.hex()} does not follow the template {layout.template}, or its check is another")
    sign = _sign(layout, fields.get(DIRECTION))
    try:
        speed = layout.speed.speed_of(fields[SPEED])
    except ValueError as error:
        raise FrameError(f"speed {fields[SPEED]} is not a number of {layout.speed.encoding} digits") from error
    if abs(speed) > layout.speed.fastest:
        raise FrameError(f"speed {speed} is above the fastest, {layout.speed.fastest}")
    return sign * speed / layout.speed.fastest


def _sign(layout: FrameLayout, word: str | None) -> int:
    """What a direction's word makes of a speed; 1 where the speed has its own sign."""
    if layout.direction is None or word is None:
        return 1
    sign = layout.direction.sign_of(word)
    if sign is None:
        raise FrameError(f"direction {word} is none of {', '.join(layout.direction.words)}")
    return sign
