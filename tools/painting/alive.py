"""The living things in the room: a cat and a plant."""

from __future__ import annotations

import math

from belvedere.sim.plan import FLOOR_M
from tools.painting import palette as p
from tools.painting.canvas import Canvas, ellipse, mixed

FUR = (74, 60, 56)
SLITS = (10, 16, 22, 28)  # of the 32 steps along a leaf's edge


def paint_cat() -> Canvas:
    """A cat that sits on the sill and looks at the lake."""
    canvas = Canvas((0.18, -0.9, 0.95, 0.12), 300, FUR, is_cut_out=True)
    x, y = 0.52, -0.47
    turns = [math.pi * step / 14 for step in range(15)]
    tail = [(x + 0.10 + 0.14 * math.sin(turn), y + 0.03 - 0.16 * (1 - math.cos(turn))) for turn in turns]
    tail += [(x + 0.10 + 0.03 * math.sin(turn), tail[-1][1] - 0.035 * (1 - math.cos(turn))) for turn in turns[1:12]]
    canvas.line(tail, FUR, 0.045)
    body = ellipse((x - 0.15, y, x + 0.16, y + 0.36))
    canvas.polygon(body, FUR)
    canvas.polygon([(x - 0.15, y), (x + 0.17, y), (x + 0.16, y + 0.14), (x - 0.14, y + 0.14)], FUR)
    canvas.ellipse((x - 0.105, y + 0.28, x + 0.095, y + 0.475), FUR)
    for side in (-1, 1):
        ear = x - 0.005 + side * 0.062
        canvas.polygon([(ear - 0.04, y + 0.42), (ear + 0.04, y + 0.42), (ear + side * 0.018, y + 0.535)], FUR)
    canvas.soft(
        [[(x - 0.16, y), (x - 0.09, y), (x - 0.07, y + 0.4), (x - 0.12, y + 0.5)]], (255, 196, 120), 0.75, 0.014
    )
    canvas.soft([ellipse((x + 0.0, y, x + 0.2, y + 0.3))], (24, 16, 18), 0.5, 0.05)
    return canvas


def paint_tall_plant() -> Canvas:
    """A monstera in a basket."""
    canvas = Canvas((-3.3, FLOOR_M, -1.05, 0.85), 320, p.LEAF_DARK, is_cut_out=True)
    x, y = -2.22, -0.78
    leaves = (
        (-0.04, 1.32, 0.44, 92),
        (-0.66, 0.30, 0.40, 176),
        (0.74, 0.20, 0.36, 4),
        (-0.70, 0.74, 0.46, 150),
        (0.66, 0.62, 0.46, 28),
        (-0.36, 1.10, 0.46, 120),
        (0.36, 1.08, 0.46, 60),
        (-0.14, 0.82, 0.44, 104),
        (0.26, 0.62, 0.42, 52),
        (-0.36, 0.46, 0.42, 146),
        (0.02, 0.40, 0.36, 84),
    )
    for dx, dy, _, _ in leaves:
        canvas.line([(x, y), (x + dx * 0.35, y + dy * 0.6), (x + dx, y + dy)], (86, 118, 70), 0.016)
    for number, (dx, dy, size, turn) in enumerate(leaves):
        _monstera_leaf(
            canvas,
            (x + dx, y + dy),
            size,
            math.radians(turn),
            (p.LEAF_DARK, p.LEAF, mixed(p.LEAF, p.LEAF_LIGHT, 0.5))[number % 3],
        )
    canvas.polygon(
        [(x - 0.25, FLOOR_M), (x + 0.25, FLOOR_M), (x + 0.31, y + 0.04), (x - 0.31, y + 0.04)], (190, 150, 100)
    )
    for row in range(7):
        for column in range(10):
            wide = 0.25 + 0.06 * row / 7
            cx, cy = x - wide + wide * 2 * (column + (row % 2) / 2) / 10, FLOOR_M + 0.02 + 0.062 * row
            canvas.tint(
                ellipse((cx, cy, cx + 0.055, cy + 0.045), 12),
                p.OAK_DARK if (row + column) % 2 else (226, 190, 138),
                0.55,
            )
    canvas.soft([[(x + 0.08, FLOOR_M), (x + 0.3, FLOOR_M), (x + 0.34, y), (x + 0.16, y)]], p.SHADOW, 0.5, 0.06)
    return canvas


def _monstera_leaf(
    canvas: Canvas, tip: tuple[float, float], size: float, turn: float, colour: tuple[int, int, int]
) -> None:
    """A heart with slits; `turn` is the direction in which it points."""
    cos, sin = math.cos(turn), math.sin(turn)

    def placed(along: float, across: float) -> tuple[float, float]:
        return tip[0] + size * (along * cos - across * sin), tip[1] + size * (along * sin + across * cos)

    for side, shade in ((1, 0.0), (-1, 0.22)):
        edge = [placed(-0.32, 0.0)]
        for step in range(33):
            turned = math.pi * step / 32
            along, across = -0.42 * math.cos(turned) + 0.18, 0.46 * math.sin(turned) ** 0.75 * (1.12 - 0.35 * step / 32)
            slit = 0.50 if step in SLITS else 1.0
            edge.append(placed(along, side * across * slit))
        canvas.polygon([*edge, placed(0.62, 0.0)], mixed(colour, (20, 40, 34), shade))
    canvas.line([placed(-0.32, 0), placed(0.58, 0)], mixed(colour, (220, 226, 150), 0.45), 0.009)
    for step in range(4):
        for side in (-1, 1):
            start = -0.15 + 0.18 * step
            canvas.line(
                [placed(start, 0), placed(start + 0.12, side * 0.3)], mixed(colour, (220, 226, 150), 0.28), 0.005
            )
