"""The room's panorama in memory, and the part that a camera sees. Rows are copied as bytes, without numpy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from belvedere.sim.plan import PANORAMA_HEIGHT, PANORAMA_WIDTH, RADIUS_PX

if TYPE_CHECKING:
    from belvedere.stage.sources.source import Picture


class Plane(NamedTuple):
    """One plane of the panorama: rows of bytes that wrap around.

    Attributes:
        data: the rows, writable.
        width: the bytes of a row that belong to the picture.
        stride: the bytes from the start of a row to the start of the next.
    """

    data: memoryview
    width: int
    stride: int

    def copy_to(self, target: memoryview, corner: tuple[int, int], width: int) -> None:
        """Fill `target` with rows of `width` bytes, from column and row `corner` on; the column wraps around."""
        left, top = corner[0] % self.width, corner[1]
        before_seam = min(width, self.width - left)
        source, stride = self.data, self.stride
        start = top * stride + left
        for row in range(0, len(target), width):
            target[row : row + before_seam] = source[start : start + before_seam]
            start += stride
        if before_seam == width:
            return
        start = top * stride
        for row in range(before_seam, len(target), width):
            target[row : row + width - before_seam] = source[start : start + width - before_seam]
            start += stride


class Panorama(NamedTuple):
    """The panorama, `PANORAMA_WIDTH` x `PANORAMA_HEIGHT` pixels; U and V have half the width and height."""

    y: Plane
    u: Plane
    v: Plane

    def show(self, pan_deg: float, tilt_deg: float, picture: Picture) -> None:
        """Fill a picture with the view in a direction; at the top and bottom edges of the panorama the view stops."""
        centre = (math.radians(pan_deg) + math.pi) * RADIUS_PX
        left = round(centre - picture.width / 2) % PANORAMA_WIDTH
        horizon = PANORAMA_HEIGHT / 2 - math.tan(math.radians(tilt_deg)) * RADIUS_PX
        top = max(0, min(PANORAMA_HEIGHT - picture.height, round(horizon - picture.height / 2)))
        self.y.copy_to(picture.y, (left, top), picture.width)
        self.u.copy_to(picture.u, (left // 2, top // 2), picture.width // 2)
        self.v.copy_to(picture.v, (left // 2, top // 2), picture.width // 2)
