"""The view through the window: hills and a lake in the evening sun."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from tools.painting.canvas import ellipse, mixed
from tools.painting.palette import SUNLIGHT

if TYPE_CHECKING:
    from tools.painting.canvas import Box, Canvas, Colour, Point

SKY_HIGH = (112, 158, 204)
SKY_MIDDLE = (236, 196, 160)
SKY_LOW = (255, 206, 128)
FAR_HILLS = (150, 142, 172)
MIDDLE_HILLS = (118, 124, 130)
NEAR_HILLS = (104, 122, 84)
MEADOW = (150, 148, 78)
WATER = (214, 178, 150)
POPLAR = (58, 82, 54)


def paint_landscape(canvas: Canvas, box: Box) -> None:
    """Fill a box with the view; the horizon is a little below eye level."""
    left, bottom, right, top = box
    horizon = bottom + (top - bottom) * 0.34
    canvas.rectangle(box, SKY_LOW)
    canvas.fade((left, horizon, right, top), SKY_MIDDLE, (0.0, 1.0))
    canvas.fade((left, horizon + 0.25, right, top), SKY_HIGH, (0.0, 1.0))
    sun = (left + (right - left) * 0.475, horizon + 0.27)
    canvas.glow(sun, (1.5, 0.8), SUNLIGHT, 0.75)
    canvas.ellipse((sun[0] - 0.085, sun[1] - 0.085, sun[0] + 0.085, sun[1] + 0.085), (255, 246, 214))
    canvas.glow(sun, (0.4, 0.4), (255, 230, 170), 0.9)
    _clouds(canvas, left, horizon)
    _ridge(canvas, box, _Ridge(horizon + 0.20, (0.10, 0.05, 0.015), (1.9, 4.3, 11.0), FAR_HILLS))
    _ridge(canvas, box, _Ridge(horizon + 0.07, (0.09, 0.04, 0.012), (1.3, 3.7, 13.0), MIDDLE_HILLS))
    _lake(canvas, (left, bottom + 0.10, right, horizon + 0.02), sun[0])
    _ridge(canvas, box, _Ridge(bottom + 0.28, (0.07, 0.03, 0.008), (1.1, 2.9, 17.0), NEAR_HILLS))
    _ridge(canvas, box, _Ridge(bottom + 0.14, (0.05, 0.03, 0.004), (0.8, 2.2, 9.0), MEADOW))
    for place, size in ((0.10, 0.46), (0.135, 0.56), (0.165, 0.40), (0.90, 0.34), (0.92, 0.44)):
        _poplar(canvas, (left + (right - left) * place, bottom + 0.16), size)
    _house(canvas, (left + (right - left) * 0.80, bottom + 0.22))
    canvas.fade((left, bottom, right, bottom + 0.22), (70, 78, 48), (0.55, 0.0))


class _Ridge(NamedTuple):
    """A crest: the sum of three waves, each with a height and a number of swells to the metre."""

    base: float
    heights: tuple[float, float, float]
    waves: tuple[float, float, float]
    colour: Colour


def _ridge(canvas: Canvas, box: Box, ridge: _Ridge) -> None:
    left, bottom, right, _ = box
    steps = 160
    crest: list[Point] = []
    for step in range(steps + 1):
        x = left + (right - left) * step / steps
        swell = sum(
            high * math.sin(wave * x * 1.7 + 2.4 * wave) for high, wave in zip(ridge.heights, ridge.waves, strict=True)
        )
        crest.append((x, ridge.base + swell))
    canvas.polygon([*crest, (right, bottom), (left, bottom)], ridge.colour)
    lit = [(x, y - 0.012) for x, y in crest]
    canvas.soft([[*crest, *reversed(lit)]], SUNLIGHT, 0.5, 0.006)
    canvas.soft([[*((x, y - 0.16) for x, y in crest), (right, bottom), (left, bottom)]], (60, 70, 60), 0.25, 0.08)


def _clouds(canvas: Canvas, left: float, horizon: float) -> None:
    for x, y, length in ((0.5, 0.62, 0.9), (1.9, 0.74, 1.1), (2.3, 0.50, 0.7), (1.2, 0.88, 0.6), (0.2, 0.40, 0.5)):
        puffs = [
            ellipse((left + x + dx * length, horizon + y - 0.02 + dy, left + x + (dx + w) * length, horizon + y + h))
            for dx, w, dy, h in ((-0.5, 0.8, 0.0, 0.04), (-0.2, 0.5, 0.0, 0.075), (0.05, 0.5, 0.005, 0.05))
        ]
        canvas.soft(puffs, (255, 232, 206), 0.85, 0.018)
        canvas.soft(
            [ellipse((left + x - 0.4 * length, horizon + y - 0.03, left + x + 0.5 * length, horizon + y))],
            (214, 150, 140),
            0.45,
            0.015,
        )


def _lake(canvas: Canvas, box: Box, sun_x: float) -> None:
    _, bottom, _, top = box
    canvas.rectangle(box, WATER)
    canvas.fade(box, (120, 140, 165), (0.85, 0.1))
    for step in range(14):
        y = top - (top - bottom) * (step + 0.5) / 14
        half = 0.03 + 0.018 * step * (1 + 0.5 * math.sin(step * 2.1))
        streak = [(sun_x - half, y), (sun_x, y + 0.006), (sun_x + half, y), (sun_x, y - 0.006)]
        canvas.soft([streak], (255, 232, 170), 0.9, 0.004)
    canvas.glow((sun_x, (top + bottom) / 2), (0.35, 0.2), SUNLIGHT, 0.5)


def _poplar(canvas: Canvas, foot: Point, height: float) -> None:
    x, y = foot
    width = height * 0.13
    canvas.line([(x, y), (x, y + height * 0.3)], mixed(POPLAR, (60, 40, 30), 0.6), 0.012)
    crown = [(x, y + height)]
    crown += [(x + width * math.sin(math.pi * t / 10) ** 0.7, y + height * (1 - 0.92 * t / 10)) for t in range(1, 10)]
    crown += [
        (x - width * math.sin(math.pi * t / 10) ** 0.7, y + height * (1 - 0.92 * t / 10)) for t in range(9, 0, -1)
    ]
    canvas.polygon(crown, POPLAR)
    lit = [(px - width * 0.25, py) for px, py in crown if px <= x]
    canvas.soft([[*lit, (x, y + height * 0.1)]], (176, 160, 84), 0.6, 0.012)


def _house(canvas: Canvas, foot: Point) -> None:
    x, y = foot
    canvas.polygon([(x, y), (x + 0.26, y), (x + 0.26, y + 0.13), (x, y + 0.13)], (236, 214, 180))
    canvas.polygon([(x + 0.18, y), (x + 0.26, y), (x + 0.26, y + 0.13), (x + 0.18, y + 0.13)], (196, 160, 130))
    canvas.polygon(
        [(x - 0.02, y + 0.125), (x + 0.28, y + 0.125), (x + 0.23, y + 0.22), (x + 0.04, y + 0.22)], (168, 84, 58)
    )
    canvas.rectangle((x + 0.19, y + 0.18, x + 0.215, y + 0.26), (150, 80, 60))
    for dx in (0.03, 0.11):
        canvas.rectangle((x + dx, y + 0.04, x + dx + 0.035, y + 0.09), (255, 206, 110))
    canvas.glow((x + 0.09, y + 0.06), (0.14, 0.1), (255, 206, 110), 0.5)
