"""The painted room, and functions that read its colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tools.painting.scene import paint_room

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.painting.canvas import Canvas
    from tools.painting.cylinder import Cylinder

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


@pytest.fixture(scope="session")
def painted_room() -> Cylinder:
    """The whole room; painting takes seconds, so it is done once, and tests must not change it."""
    return paint_room()


@pytest.fixture
def look() -> Look:
    """Red, green, blue and opacity of a canvas at a point in metres."""

    def at(canvas: Canvas, x: float, y: float) -> tuple[int, int, int, int]:
        left, _, _, top = canvas.box
        pixel = canvas.finished().getpixel((int((x - left) * canvas.px_per_m), int((top - y) * canvas.px_per_m)))
        assert isinstance(pixel, tuple)
        red, green, blue, solid = pixel
        return red, green, blue, solid

    return at
