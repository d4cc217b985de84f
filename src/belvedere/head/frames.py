"""Encodes velocities as the frames that are written to a unit, and decodes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.errors import FrameError
from belvedere.head.layout import DIRECTION, SPEED

if TYPE_CHECKING:
    from belvedere.head.layout import FrameLayout


def pack(layout: FrameLayout, velocity: float) -> bytes:
    """The frame for a velocity, a share of full speed in [-1, 1]; positive is right or up.

    A velocity that rounds to less than the slowest speed gives the stop frame. Raises FrameError for a velocity out of
    range, including NaN.
    """
    if not -1 <= velocity <= 1:  # false for NaN as well
        raise FrameError(f"velocity {velocity} is not in [-1, 1]")
    speed = round(abs(velocity) * layout.speed.fastest)
    if speed < layout.speed.slowest:
        return stop_frame(layout)
    return layout.frame(1 if velocity > 0 else -1, speed)


def stop_frame(layout: FrameLayout) -> bytes:
    """The frame that stops the unit: the profile's `stop`, or no direction and speed 0."""
    return layout.stop_frame


def unpack(layout: FrameLayout, frame: bytes) -> float:
    """The velocity that a frame encodes, in [-1, 1]; a frame without direction is a stop, whatever its speed.

    Raises FrameError for bytes that do not match the layout.
    """
    if layout.stop is not None and frame == layout.stop_frame:
        return 0.0
    try:
        fields = layout.fields(frame)
    except ValueError as error:
        raise FrameError(str(error)) from error
    if fields is None:
        raise FrameError(f"{frame.hex()} does not match the template {layout.template}, or its check is wrong")
    sign = _sign(layout, fields.get(DIRECTION))
    try:
        speed = layout.speed.speed_of(fields[SPEED])
    except ValueError as error:
        raise FrameError(f"speed {fields[SPEED]} is not a number of {layout.speed.encoding} digits") from error
    if abs(speed) > layout.speed.fastest:
        raise FrameError(f"speed {speed} is above the fastest, {layout.speed.fastest}")
    return sign * speed / layout.speed.fastest


def _sign(layout: FrameLayout, word: str | None) -> int:
    """The factor that the direction applies to the speed: 1, 0 or -1; 1 if the speed has its own sign."""
    if layout.direction is None or word is None:
        return 1
    sign = layout.direction.sign_of(word)
    if sign is None:
        raise FrameError(f"direction {word} is none of {', '.join(layout.direction.words)}")
    return sign
