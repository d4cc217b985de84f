"""The painted panorama in memory, and the part of it that a camera sees. No numpy: that is for who paints it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from belvedere.sim.plan import PANORAMA_HEIGHT, PANORAMA_WIDTH, RADIUS_PX

if TYPE_CHECKING:
    from belvedere.stage.source import Picture

LUMA_BYTES = PANORAMA_WIDTH * PANORAMA_HEIGHT
PANORAMA_BYTES = LUMA_BYTES * 3 // 2


class Plane:
    """One plane of the panorama: rows of bytes whose right end meets their left end."""

    def __init__(self, data: memoryview, width: int) -> None:
        self.data = data
        self.width = width

    def copy_to(self, target: memoryview, corner: tuple[int, int], width: int) -> None:
        """Fill rows of `width` bytes from the column and row of `corner` on; the column may be any number."""
        left, top = corner[0] % self.width, corner[1]
        start = top * self.width + left
        before_seam = min(width, self.width - left)
        source = self.data
        for row in range(0, len(target), width):
            target[row : row + before_seam] = source[start : start + before_seam]
            start += self.width
        if before_seam == width:
            return
        start = top * self.width
        for row in range(before_seam, len(target), width):
            target[row : row + width - before_seam] = source[start : start + width - before_seam]
            start += self.width


class Panorama:
    """The room all around, as one writable buffer of Y, U and V of `PANORAMA_BYTES` bytes."""

    def __init__(self, data: memoryview) -> None:
        half = PANORAMA_WIDTH // 2
        chroma = LUMA_BYTES // 4
        self.y = Plane(data[:LUMA_BYTES], PANORAMA_WIDTH)
        self.u = Plane(data[LUMA_BYTES : LUMA_BYTES + chroma], half)
        self.v = Plane(data[LUMA_BYTES + chroma :], half)

    def show(self, pan_deg: float, tilt_deg: float, picture: Picture) -> None:
        """Fill a picture with what is seen in a direction; up and down the view stops at the panorama's edges."""
        centre = (math.radians(pan_deg) + math.pi) * RADIUS_PX
        left = round(centre - picture.width / 2) % PANORAMA_WIDTH
        horizon = PANORAMA_HEIGHT / 2 - math.tan(math.radians(tilt_deg)) * RADIUS_PX
        top = max(0, min(PANORAMA_HEIGHT - picture.height, round(horizon - picture.height / 2)))
        self.y.copy_to(picture.y, (left, top), picture.width)
        self.u.copy_to(picture.u, (left // 2, top // 2), picture.width // 2)
        self.v.copy_to(picture.v, (left // 2, top // 2), picture.width // 2)
