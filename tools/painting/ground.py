"""The horizontal surfaces: the plank floor with a rug and the light of the window, and the ceiling."""

from __future__ import annotations

import math

import numpy as np

from tools.painting import palette as p
from tools.painting.canvas import Canvas, ellipse, mixed

PLANK_M = 0.16
RUG = (-1.75, 1.15, 1.35, 3.05)  # left, near, right, far
TABLE_SHADOW = (-0.95, 2.0, 0.75, 2.8)
ROOM = (-3.95, -3.25, 3.95, 4.45)


def paint_floor() -> Canvas:
    """The floor seen from above; y points straight ahead."""
    canvas = Canvas(ROOM, 220, p.OAK)
    _planks(canvas)
    left, near, right, far = ROOM
    for strip, is_upward, order in (
        ((left, far - 1.0, right, far), True, (0.0, 0.45)),
        ((left, near, right, near + 1.0), True, (0.5, 0.0)),
        ((left, near, left + 1.0, far), False, (0.5, 0.0)),
        ((right - 1.0, near, right, far), False, (0.0, 0.5)),
    ):
        canvas.fade(strip, p.SHADOW, order, is_upward=is_upward)
    _window_light(canvas)
    canvas.glow((-2.6, 2.2), (1.8, 1.8), p.LAMPLIGHT, 0.25)
    _shadows(canvas)
    return canvas


def paint_rug() -> Canvas:
    """The rug, in more detail than the floor since it lies nearer."""
    left, near, right, far = RUG
    canvas = Canvas((left - 0.08, near - 0.02, right + 0.08, far + 0.02), 440, (150, 58, 50), is_cut_out=True)
    _rug(canvas)
    canvas.soft([ellipse(TABLE_SHADOW)], (34, 18, 10), 0.55, 0.12)
    return canvas


def paint_ceiling() -> Canvas:
    """The ceiling seen from below; y points straight ahead."""
    canvas = Canvas(ROOM, 160, p.CEILING)
    left, near, right, far = ROOM
    canvas.fade((left, far - 1.4, right, far), p.SHADOW, (0.0, 0.3))
    canvas.fade((left, near, right, near + 1.4), p.SHADOW, (0.3, 0.0))
    canvas.fade((left, near, left + 1.4, far), p.SHADOW, (0.3, 0.0), is_upward=False)
    canvas.fade((right - 1.4, near, right, far), p.SHADOW, (0.0, 0.3), is_upward=False)
    for beam in (-3.1, -1.6, -0.1, 1.4, 2.9):
        shade = [(beam - 0.06, near), (beam + 0.24, near), (beam + 0.24, far), (beam - 0.06, far)]
        canvas.soft([shade], p.SHADOW, 0.35, 0.06)
        canvas.rectangle((beam, near, beam + 0.18, far), p.OAK_DARK)
        canvas.rectangle((beam + 0.02, near, beam + 0.16, far), mixed(p.OAK, p.OAK_DARK, 0.35))
        canvas.fade((beam, near, beam + 0.07, far), p.WALNUT_DARK, (0.5, 0.0), is_upward=False)
        for grain in (0.07, 0.10, 0.13):
            canvas.line([(beam + grain, near), (beam + grain + 0.01, far)], mixed(p.OAK, p.OAK_DARK, 0.55), 0.007)
    canvas.glow((-3.0, 2.4), (1.6, 1.6), p.LAMPLIGHT, 0.5)
    canvas.glow((2.4, 3.6), (1.3, 1.0), p.LAMPLIGHT, 0.35)
    canvas.glow((2.3, -1.2), (1.5, 1.5), p.LAMPLIGHT, 0.35)
    return canvas


def _planks(canvas: Canvas) -> None:
    left, near, right, far = ROOM
    chance = np.random.default_rng(11)
    x = left
    while x < right:
        y = near - float(chance.uniform(0, 1.5))
        while y < far:
            length = float(chance.uniform(1.1, 1.9))
            tone = mixed(p.OAK, p.OAK_DARK, float(chance.uniform(0.0, 0.38)))
            canvas.rectangle(
                (x, y, x + PLANK_M, y + length), mixed(tone, (222, 170, 110), float(chance.uniform(0, 0.3)))
            )
            for _ in range(3):
                grain = x + float(chance.uniform(0.02, PLANK_M - 0.02))
                bend = float(chance.uniform(-0.012, 0.012))
                edge = [(grain, y), (grain + 0.009, y), (grain + 0.009 + bend, y + length), (grain + bend, y + length)]
                canvas.tint(edge, p.OAK_DARK, 0.16)
            canvas.rectangle((x, y, x + PLANK_M, y + 0.007), mixed(p.OAK_DARK, p.WALNUT_DARK, 0.5))
            y += length
        canvas.rectangle((x, near, x + 0.007, far), mixed(p.OAK_DARK, p.WALNUT_DARK, 0.4))
        x += PLANK_M


def _window_light(canvas: Canvas) -> None:
    """Three panes of sunlight, drawn out to the left."""
    for pane in range(3):
        x = -1.75 + 0.98 * pane
        for low, high in ((2.72, 3.42), (3.50, 4.10)):
            drift = [-(4.4 - y) * 0.55 for y in (low, high)]
            shape = [(x + drift[0], low), (x + 0.86 + drift[0], low), (x + 0.86 + drift[1], high), (x + drift[1], high)]
            canvas.soft([shape], (255, 212, 138), 0.55, 0.035)


def _rug(canvas: Canvas) -> None:
    left, near, right, far = RUG
    for step in range(64):
        y = near + (far - near) * (step + 0.5) / 64
        for x, tip in ((left, left - 0.06), (right, right + 0.06)):
            canvas.line([(x, y), (tip, y + 0.006 * (-1) ** step)], (232, 214, 180), 0.012)
    for inset, colour in (
        (0.0, (128, 48, 44)),
        (0.06, (226, 200, 156)),
        (0.085, (46, 70, 88)),
        (0.24, (226, 200, 156)),
        (0.265, (150, 58, 50)),
    ):
        canvas.rectangle((left + inset, near + inset, right - inset, far - inset), colour)
    _border_of_diamonds(canvas)
    middle = ((left + right) / 2, (near + far) / 2)
    for width, height, colour in (
        (1.05, 0.60, (46, 70, 88)),
        (0.92, 0.51, (226, 200, 156)),
        (0.80, 0.43, (176, 78, 54)),
        (0.42, 0.22, (214, 158, 58)),
        (0.18, 0.09, (46, 70, 88)),
    ):
        canvas.polygon(
            [
                (
                    middle[0] + width * math.cos(t * math.tau / 16) * (1 if t % 2 else 0.9),
                    middle[1] + height * math.sin(t * math.tau / 16) * (1 if t % 2 else 0.9),
                )
                for t in range(16)
            ],
            colour,
        )
    for dx in (-1, 1):
        for dy in (-1, 1):
            x, y = middle[0] + dx * 1.0, middle[1] + dy * 0.46
            canvas.polygon([(x - 0.2, y), (x, y - 0.13), (x + 0.2, y), (x, y + 0.13)], (214, 158, 58))
            canvas.polygon([(x - 0.11, y), (x, y - 0.07), (x + 0.11, y), (x, y + 0.07)], (46, 70, 88))


def _border_of_diamonds(canvas: Canvas) -> None:
    left, near, right, far = RUG
    across, along = 18, 11
    spots = [
        (left + 0.16 + (right - left - 0.32) * step / across, y)
        for step in range(across + 1)
        for y in (near + 0.163, far - 0.163)
    ]
    spots += [
        (x, near + 0.16 + (far - near - 0.32) * step / along)
        for step in range(1, along)
        for x in (left + 0.163, right - 0.163)
    ]
    for number, (x, y) in enumerate(spots):
        colour = (214, 158, 58) if (number // 2) % 2 else (176, 78, 54)
        canvas.polygon([(x - 0.055, y), (x, y - 0.055), (x + 0.055, y), (x, y + 0.055)], colour)


def _shadows(canvas: Canvas) -> None:
    """Where furniture stands."""
    for box in (
        (-3.9, -1.5, -2.75, 1.4),
        (-2.75, 3.3, -1.9, 4.0),
        (1.35, 3.75, 3.5, 4.4),
        (3.3, -0.5, 3.9, 2.5),
        (2.2, -1.7, 3.2, -0.7),
        (RUG[0] - 0.04, RUG[1] - 0.04, RUG[2] + 0.04, RUG[3] + 0.04),
        (-3.4, 2.0, -2.8, 2.6),
        (-2.4, -3.2, -1.2, -2.7),
    ):
        canvas.soft([ellipse(box)], (34, 18, 10), 0.55, 0.12)
