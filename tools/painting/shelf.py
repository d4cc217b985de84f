"""The bookshelf."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tools.painting import palette as p
from tools.painting.canvas import Canvas, ellipse, mixed

if TYPE_CHECKING:
    from tools.painting.canvas import Box, Colour

Thing = Callable[[Canvas, float, float, float], None]  # x, y and half the width of what stands in a gap

SPINES: tuple[Colour, ...] = (
    p.TEAL,
    p.BRICK,
    p.MUSTARD,
    p.PLUM,
    p.LEAF,
    (226, 205, 170),
    (64, 78, 110),
    (196, 120, 92),
    (150, 160, 140),
    (120, 52, 46),
    (236, 226, 206),
    (88, 112, 128),
)
SHELVES_M = (-1.10, -0.64, -0.20, 0.24, 0.66, 1.04)
LEAST_GAP_M = 0.12  # a narrower one stays empty


def paint_bookshelf(canvas: Canvas, box: Box) -> None:
    """A shelf in two columns, full of books and a few other things."""
    left, bottom, right, top = box
    canvas.soft(
        [[(left - 0.05, bottom), (right + 0.12, bottom), (right + 0.12, top - 0.05), (left - 0.05, top - 0.05)]],
        p.SHADOW,
        0.5,
        0.06,
    )
    canvas.rectangle(box, p.OAK)
    inner = (left + 0.05, bottom + 0.08, right - 0.05, top - 0.05)
    canvas.rectangle(inner, mixed(p.OAK_DARK, p.WALNUT_DARK, 0.45))
    chance = np.random.default_rng(5)
    for number, (floor, ceiling) in enumerate(pairwise(SHELVES_M)):
        canvas.fade((inner[0], ceiling - 0.2, inner[2], ceiling), (30, 18, 12), (0.0, 0.6))
        for column in range(2):
            x0 = inner[0] + (inner[2] - inner[0]) / 2 * column
            _row_of_books(
                canvas,
                (x0 + 0.03, floor, x0 + (inner[2] - inner[0]) / 2 - 0.04, ceiling),
                chance,
                THINGS[(number * 2 + column * 3) % len(THINGS)],
            )
        canvas.rectangle((inner[0], floor - 0.035, inner[2], floor), p.OAK)
        canvas.fade((inner[0], floor - 0.035, inner[2], floor), p.SHADOW, (0.45, 0.0))
    middle = (inner[0] + inner[2]) / 2
    canvas.rectangle((middle - 0.02, inner[1], middle + 0.02, inner[3]), p.OAK)
    canvas.fade((middle - 0.02, inner[1], middle + 0.02, inner[3]), p.SHADOW, (0.0, 0.35), is_upward=False)
    canvas.fade((left, bottom, left + 0.05, top), (255, 236, 200), (0.35, 0.0), is_upward=False)
    canvas.fade((right - 0.05, bottom, right, top), p.SHADOW, (0.1, 0.4), is_upward=False)
    canvas.rectangle((left - 0.02, top - 0.05, right + 0.02, top), mixed(p.OAK, p.WHITE, 0.12))
    canvas.glow(((left + right) / 2 + 0.9, 0.1), (1.4, 1.4), p.LAMPLIGHT, 0.18)


def _row_of_books(canvas: Canvas, box: Box, chance: np.random.Generator, thing: Thing) -> None:
    """Books of every size, one leaning at the end, or something pretty in the gap."""
    left, bottom, right, top = box
    full = left + (right - left) * float(chance.uniform(0.58, 0.86))
    x = left
    while x < full:
        width, height = float(chance.uniform(0.028, 0.062)), float(chance.uniform(0.55, 0.86)) * (top - bottom)
        colour = SPINES[int(chance.integers(len(SPINES)))]
        canvas.rectangle((x, bottom, x + width, bottom + height), colour)
        canvas.fade((x, bottom, x + width, bottom + height), (20, 12, 8), (0.0, 0.38), is_upward=False)
        band = mixed(colour, (250, 236, 200), 0.6)
        for share in (0.14, 0.80):
            canvas.rectangle(
                (x + 0.004, bottom + height * share, x + width - 0.006, bottom + height * (share + 0.035)), band
            )
        x += width + 0.002
    colour = SPINES[int(chance.integers(len(SPINES)))]
    lean, high = 0.11, 0.30
    canvas.polygon(
        [(x + 0.01, bottom), (x + 0.05, bottom), (x + 0.05 - lean, bottom + high), (x + 0.01 - lean, bottom + high)]
        if x - lean > full
        else [(x + 0.01, bottom), (x + 0.05, bottom), (x + 0.05, bottom + high), (x + 0.01, bottom + high)],
        colour,
    )
    gap = (x + 0.10, right - 0.02)
    if gap[1] - gap[0] > LEAST_GAP_M:
        thing(canvas, (gap[0] + gap[1]) / 2, bottom, min(0.11, (gap[1] - gap[0]) / 2))


def _vase(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A vase."""
    canvas.polygon(
        [
            (x - size * 0.4, y),
            (x + size * 0.4, y),
            (x + size * 0.75, y + size),
            (x + size * 0.3, y + size * 1.7),
            (x + size * 0.35, y + size * 2),
            (x - size * 0.35, y + size * 2),
            (x - size * 0.3, y + size * 1.7),
            (x - size * 0.75, y + size),
        ],
        (214, 196, 170),
    )
    canvas.soft(
        [[(x + size * 0.1, y), (x + size * 0.4, y), (x + size * 0.7, y + size), (x + size * 0.3, y + size * 1.8)]],
        p.SHADOW,
        0.45,
        0.02,
    )


def _globe(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A globe on its stand."""
    canvas.rectangle((x - size * 0.4, y, x + size * 0.4, y + 0.02), p.WALNUT_DARK)
    canvas.rectangle((x - 0.008, y, x + 0.008, y + 0.06), p.BRASS)
    canvas.ellipse((x - size, y + 0.04, x + size, y + 0.04 + 2 * size), (84, 132, 150))
    canvas.polygon(ellipse((x - size * 0.7, y + 0.05 + size * 0.8, x + size * 0.1, y + size * 1.7)), (186, 164, 96))
    canvas.polygon(ellipse((x, y + 0.05 + size * 0.2, x + size * 0.6, y + size * 1.1)), (170, 150, 88))
    canvas.soft([ellipse((x + size * 0.2, y + 0.04, x + size * 1.1, y + 0.04 + 1.7 * size))], (20, 12, 8), 0.35, 0.03)


def _trailing_plant(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A plant that hangs over its pot."""
    canvas.polygon(
        [(x - size * 0.5, y), (x + size * 0.5, y), (x + size * 0.6, y + size), (x - size * 0.6, y + size)], p.BRICK
    )
    for step in range(9):
        dx = size * (step - 4) * 0.26
        canvas.polygon(
            ellipse(
                (
                    x + dx - 0.035,
                    y + size * 0.9 + 0.03 * (step % 3),
                    x + dx + 0.035,
                    y + size * 1.5 + 0.03 * (step % 3),
                )
            ),
            p.LEAF if step % 2 else p.LEAF_LIGHT,
        )


def _lying_books(canvas: Canvas, x: float, y: float, size: float) -> None:
    """Three books that lie."""
    for step, colour in enumerate((p.PLUM, p.MUSTARD, p.TEAL)):
        canvas.rectangle(
            (x - size + 0.01 * step, y + 0.035 * step, x + size - 0.012 * step, y + 0.035 * step + 0.032), colour
        )


THINGS: tuple[Thing, ...] = (_vase, _globe, _trailing_plant, _lying_books)
