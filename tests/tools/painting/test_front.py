from __future__ import annotations

from typing import TYPE_CHECKING

from tools.painting.front import paint_front_wall

from belvedere.sim.plan import CLOCK_RADIUS_M, CLOCK_X_M, CLOCK_Y_M

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.painting.canvas import Canvas

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


def test_the_sky_is_above_the_meadow(look: Look) -> None:
    wall = paint_front_wall()
    sky, meadow = look(wall, 0.3, 0.95), look(wall, -0.4, -0.36)
    assert sky[2] > sky[0]
    assert meadow[1] > meadow[2]


def test_the_dial_is_bare_where_the_hands_will_be(look: Look) -> None:
    wall = paint_front_wall()
    for turn in ((0.3, 0.0), (0.0, 0.3), (-0.3, 0.0), (0.0, -0.3)):
        x, y = (at * CLOCK_RADIUS_M for at in turn)
        assert min(look(wall, CLOCK_X_M + x, CLOCK_Y_M + y)[:3]) > 230
    assert max(look(wall, CLOCK_X_M, CLOCK_Y_M + CLOCK_RADIUS_M * 0.75)[:3]) < 120
