"""Projects the flat panels of a room onto a cylindrical panorama, and converts it to the planes of video."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from belvedere.sim.plan import PANORAMA_HEIGHT, PANORAMA_WIDTH, RADIUS_PX

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.sim.plan import Wall
    from tools.painting.canvas import Canvas, Point

    Quad = tuple[float, ...]

# A panel is bent in flat pieces, small enough that no line is off by more than a pixel. Of an upright panel a piece is
# as high as the panel, since heights stay in proportion; of a level one it is lower the farther away it lies.
UPRIGHT_PIECE_PX = 16
LEVEL_PIECE_PX = 48
LEVEL_PIECE_SHARE = 16  # of the distance to the horizon

STRIP_PX = 64  # what is turned into video at a time, to save memory


class Cylinder:
    """The picture of everything around the camera, straight ahead in the middle."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (PANORAMA_WIDTH, PANORAMA_HEIGHT))

    def hang(self, canvas: Canvas, wall: Wall) -> None:
        """Show a canvas that hangs in a wall's plane; its x is 0 where the wall is nearest, its y 0 at eye level."""
        left, bottom, right, top = canvas.box
        corners = [wall.pixel(x, y) for x in (left, right, max(left, min(right, 0.0))) for y in (bottom, top)]
        columns, rows = zip(*corners, strict=True)

        def on_canvas(column: float, row: float) -> Point:
            angle = column / RADIUS_PX - math.pi - math.radians(wall.facing_deg)
            reach = wall.distance_m / math.cos(angle)
            height = (PANORAMA_HEIGHT / 2 - row) / RADIUS_PX * reach
            return wall.distance_m * math.tan(angle), height

        top, bottom = max(0, math.floor(min(rows))), min(PANORAMA_HEIGHT, math.ceil(max(rows)))
        edges = _edges(math.floor(min(columns)), math.ceil(max(columns)), lambda _: UPRIGHT_PIECE_PX)
        self._bend(canvas, edges, [top, bottom], on_canvas)

    def lay(self, canvas: Canvas, height_m: float) -> None:
        """Show a canvas that lies level, `height_m` above the eye (or below); its y points straight ahead."""
        horizon = PANORAMA_HEIGHT // 2
        farthest = max(math.hypot(x, y) for x in canvas.box[::2] for y in canvas.box[1::2])
        nearest = max(1, math.floor(abs(height_m) / farthest * RADIUS_PX))
        steps = _edges(nearest, horizon, lambda distance: max(8, distance // LEVEL_PIECE_SHARE))
        rows = [horizon + step for step in steps] if height_m < 0 else [horizon - step for step in reversed(steps)]

        def on_canvas(column: float, row: float) -> Point:
            angle = column / RADIUS_PX - math.pi
            reach = height_m * RADIUS_PX / (horizon - row)
            return reach * math.sin(angle), reach * math.cos(angle)

        self._bend(canvas, _edges(0, PANORAMA_WIDTH, lambda _: LEVEL_PIECE_PX), rows, on_canvas)

    def planes(self) -> tuple[bytes, bytes, bytes]:
        """Y, U and V of the whole: video range, BT.709, colour at half the size."""
        width, height = self.image.size
        half = self.image.reduce(2)
        strips = (self.image.crop((0, top, width, min(top + STRIP_PX, height))) for top in range(0, height, STRIP_PX))
        return b"".join(_plane(strip, *LUMA) for strip in strips), _plane(half, *BLUE), _plane(half, *RED)

    def _bend(
        self, canvas: Canvas, columns: list[int], rows: list[int], on_canvas: Callable[[float, float], Point]
    ) -> None:
        """Fill a grid of the panorama, which may lie across its seam, from a canvas."""
        left, top = columns[0], rows[0]
        size = (columns[-1] - left, rows[-1] - top)
        painting = canvas.finished()
        pieces = [
            ((x0 - left, y0 - top, x1 - left, y1 - top), quad)
            for x0, x1 in pairwise(columns)
            for y0, y1 in pairwise(rows)
            if _touches(quad := _quad(canvas, on_canvas, (x0, y0, x1, y1)), painting.size)
        ]
        bent = painting.transform(size, Image.Transform.MESH, pieces, Image.Resampling.BILINEAR)
        for turn in (-1, 0, 1):
            self.image.paste(bent, (left + turn * PANORAMA_WIDTH, top), bent)


def _edges(start: int, end: int, step: Callable[[int], int]) -> list[int]:
    """From start to end in steps that may depend on the place."""
    edges = [start]
    while edges[-1] < end:
        edges.append(min(end, edges[-1] + step(edges[-1])))
    return edges


def _quad(canvas: Canvas, on_canvas: Callable[[float, float], Point], box: tuple[int, int, int, int]) -> Quad:
    """Where the corners of a piece lie in a painting: upper left, lower left, lower right, upper right."""
    left, _, _, top = canvas.box
    x0, y0, x1, y1 = box
    points = [on_canvas(x, y) for x, y in ((x0, y0), (x0, y1), (x1, y1), (x1, y0))]
    return tuple(pixel for x, y in points for pixel in ((x - left) * canvas.px_per_m, (top - y) * canvas.px_per_m))


def _touches(quad: Quad, size: tuple[int, int]) -> bool:
    xs, ys = quad[::2], quad[1::2]
    return max(xs) >= 0 and min(xs) <= size[0] and max(ys) >= 0 and min(ys) <= size[1]


# ITU-R BT.709, section 3: weights of red, green and blue, and the offset, in video range
LUMA = ((0.2126 * 219 / 255, 0.7152 * 219 / 255, 0.0722 * 219 / 255), 16)
BLUE = ((-0.1146 * 224 / 255, -0.3854 * 224 / 255, 0.5 * 224 / 255), 128)
RED = ((0.5 * 224 / 255, -0.4542 * 224 / 255, -0.0458 * 224 / 255), 128)


def _plane(image: Image.Image, weights: tuple[float, float, float], offset: int) -> bytes:
    pixels = np.asarray(image, np.float32)
    return np.asarray(pixels @ np.asarray(weights, np.float32) + (offset + 0.5), np.uint8).tobytes()
