from __future__ import annotations

from typing import TYPE_CHECKING

from tools.painting.entrance import paint_back_wall

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.painting.canvas import Canvas

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


def test_there_is_a_door_of_another_colour_than_the_wall(look: Look) -> None:
    wall = paint_back_wall()
    door, plain = look(wall, 0.0, 0.8), look(wall, 0.9, -0.3)
    assert door[1] > door[0]
    assert plain[0] > plain[1] > plain[2]


def test_the_door_has_a_handle_of_brass(look: Look) -> None:
    red, green, blue, _ = look(paint_back_wall(), -0.44, -0.22)
    assert red > green > blue + 40
