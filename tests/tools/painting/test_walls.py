from __future__ import annotations

from typing import TYPE_CHECKING

from tools.painting.walls import paint_left_wall, paint_right_wall

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.painting.canvas import Canvas

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


def test_a_picture_with_a_red_sun_hangs_above_the_sofa(look: Look) -> None:
    red, green, blue, _ = look(paint_left_wall(), 0.066, 0.62)
    assert red > 2 * max(green, blue)


def test_the_right_wall_has_a_bookshelf_and_room_for_a_chair(look: Look) -> None:
    wall = paint_right_wall()
    assert look(wall, -1.0, 1.3)[:3] > look(wall, -1.0, -1.15)[:3]
    assert min(look(wall, 1.2, 0.5)[:3]) > 150
