"""The sideboard with a lamp, books and flowers."""

from __future__ import annotations

import math

from belvedere.sim.plan import FLOOR_M
from tools.painting import palette as p
from tools.painting.canvas import Canvas, ellipse, mixed
from tools.painting.tableware import paint_cup


def paint_sideboard() -> Canvas:
    """A sideboard of walnut with a lamp, flowers and books."""
    canvas = Canvas((1.2, FLOOR_M, 3.6, 0.5), 290, p.WALNUT, is_cut_out=True)
    left, right, top = 1.32, 3.36, -0.46
    for x in (left + 0.12, right - 0.17):
        canvas.polygon(
            [(x, FLOOR_M), (x + 0.035, FLOOR_M), (x + 0.055, FLOOR_M + 0.2), (x - 0.005, FLOOR_M + 0.2)], p.WALNUT_DARK
        )
    canvas.rectangle((left, FLOOR_M + 0.17, right, top), p.WALNUT, radius_m=0.02)
    canvas.fade((left, FLOOR_M + 0.17, right, top), (20, 10, 6), (0.35, 0.0))
    third = (right - left - 0.06) / 3
    for column in range(3):
        x = left + 0.03 + third * column
        front = (x + 0.012, FLOOR_M + 0.20, x + third - 0.012, top - 0.05)
        canvas.rectangle(front, mixed(p.WALNUT, p.OAK, 0.28), radius_m=0.01)
        canvas.fade(front, (255, 220, 170), (0.0, 0.16))
        if column == 1:
            for drawer in (0.155, 0.31):
                canvas.rectangle((front[0], front[1] + drawer, front[2], front[1] + drawer + 0.012), p.WALNUT_DARK)
            for drawer in (0.075, 0.23, 0.39):
                canvas.rectangle(
                    (x + third / 2 - 0.06, front[1] + drawer, x + third / 2 + 0.06, front[1] + drawer + 0.018),
                    p.BRASS,
                    radius_m=0.008,
                )
        else:
            knob = x + (third - 0.08 if column == 0 else 0.08)
            canvas.ellipse((knob - 0.018, -0.80, knob + 0.018, -0.764), p.BRASS)
    canvas.rectangle((left - 0.03, top - 0.035, right + 0.03, top), mixed(p.WALNUT, p.OAK, 0.45), radius_m=0.008)
    canvas.glow((1.80, top - 0.01), (0.5, 0.04), p.LAMPLIGHT, 0.9)
    _flowers(canvas, 2.52, top)
    for step, (width, colour) in enumerate(((0.30, p.TEAL), (0.27, p.MUSTARD), (0.24, p.BRICK))):
        y = top + 0.042 * step
        canvas.rectangle((2.02 + 0.01 * step, y, 2.02 + width, y + 0.04), colour, radius_m=0.004)
        canvas.rectangle((2.02 + width - 0.012, y + 0.006, 2.02 + width - 0.002, y + 0.034), (244, 232, 206))
    paint_cup(canvas, 2.13, top + 0.126)
    _table_lamp(canvas, 1.76, top)
    return canvas


def _flowers(canvas: Canvas, x: float, y: float) -> None:
    for tip, height in ((-0.20, 0.50), (-0.10, 0.60), (0.02, 0.66), (0.13, 0.58), (0.22, 0.46)):
        canvas.line(
            [(x + tip * 0.12, y + 0.24), (x + tip * 0.6, y + 0.2 + height * 0.4), (x + tip, y + height)],
            p.LEAF_DARK,
            0.011,
        )
        for side in (-1, 1):
            mid = (x + tip * 0.6, y + 0.2 + height * 0.4)
            canvas.polygon(
                [
                    mid,
                    (mid[0] + side * 0.05, mid[1] + 0.03),
                    (mid[0] + side * 0.09, mid[1] + 0.09),
                    (mid[0] + side * 0.02, mid[1] + 0.06),
                ],
                p.LEAF,
            )
    for tip, height, colour in (
        (-0.20, 0.50, p.BRICK),
        (-0.10, 0.60, p.MUSTARD),
        (0.02, 0.66, (226, 112, 84)),
        (0.13, 0.58, (240, 206, 150)),
        (0.22, 0.46, p.PLUM),
    ):
        cx, cy = x + tip, y + height
        for petal in range(8):
            angle = math.tau * petal / 8
            px, py = cx + 0.04 * math.cos(angle), cy + 0.04 * math.sin(angle)
            canvas.ellipse((px - 0.03, py - 0.03, px + 0.03, py + 0.03), colour)
        canvas.ellipse((cx - 0.028, cy - 0.028, cx + 0.028, cy + 0.028), mixed(colour, p.INK, 0.5))
    vase = [
        (x - 0.07, y),
        (x + 0.07, y),
        (x + 0.105, y + 0.10),
        (x + 0.085, y + 0.20),
        (x + 0.05, y + 0.25),
        (x + 0.06, y + 0.29),
        (x - 0.06, y + 0.29),
        (x - 0.05, y + 0.25),
        (x - 0.085, y + 0.20),
        (x - 0.105, y + 0.10),
    ]
    canvas.polygon(vase, (226, 216, 196))
    canvas.soft([[(x - 0.11, y), (x - 0.03, y), (x - 0.045, y + 0.28), (x - 0.10, y + 0.2)]], p.SHADOW, 0.45, 0.025)
    canvas.tint(
        [(x - 0.098, y + 0.13), (x + 0.098, y + 0.13), (x + 0.103, y + 0.105), (x - 0.103, y + 0.105)], p.TEAL, 0.8
    )


def _table_lamp(canvas: Canvas, x: float, y: float) -> None:
    canvas.ellipse((x - 0.10, y - 0.01, x + 0.10, y + 0.03), p.BRASS)
    canvas.polygon(
        [
            (x - 0.05, y + 0.01),
            (x + 0.05, y + 0.01),
            (x + 0.10, y + 0.13),
            (x + 0.03, y + 0.27),
            (x - 0.03, y + 0.27),
            (x - 0.10, y + 0.13),
        ],
        p.TEAL,
    )
    canvas.soft(
        [[(x - 0.10, y + 0.05), (x - 0.04, y + 0.02), (x - 0.03, y + 0.25), (x - 0.08, y + 0.16)]],
        (10, 30, 34),
        0.5,
        0.02,
    )
    canvas.tint(ellipse((x + 0.015, y + 0.08, x + 0.055, y + 0.17)), (255, 255, 255), 0.35)
    canvas.rectangle((x - 0.012, y + 0.26, x + 0.012, y + 0.34), p.BRASS)
    shade = [(x - 0.22, y + 0.32), (x + 0.22, y + 0.32), (x + 0.14, y + 0.60), (x - 0.14, y + 0.60)]
    canvas.polygon(shade, (255, 226, 166))
    canvas.fade((x - 0.22, y + 0.32, x + 0.22, y + 0.60), (226, 160, 86), (0.0, 0.55))
    canvas.glow((x, y + 0.36), (0.22, 0.2), (255, 246, 214), 0.9)
    canvas.line(shade[:2], (206, 146, 84), 0.012)
    canvas.line(shade[2:], (206, 146, 84), 0.012)
