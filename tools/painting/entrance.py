"""The wall with the door: coats, a hat, a mirror."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.sim.plan import FLOOR_M
from tools.painting import palette as p
from tools.painting.canvas import ellipse, mixed
from tools.painting.plaster import Light, bare_wall

if TYPE_CHECKING:
    from tools.painting.canvas import Box, Canvas


def paint_back_wall() -> Canvas:
    """The wall with the door."""
    canvas = bare_wall(-4.0, 4.0, p.TERRACOTTA, [Light((2.0, 0.75), (1.5, 1.1), p.LAMPLIGHT, 0.4)])
    _door(canvas, (-0.5, FLOOR_M, 0.44, 0.88))
    _coats(canvas)
    _mirror(canvas)
    return canvas


def _door(canvas: Canvas, box: Box) -> None:
    left, bottom, right, top = box
    canvas.rectangle((left - 0.10, bottom, right + 0.10, top + 0.10), p.WHITE)
    canvas.soft(
        [[(right + 0.10, bottom), (right + 0.13, bottom), (right + 0.13, top + 0.08), (right + 0.10, top + 0.08)]],
        p.SHADOW,
        0.5,
        0.015,
    )
    canvas.fade((left - 0.10, bottom, left, top + 0.1), p.SHADOW, (0.0, 0.25), is_upward=False)
    canvas.rectangle(box, p.TEAL_DARK)
    canvas.rectangle((left + 0.012, bottom + 0.012, right - 0.012, top - 0.012), p.TEAL)
    for column in (0, 1):
        x0 = left + 0.10 + 0.40 * column
        for y0, y1 in ((bottom + 0.14, bottom + 0.80), (bottom + 1.02, top - 0.14)):
            canvas.rectangle((x0, y0, x0 + 0.33, y1), p.TEAL_DARK)
            canvas.rectangle((x0 + 0.018, y0, x0 + 0.33, y1 - 0.018), mixed(p.TEAL, p.WHITE, 0.14))
            canvas.rectangle((x0 + 0.03, y0 + 0.03, x0 + 0.30, y1 - 0.03), mixed(p.TEAL, p.TEAL_DARK, 0.35))
            canvas.fade((x0 + 0.03, y0 + 0.03, x0 + 0.30, y1 - 0.03), (200, 230, 220), (0.0, 0.12))
    canvas.fade(box, p.SHADOW, (0.25, 0.0))
    knob = (left + 0.06, bottom + 0.98)
    canvas.rectangle((knob[0] - 0.022, knob[1] - 0.11, knob[0] + 0.022, knob[1] + 0.07), p.BRASS, radius_m=0.01)
    canvas.soft(
        [
            [
                (knob[0], knob[1] - 0.035),
                (knob[0] + 0.15, knob[1] - 0.035),
                (knob[0] + 0.15, knob[1] - 0.01),
                (knob[0], knob[1] - 0.01),
            ]
        ],
        (0, 0, 0),
        0.45,
        0.01,
    )
    canvas.line([knob, (knob[0] + 0.12, knob[1])], p.BRASS, 0.024)
    canvas.line([(knob[0], knob[1] + 0.005), (knob[0] + 0.12, knob[1] + 0.005)], (246, 220, 160), 0.006)


def _coats(canvas: Canvas) -> None:
    """A rail with two coats and a hat."""
    canvas.soft([[(-2.0, 0.5), (-0.85, 0.5), (-0.85, 0.58), (-2.0, 0.58)]], p.SHADOW, 0.5, 0.02)
    canvas.rectangle((-2.02, 0.54, -0.86, 0.64), p.OAK, radius_m=0.015)
    for hook in (-1.85, -1.45, -1.05):
        canvas.ellipse((hook - 0.022, 0.56, hook + 0.022, 0.604), p.BRASS)
    for x, length, colour in ((-1.82, 1.05, p.MUSTARD), (-1.42, 0.90, (64, 78, 110))):
        low = 0.57 - length
        body = [
            (x - 0.07, 0.57),
            (x + 0.07, 0.57),
            (x + 0.19, 0.44),
            (x + 0.23, low + 0.08),
            (x + 0.20, low),
            (x - 0.20, low),
            (x - 0.23, low + 0.08),
            (x - 0.19, 0.44),
        ]
        canvas.soft([[(a + 0.05, b - 0.03) for a, b in body]], p.SHADOW, 0.5, 0.04)
        canvas.polygon(body, colour)
        canvas.soft([[(x + 0.05, 0.5), (x + 0.2, 0.42), (x + 0.24, low), (x + 0.10, low)]], p.SHADOW, 0.35, 0.04)
        canvas.line([(x, 0.52), (x - 0.01, low)], mixed(colour, p.INK, 0.5), 0.010)
        for step in range(4):
            canvas.ellipse((x + 0.015, 0.34 - 0.15 * step, x + 0.04, 0.365 - 0.15 * step), mixed(colour, p.INK, 0.7))
    x = -1.05
    canvas.soft([ellipse((x - 0.16, 0.36, x + 0.22, 0.62))], p.SHADOW, 0.45, 0.03)
    canvas.polygon(ellipse((x - 0.19, 0.40, x + 0.19, 0.50)), (190, 150, 96))
    canvas.polygon([(x - 0.115, 0.46), (x + 0.115, 0.46), (x + 0.09, 0.60), (x - 0.09, 0.60)], (204, 164, 106))
    canvas.rectangle((x - 0.112, 0.465, x + 0.112, 0.50), p.BRICK)


def _mirror(canvas: Canvas) -> None:
    x, y = 1.75, 0.36
    canvas.soft([ellipse((x - 0.40, y - 0.50, x + 0.46, y + 0.40))], p.SHADOW, 0.45, 0.04)
    canvas.ellipse((x - 0.42, y - 0.42, x + 0.42, y + 0.42), p.BRASS)
    canvas.ellipse((x - 0.39, y - 0.39, x + 0.39, y + 0.39), (206, 196, 178))
    canvas.soft([ellipse((x - 0.36, y - 0.38, x + 0.36, y - 0.02))], (150, 128, 108), 0.7, 0.08)
    canvas.glow((x - 0.12, y + 0.14), (0.34, 0.24), (255, 236, 196), 0.8)
    canvas.tint(
        [(x - 0.28, y - 0.16), (x - 0.16, y - 0.28), (x + 0.22, y + 0.26), (x + 0.12, y + 0.34)], (255, 255, 255), 0.18
    )
