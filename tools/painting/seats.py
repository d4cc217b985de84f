"""The seats: sofa, armchair, bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.sim.plan import FLOOR_M
from tools.painting import palette as p
from tools.painting.canvas import Canvas, ellipse, mixed

if TYPE_CHECKING:
    from tools.painting.canvas import Colour, Point

SOFA = (72, 112, 118)


def paint_sofa() -> Canvas:
    """A three-seater with cushions and a blanket."""
    canvas = Canvas((-1.6, FLOOR_M, 1.3, -0.05), 340, SOFA, is_cut_out=True)
    left, right = -1.45, 1.15
    for x in (left + 0.14, right - 0.2):
        canvas.polygon(
            [(x, FLOOR_M), (x + 0.04, FLOOR_M), (x + 0.06, FLOOR_M + 0.14), (x - 0.02, FLOOR_M + 0.14)], p.WALNUT
        )
    canvas.rectangle((left + 0.08, -0.85, right - 0.08, -0.30), mixed(SOFA, p.INK, 0.12), radius_m=0.09)
    canvas.fade((left + 0.1, -0.8, right - 0.1, -0.42), (16, 30, 36), (0.45, 0.0))
    canvas.rectangle((left + 0.15, -0.95, right - 0.15, -0.5), mixed(SOFA, p.INK, 0.45))
    third = (right - left - 0.44) / 3
    for seat in range(3):
        x = left + 0.22 + third * seat
        canvas.rectangle((x + 0.01, -0.76, x + third - 0.01, -0.32), mixed(SOFA, p.WHITE, 0.06), radius_m=0.07)
        canvas.soft(
            [[(x + 0.05, -0.75), (x + third - 0.05, -0.75), (x + third - 0.05, -0.66), (x + 0.05, -0.66)]],
            (14, 28, 34),
            0.6,
            0.05,
        )
        canvas.soft([ellipse((x + 0.08, -0.46, x + third - 0.08, -0.34))], (220, 236, 226), 0.22, 0.04)
        canvas.rectangle((x + 0.005, -0.92, x + third - 0.005, -0.72), mixed(SOFA, p.WHITE, 0.14), radius_m=0.05)
        canvas.fade((x + 0.02, -0.92, x + third - 0.02, -0.82), (14, 28, 34), (0.45, 0.0))
    canvas.rectangle((left + 0.06, FLOOR_M + 0.12, right - 0.06, -0.89), SOFA, radius_m=0.03)
    canvas.fade((left + 0.06, FLOOR_M + 0.12, right - 0.06, -0.89), (10, 22, 28), (0.5, 0.25))
    for x0, x1 in ((left, left + 0.25), (right - 0.25, right)):
        canvas.rectangle((x0, FLOOR_M + 0.12, x1, -0.56), SOFA, radius_m=0.09)
        canvas.fade((x0 + 0.03, FLOOR_M + 0.14, x1 - 0.03, -0.64), (10, 22, 28), (0.5, 0.05))
        canvas.soft([ellipse((x0 + 0.03, -0.67, x1 - 0.03, -0.58))], (220, 236, 226), 0.35, 0.025)
    _cushion(canvas, (left + 0.26, -0.74), 0.42, 0.36, p.MUSTARD)
    _cushion(canvas, (left + 0.58, -0.75), 0.36, 0.30, (226, 200, 164))
    _cushion(canvas, (right - 0.70, -0.74), 0.42, 0.36, p.BRICK)
    _blanket(canvas, right - 0.28)
    return canvas


def _blanket(canvas: Canvas, x: float) -> None:
    """A blanket over the arm."""
    canvas.polygon(
        [
            (x - 0.02, -0.58),
            (x + 0.02, -0.54),
            (x + 0.27, -0.54),
            (x + 0.31, -0.60),
            (x + 0.32, -0.98),
            (x - 0.02, -1.0),
        ],
        (232, 214, 186),
    )
    for row, colour in enumerate((p.BRICK, p.MUSTARD, p.TEAL)):
        canvas.tint(
            [
                (x - 0.02, -0.70 - 0.1 * row),
                (x + 0.31, -0.69 - 0.1 * row),
                (x + 0.31, -0.725 - 0.1 * row),
                (x - 0.02, -0.735 - 0.1 * row),
            ],
            colour,
            0.9,
        )
    canvas.soft([[(x + 0.20, -1.0), (x + 0.33, -1.0), (x + 0.33, -0.6), (x + 0.24, -0.6)]], p.SHADOW, 0.35, 0.04)
    for fringe in range(14):
        canvas.line([(x - 0.01 + 0.025 * fringe, -0.985), (x - 0.012 + 0.025 * fringe, -1.03)], (232, 214, 186), 0.008)


def paint_armchair() -> Canvas:
    """A reading chair and its lamp beside the bookshelf."""
    canvas = Canvas((0.65, FLOOR_M, 2.5, 0.85), 360, p.BRICK, is_cut_out=True)
    colour = (190, 108, 74)
    canvas.line([(2.16, FLOOR_M + 0.02), (2.16, 0.5), (2.02, 0.66), (1.80, 0.62)], p.INK, 0.026)
    canvas.ellipse((2.00, FLOOR_M, 2.32, FLOOR_M + 0.05), p.INK)
    canvas.polygon([(1.62, 0.42), (1.94, 0.50), (1.86, 0.68), (1.74, 0.65)], p.TEAL_DARK)
    canvas.polygon([(1.62, 0.42), (1.94, 0.50), (1.93, 0.53), (1.615, 0.45)], (255, 236, 180))
    for x in (0.98, 1.72):
        canvas.polygon(
            [(x, FLOOR_M), (x + 0.04, FLOOR_M), (x + 0.06, FLOOR_M + 0.2), (x - 0.02, FLOOR_M + 0.2)], p.WALNUT
        )
    canvas.polygon(
        [(0.98, -0.80), (1.74, -0.80), (1.84, -0.10), (1.72, 0.10), (1.36, 0.16), (1.00, 0.10), (0.88, -0.10)],
        mixed(colour, p.INK, 0.08),
    )
    canvas.soft([[(1.0, -0.8), (1.72, -0.8), (1.72, -0.5), (1.0, -0.5)]], (50, 20, 12), 0.5, 0.08)
    for column in range(4):
        for row in range(3):
            cx, cy = 1.09 + 0.18 * column, -0.38 + 0.17 * row
            canvas.soft([ellipse((cx - 0.02, cy - 0.02, cx + 0.02, cy + 0.02))], (70, 26, 16), 0.8, 0.012)
    canvas.rectangle((0.96, -0.86, 1.76, -0.66), mixed(colour, p.WHITE, 0.12), radius_m=0.06)
    canvas.rectangle((0.90, FLOOR_M + 0.17, 1.82, -0.82), colour, radius_m=0.04)
    canvas.fade((0.92, FLOOR_M + 0.17, 1.80, -0.82), (50, 20, 12), (0.5, 0.2))
    for x0, x1 in ((0.76, 1.0), (1.72, 1.96)):
        canvas.rectangle((x0, FLOOR_M + 0.17, x1, -0.52), colour, radius_m=0.10)
        canvas.fade((x0 + 0.03, FLOOR_M + 0.19, x1 - 0.03, -0.60), (50, 20, 12), (0.5, 0.05))
        canvas.soft([ellipse((x0 + 0.03, -0.62, x1 - 0.03, -0.54))], (255, 226, 190), 0.45, 0.025)
    canvas.glow((1.6, -0.1), (0.5, 0.7), p.LAMPLIGHT, 0.35)
    _cushion(canvas, (1.14, -0.68), 0.40, 0.32, p.TEAL)
    return canvas


def paint_bench() -> Canvas:
    """A low bench below the window with cushions."""
    canvas = Canvas((-1.75, FLOOR_M, 1.0, -0.42), 270, p.OAK_DARK, is_cut_out=True)
    left, right, seat = -1.6, 0.82, -0.80
    for x in (left + 0.1, right - 0.16):
        canvas.rectangle((x, FLOOR_M, x + 0.06, seat - 0.1), p.OAK_DARK)
    canvas.rectangle((left, seat - 0.13, right, seat - 0.03), p.OAK, radius_m=0.01)
    canvas.fade((left, seat - 0.13, right, seat - 0.03), p.SHADOW, (0.5, 0.1))
    canvas.rectangle((left + 0.02, seat - 0.05, right - 0.02, seat + 0.05), (222, 200, 164), radius_m=0.04)
    canvas.fade((left + 0.05, seat - 0.04, right - 0.05, seat + 0.01), p.SHADOW, (0.4, 0.0))
    for x, width, height, colour in (
        (-1.52, 0.44, 0.34, p.TEAL),
        (-1.18, 0.40, 0.28, p.MUSTARD),
        (-0.90, 0.36, 0.25, p.BRICK),
    ):
        _cushion(canvas, (x, seat + 0.02), width, height, colour)
    return canvas


def _cushion(canvas: Canvas, corner: Point, width: float, height: float, colour: Colour) -> None:
    """A plump cushion that stands on its edge."""
    x, y = corner
    ear, bulge = 0.03, 0.02
    shape = [
        (x - ear, y),
        (x + width / 2, y + bulge * 0.3),
        (x + width + ear, y),
        (x + width - 0.01, y + height / 2),
        (x + width + ear, y + height + ear),
        (x + width / 2, y + height + bulge * 0.4),
        (x - ear, y + height + ear),
        (x + 0.01, y + height / 2),
    ]
    canvas.polygon(shape, colour)
    canvas.ellipse((x - 0.005, y + 0.01, x + width + 0.005, y + height + 0.005), colour)
    canvas.soft([[(x, y), (x + width, y), (x + width, y + height * 0.35), (x, y + height * 0.18)]], p.SHADOW, 0.4, 0.04)
    canvas.soft(
        [ellipse((x + width * 0.2, y + height * 0.5, x + width * 0.75, y + height * 0.95))], (255, 236, 200), 0.25, 0.05
    )
    for step in range(1, 4):
        canvas.tint(
            [
                (x + width * step / 4 - 0.008, y + 0.03),
                (x + width * step / 4 + 0.008, y + 0.03),
                (x + width * step / 4 + 0.008, y + height),
                (x + width * step / 4 - 0.008, y + height),
            ],
            mixed(colour, p.WHITE, 0.6),
            0.5,
        )
