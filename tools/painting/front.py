"""The wall straight ahead: the window and its view, curtains, a clock, pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from belvedere.sim.plan import CLOCK_RADIUS_M, CLOCK_X_M, CLOCK_Y_M
from tools.painting import palette as p
from tools.painting.canvas import ellipse, mixed
from tools.painting.landscape import paint_landscape
from tools.painting.plaster import Light, bare_wall, framed

if TYPE_CHECKING:
    from tools.painting.canvas import Box, Canvas

WINDOW = (-1.85, -0.42, 1.15, 1.12)
FRAME_M = 0.07


def paint_front_wall() -> Canvas:
    """The wall, flat."""
    lamp = Light((1.95, 0.0), (1.4, 1.2), p.LAMPLIGHT, 0.55)
    sun = Light((-0.35, 0.3), (2.9, 1.5), p.SUNLIGHT, 0.22)
    canvas = bare_wall(-4.0, 4.0, p.PLASTER, [lamp, sun])
    _window(canvas, WINDOW)
    _sill(canvas, WINDOW)
    _rod(canvas, WINDOW)
    _curtain(canvas, (-2.42, -1.17, -1.72, 1.26), drift=0.10)
    _curtain(canvas, (1.02, -1.17, 1.60, 1.26), drift=-0.10)
    _dial(canvas)
    _botanical(canvas, (2.62, 0.42, 2.98, 0.92))
    return canvas


def _window(canvas: Canvas, box: Box) -> None:
    left, bottom, right, top = box
    outer = [
        (left - FRAME_M, bottom - FRAME_M),
        (right + FRAME_M, bottom - FRAME_M),
        (right + FRAME_M, top + FRAME_M),
        (left - FRAME_M, top + FRAME_M),
    ]
    canvas.soft([[(x + 0.02, y - 0.03) for x, y in outer]], p.SHADOW, 0.45, 0.04)
    canvas.polygon(outer, p.WHITE)
    paint_landscape(canvas, box)
    reveal = 0.05
    canvas.tint([(left, top), (right, top), (right, top - reveal), (left, top - reveal)], p.SHADOW, 0.35)
    canvas.tint([(left, top), (left + reveal, top), (left + reveal, bottom), (left, bottom)], p.SHADOW, 0.25)
    third = (right - left) / 3
    for bar in (left + third, left + 2 * third):
        canvas.rectangle((bar - 0.035, bottom, bar + 0.035, top), p.WHITE)
        canvas.fade((bar - 0.035, bottom, bar + 0.035, top), p.SHADOW, (0.0, 0.35), is_upward=False)
    for pane in range(3):
        x = left + third * pane
        canvas.rectangle((x, 0.62, x + third, 0.65), mixed(p.WHITE, p.PLASTER, 0.4))
        sheen = [(x + 0.15, bottom), (x + 0.42, bottom), (x + 0.85, top), (x + 0.58, top)]
        canvas.tint(sheen, (255, 255, 255), 0.07)
    for edge in (
        (left - FRAME_M, bottom - FRAME_M, left, top + FRAME_M),
        (right, bottom - FRAME_M, right + FRAME_M, top + FRAME_M),
    ):
        canvas.fade(edge, p.SHADOW, (0.05, 0.25), is_upward=False)


def _sill(canvas: Canvas, box: Box) -> None:
    left, bottom, right, _ = box
    canvas.soft(
        [
            [
                (left - 0.15, bottom - 0.2),
                (right + 0.15, bottom - 0.2),
                (right + 0.15, bottom - 0.07),
                (left - 0.15, bottom - 0.07),
            ]
        ],
        p.SHADOW,
        0.45,
        0.035,
    )
    canvas.rectangle((left - 0.16, bottom - 0.13, right + 0.16, bottom - 0.04), p.WHITE, radius_m=0.012)
    canvas.fade((left - 0.16, bottom - 0.13, right + 0.16, bottom - 0.07), p.SHADOW, (0.4, 0.05))
    canvas.glow((-0.5, bottom - 0.06), (1.4, 0.08), p.SUNLIGHT, 0.6)


def _rod(canvas: Canvas, box: Box) -> None:
    y = 1.27
    left, right = box[0] - 0.72, box[2] + 0.62
    canvas.soft([[(left, y - 0.05), (right, y - 0.05), (right, y - 0.02), (left, y - 0.02)]], p.SHADOW, 0.5, 0.02)
    canvas.line([(left, y), (right, y)], p.BRASS, 0.028)
    canvas.line([(left, y + 0.007), (right, y + 0.007)], (240, 208, 140), 0.006)
    for x in (left, right):
        canvas.ellipse((x - 0.035, y - 0.035, x + 0.035, y + 0.035), p.BRASS)


def _curtain(canvas: Canvas, box: Box, *, drift: float) -> None:
    """Linen in folds, gathered a little below the middle of the window."""
    left, bottom, right, top = box
    canvas.soft([[(left, bottom), (right + 0.05, bottom), (right + 0.05, top), (left, top)]], p.SHADOW, 0.35, 0.05)
    folds = 9
    middle = (bottom + top) / 2
    canvas.polygon(
        [
            (left, bottom),
            (right, bottom),
            (right + drift * 0.8, middle),
            (right, top),
            (left, top),
            (left + drift * 0.8, middle),
        ],
        mixed(p.LINEN, p.PLASTER, 0.4),
    )
    for fold in range(folds):
        share, width = fold / folds, (right - left) / folds
        x = left + (right - left) * share
        outline = []
        for step in range(25):
            y = top - (top - bottom) * step / 24
            sway = drift * math.sin(math.pi * step / 24) * (1 - abs(share - 0.5))
            outline.append((x + sway + 0.006 * math.sin(step * 0.7 + fold), y))
        canvas.polygon(
            [*outline, *((x + width * 1.15, y) for x, y in reversed(outline))], mixed(p.LINEN, p.PLASTER, 0.25)
        )
        for stripe, colour, strength in ((0.18, p.SHADOW, 0.30), (0.70, (255, 240, 212), 0.75)):
            canvas.soft(
                [
                    [
                        *((x + width * (stripe - 0.12), y) for x, y in outline),
                        *((x + width * (stripe + 0.2), y) for x, y in reversed(outline)),
                    ]
                ],
                colour,
                strength,
                0.012,
            )


def _dial(canvas: Canvas) -> None:
    """The wall clock without its hands, which move."""
    x, y, radius = CLOCK_X_M, CLOCK_Y_M, CLOCK_RADIUS_M

    def ring(size: float) -> tuple[float, float, float, float]:
        return x - size, y - size, x + size, y + size

    canvas.soft(
        [ellipse((x - radius + 0.03, y - radius - 0.05, x + radius + 0.04, y + radius - 0.04))], p.SHADOW, 0.5, 0.03
    )
    canvas.ellipse(ring(radius), p.WALNUT)
    canvas.ellipse(ring(radius * 0.95), mixed(p.WALNUT, p.OAK, 0.45))
    canvas.ellipse(ring(radius * 0.87), p.WALNUT_DARK)
    canvas.ellipse(ring(radius * 0.845), (252, 247, 235))
    for hour in range(12):
        angle = math.tau * hour / 12
        inner, width = (0.62, 0.017) if hour % 3 == 0 else (0.70, 0.010)
        canvas.line(
            [(x + math.sin(angle) * radius * size, y + math.cos(angle) * radius * size) for size in (inner, 0.79)],
            p.INK,
            width,
        )


def _botanical(canvas: Canvas, box: Box) -> None:
    """A small framed drawing of a twig."""
    left, bottom, right, top = box
    framed(canvas, box, frame=p.OAK_DARK, mount=(248, 240, 222))
    x = (left + right) / 2
    stem = [(x - 0.03, bottom + 0.09), (x, (bottom + top) / 2), (x + 0.02, top - 0.10)]
    canvas.line(stem, p.LEAF_DARK, 0.008)
    for step in range(5):
        y = bottom + 0.14 + 0.055 * step
        for side in (-1, 1):
            tip = (x + side * 0.085, y + 0.055)
            canvas.polygon(
                [(x, y), (x + side * 0.035, y + 0.052), tip, (x + side * 0.055, y + 0.012)],
                p.LEAF if (step + side) % 2 else p.LEAF_LIGHT,
            )
