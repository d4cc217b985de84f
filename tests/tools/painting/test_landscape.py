from __future__ import annotations

from typing import TYPE_CHECKING

from tools.painting.canvas import Canvas
from tools.painting.landscape import paint_landscape

if TYPE_CHECKING:
    from collections.abc import Callable

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


BOX = (-1.85, -0.42, 1.15, 1.12)


def test_the_view_goes_from_sky_over_the_sun_and_water_to_meadows(look: Look) -> None:
    canvas = Canvas((-2.0, -0.6, 1.3, 1.3), 100, (0, 0, 0))
    paint_landscape(canvas, BOX)
    sky, sun, meadow = (look(canvas, x, y) for x, y in ((-0.4, 1.05), (-0.425, 0.373), (-0.4, -0.3)))
    assert sky[2] > sky[0]
    assert min(sun[:3]) > 180
    assert meadow[1] > meadow[2] + 30


def test_nothing_is_painted_above_the_window(look: Look) -> None:
    canvas = Canvas((-2.0, -0.6, 1.3, 1.3), 100, (0, 0, 0))
    paint_landscape(canvas, BOX)
    assert look(canvas, 0.0, 1.2)[:3] == (0, 0, 0)
