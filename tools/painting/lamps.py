"""The floor lamp, and the console with its lamp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.sim.plan import FLOOR_M
from tools.painting import palette as p
from tools.painting.canvas import Canvas, mixed

if TYPE_CHECKING:
    from tools.painting.canvas import Point


def paint_floor_lamp() -> Canvas:
    """A lamp on a tripod, lit."""
    canvas = Canvas((1.7, FLOOR_M, 2.75, 0.72), 320, p.OAK_DARK, is_cut_out=True)
    x = 2.22
    for foot in (-0.30, 0.05, 0.32):
        canvas.line([(x, 0.16), (x + foot, FLOOR_M + 0.01)], p.OAK, 0.036)
        canvas.line([(x + 0.006, 0.16), (x + foot + 0.008, FLOOR_M + 0.01)], p.OAK_DARK, 0.010)
    canvas.rectangle((x - 0.035, 0.10, x + 0.035, 0.24), p.BRASS, radius_m=0.01)
    _shade(canvas, (x, 0.20), 0.30, 0.20, 0.40)
    return canvas


def _shade(canvas: Canvas, foot: Point, low: float, high: float, height: float) -> None:
    x, y = foot
    shade = [(x - low, y), (x + low, y), (x + high, y + height), (x - high, y + height)]
    canvas.polygon(shade, (255, 224, 160))
    canvas.fade((x - low, y, x + low, y + height), (222, 152, 80), (0.0, 0.6))
    canvas.glow((x, y + height * 0.2), (low, height * 0.7), (255, 248, 220), 0.95)
    canvas.line(shade[:2], (206, 146, 84), 0.014)
    canvas.line(shade[2:], (206, 146, 84), 0.014)


def paint_console() -> Canvas:
    """A narrow table below the mirror with a bowl, keys' home, and a lamp."""
    canvas = Canvas((1.05, FLOOR_M, 2.5, 0.30), 340, p.OAK_DARK, is_cut_out=True)
    left, right, top = 1.15, 2.38, -0.36
    for x in (left + 0.03, right - 0.08):
        canvas.rectangle((x, FLOOR_M, x + 0.05, top - 0.05), p.OAK_DARK)
    canvas.rectangle((left, top - 0.17, right, top - 0.02), p.OAK)
    canvas.fade((left, top - 0.17, right, top - 0.02), p.SHADOW, (0.4, 0.05))
    for x in (left + 0.31, right - 0.31):
        canvas.ellipse((x - 0.018, top - 0.11, x + 0.018, top - 0.074), p.BRASS)
    canvas.rectangle((left - 0.03, top - 0.035, right + 0.03, top), mixed(p.OAK, p.WHITE, 0.15), radius_m=0.008)
    canvas.polygon([(1.30, top + 0.10), (1.62, top + 0.10), (1.53, top), (1.39, top)], p.TEAL)
    for x, colour in ((1.38, p.MUSTARD), (1.46, (206, 92, 60)), (1.54, (222, 150, 60))):
        canvas.ellipse((x - 0.05, top + 0.07, x + 0.05, top + 0.17), colour)
    canvas.polygon(
        [(1.30, top + 0.10), (1.62, top + 0.10), (1.60, top + 0.07), (1.32, top + 0.07)], mixed(p.TEAL, p.WHITE, 0.15)
    )
    canvas.rectangle((2.04, top, 2.16, top + 0.16), p.BRASS, radius_m=0.03)
    _shade(canvas, (2.10, top + 0.16), 0.17, 0.11, 0.24)
    canvas.rectangle((left + 0.05, FLOOR_M + 0.16, right - 0.05, FLOOR_M + 0.20), p.OAK)
    canvas.rectangle((1.35, FLOOR_M + 0.20, 1.85, FLOOR_M + 0.46), (202, 164, 112), radius_m=0.03)
    for row in range(4):
        canvas.tint(
            [
                (1.36, FLOOR_M + 0.24 + 0.055 * row),
                (1.84, FLOOR_M + 0.24 + 0.055 * row),
                (1.84, FLOOR_M + 0.255 + 0.055 * row),
                (1.36, FLOOR_M + 0.255 + 0.055 * row),
            ],
            p.OAK_DARK,
            0.6,
        )
    return canvas
