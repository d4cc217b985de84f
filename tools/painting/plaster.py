"""A bare wall in its light, and frames to hang on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from belvedere.sim.plan import CEILING_M, FLOOR_M
from tools.painting import palette as p
from tools.painting.canvas import Canvas, mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.painting.canvas import Box, Colour, Point

PX_PER_M = 260  # what the panorama shows of a wall in the middle of it


class Light(NamedTuple):
    """A patch of light; see `Canvas.glow`."""

    centre: Point
    radii: tuple[float, float]
    colour: Colour
    strength: float


def bare_wall(left: float, right: float, colour: Colour, lights: Sequence[Light]) -> Canvas:
    """Corners and the edge below the ceiling lie in shade; the skirting board is white."""
    canvas = Canvas((left, FLOOR_M, right, CEILING_M), PX_PER_M, colour)
    bottom, top = FLOOR_M, CEILING_M

    def wash(wall: Canvas) -> None:
        wall.fade((left, top - 0.9, right, top), p.SHADOW, (0.0, 0.20))
        wall.fade((left, bottom, right, bottom + 1.1), p.SHADOW, (0.20, 0.0))
        wall.fade((left, bottom, left + 1.0, top), p.SHADOW, (0.30, 0.0), is_upward=False)
        wall.fade((right - 1.0, bottom, right, top), p.SHADOW, (0.0, 0.30), is_upward=False)
        for light in lights:
            wall.glow(*light)

    canvas.wash(wash)
    canvas.rectangle((left, bottom, right, bottom + 0.12), mixed(p.WHITE, colour, 0.35))
    ledge = [(left, bottom + 0.12), (right, bottom + 0.12), (right, bottom + 0.135), (left, bottom + 0.135)]
    canvas.soft([ledge], p.SHADOW, 0.5, 0.006)
    canvas.fade((left, bottom, right, bottom + 0.12), p.SHADOW, (0.35, 0.05))
    canvas.rectangle((left, top - 0.07, right, top), mixed(p.WHITE, colour, 0.3))
    canvas.fade((left, top - 0.07, right, top), p.SHADOW, (0.05, 0.2))
    return canvas


def framed(canvas: Canvas, box: Box, *, frame: Colour, mount: Colour) -> None:
    """A picture frame on a wall with its shadow, around an empty mount."""
    left, bottom, right, top = box
    canvas.soft(
        [
            [
                (left + 0.02, bottom - 0.05),
                (right + 0.04, bottom - 0.05),
                (right + 0.04, top - 0.03),
                (left + 0.02, top - 0.03),
            ]
        ],
        p.SHADOW,
        0.5,
        0.025,
    )
    canvas.rectangle(box, frame)
    canvas.tint([(left, top), (right, top), (right, top - 0.012), (left, top - 0.012)], (255, 255, 255), 0.3)
    canvas.rectangle((left + 0.03, bottom + 0.03, right - 0.03, top - 0.03), mount)
    canvas.tint(
        [
            (left + 0.03, top - 0.03),
            (right - 0.03, top - 0.03),
            (right - 0.03, top - 0.045),
            (left + 0.03, top - 0.045),
        ],
        p.SHADOW,
        0.3,
    )
