from __future__ import annotations

from typing import TYPE_CHECKING

from tools.painting.sideboard import paint_sideboard

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.painting.canvas import Canvas

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


def test_a_lit_lamp_stands_on_a_sideboard_of_dark_wood(look: Look) -> None:
    sideboard = paint_sideboard()
    shade, wood = look(sideboard, 1.76, -0.10), look(sideboard, 1.7, -0.9)
    assert min(shade[:2]) > 220
    assert wood[0] > wood[1] > wood[2]
    assert wood[0] < 170


def test_flowers_stand_in_a_vase(look: Look) -> None:
    sideboard = paint_sideboard()
    assert look(sideboard, 2.52, -0.36)[3] == 255
    assert look(sideboard, 2.52, 0.4)[3] == 0
