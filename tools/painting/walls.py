"""The side walls: pictures above the sofa, and the place of the bookshelf."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from belvedere.sim.plan import FLOOR_M
from tools.painting import palette as p
from tools.painting.canvas import ellipse, mixed
from tools.painting.plaster import Light, bare_wall, framed
from tools.painting.shelf import paint_bookshelf

if TYPE_CHECKING:
    from tools.painting.canvas import Box, Canvas, Colour


def paint_left_wall() -> Canvas:
    """The wall behind the sofa."""
    lamp = Light((2.35, 0.45), (1.7, 1.3), p.LAMPLIGHT, 0.5)
    day = Light((0.0, 0.5), (2.2, 1.0), p.LAMPLIGHT, 0.16)
    canvas = bare_wall(-3.3, 4.5, p.SAGE, [lamp, day])
    _sun_on_wall(canvas)
    _painting(canvas, (-1.05, 0.02, 0.75, 0.98))
    for box, colour in (((-2.15, 0.42, -1.72, 0.96), p.BRICK), ((-2.15, -0.16, -1.72, 0.34), p.TEAL)):
        _print(canvas, box, colour)
    return canvas


def paint_right_wall() -> Canvas:
    """The wall with the bookshelf."""
    canvas = bare_wall(-4.5, 3.3, p.CREAM, [Light((1.45, 0.35), (1.6, 1.2), p.LAMPLIGHT, 0.4)])
    paint_bookshelf(canvas, (-2.3, FLOOR_M, 0.35, 1.14))
    _print(canvas, (-3.25, 0.18, -2.82, 0.74), p.PLUM)
    framed(canvas, (1.9, 0.30, 2.4, 0.94), frame=p.WALNUT, mount=(246, 238, 220))
    _sailing_boat(canvas, (1.97, 0.37, 2.33, 0.87))
    return canvas


def _sun_on_wall(canvas: Canvas) -> None:
    """The window's last light, slanting."""
    for pane in range(3):
        x = -3.1 + 0.42 * pane
        canvas.soft([[(x, -0.55), (x + 0.36, -0.62), (x + 0.36, 0.34), (x, 0.44)]], (255, 206, 130), 0.42, 0.03)


def _painting(canvas: Canvas, box: Box) -> None:
    """An abstract landscape: sun, hills, a river of colour."""
    left, bottom, right, top = box
    framed(canvas, box, frame=p.OAK, mount=(242, 226, 196))
    left, bottom, right, top = left + 0.05, bottom + 0.05, right - 0.05, top - 0.05
    canvas.rectangle((left, bottom, right, top), (238, 214, 178))
    canvas.fade((left, bottom + 0.3, right, top), (214, 140, 104), (0.0, 0.55))
    middle = left + (right - left) * 0.62
    canvas.ellipse((middle - 0.17, top - 0.46, middle + 0.17, top - 0.12), (196, 74, 48))
    xs = np.linspace(left, right, 60)
    for base, height, wave, shift, colour in (
        (0.40, 0.11, 2.2, 0.3, (222, 170, 96)),
        (0.30, 0.10, 2.9, 1.7, (200, 116, 74)),
        (0.21, 0.08, 2.4, 3.9, (66, 112, 108)),
        (0.12, 0.06, 3.4, 5.0, (38, 72, 80)),
    ):
        crest = bottom + base + height * np.sin((xs - left) * wave * 1.6 + shift)
        canvas.polygon([*zip(xs.tolist(), crest.tolist(), strict=True), (right, bottom), (left, bottom)], colour)
    canvas.tint([(left, top), (right, top), (right, top - 0.02), (left, top - 0.02)], p.SHADOW, 0.3)


def _print(canvas: Canvas, box: Box, colour: Colour) -> None:
    left, bottom, right, top = box
    framed(canvas, box, frame=p.WALNUT_DARK, mount=(246, 238, 222))
    x, y = (left + right) / 2, (bottom + top) / 2
    canvas.polygon(ellipse((x - 0.09, y - 0.13, x + 0.09, y + 0.05)), colour)
    canvas.polygon(ellipse((x - 0.03, y + 0.02, x + 0.11, y + 0.16)), mixed(colour, p.MUSTARD, 0.6))


def _sailing_boat(canvas: Canvas, box: Box) -> None:
    left, bottom, right, top = box
    canvas.rectangle(box, (206, 222, 224))
    canvas.rectangle((left, bottom, right, bottom + (top - bottom) * 0.34), (84, 132, 150))
    x, y = (left + right) / 2, bottom + (top - bottom) * 0.30
    canvas.polygon([(x - 0.10, y), (x + 0.10, y), (x + 0.07, y - 0.045), (x - 0.07, y - 0.045)], p.BRICK)
    canvas.polygon([(x - 0.005, y + 0.015), (x - 0.005, y + 0.24), (x - 0.10, y + 0.03)], p.WHITE)
    canvas.polygon([(x + 0.008, y + 0.015), (x + 0.008, y + 0.21), (x + 0.09, y + 0.02)], (244, 224, 190))
