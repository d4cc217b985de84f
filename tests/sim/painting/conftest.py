"""Eyes for the tests of paintings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.sim.painting.canvas import Canvas

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


@pytest.fixture
def look() -> Look:
    """Red, green, blue and solidity of a canvas at a place in metres."""

    def at(canvas: Canvas, x: float, y: float) -> tuple[int, int, int, int]:
        left, _, _, top = canvas.box
        pixel = canvas.finished().getpixel((int((x - left) * canvas.px_per_m), int((top - y) * canvas.px_per_m)))
        assert isinstance(pixel, tuple)
        red, green, blue, solid = pixel
        return red, green, blue, solid

    return at
