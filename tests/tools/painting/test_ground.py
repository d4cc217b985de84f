from __future__ import annotations

from typing import TYPE_CHECKING

from tools.painting.ground import RUG, paint_ceiling, paint_floor, paint_rug

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.painting.canvas import Canvas

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


def test_the_floor_is_wood_and_darker_by_the_wall(look: Look) -> None:
    floor = paint_floor()
    red, green, blue, _ = look(floor, 2.5, 2.0)
    assert red > green > blue
    assert look(floor, 3.9, -3.2)[0] < red


def test_the_window_lights_the_floor(look: Look) -> None:
    floor = paint_floor()
    assert look(floor, -1.75, 3.0)[0] > look(floor, 2.9, 3.0)[0] + 20


def test_the_rug_is_red_within_its_border(look: Look) -> None:
    rug = paint_rug()
    red, green, blue, solid = look(rug, RUG[0] + 0.4, RUG[1] + 0.35)
    assert red > 2 * max(green, blue)
    assert solid == 255


def test_the_ceiling_is_light_and_has_beams(look: Look) -> None:
    ceiling = paint_ceiling()
    assert min(look(ceiling, 0.7, 1.5)[:3]) > look(ceiling, 0.0, 1.5)[0]
