from __future__ import annotations

from typing import TYPE_CHECKING

from tools.painting.canvas import Canvas
from tools.painting.tableware import paint_coffee_table, paint_cup

if TYPE_CHECKING:
    from collections.abc import Callable

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


def test_the_table_has_a_top_legs_and_air_between_them(look: Look) -> None:
    table = paint_coffee_table()
    assert look(table, -0.5, -0.84)[3] == 255
    assert look(table, -0.35, -1.1)[3] == 0


def test_a_teapot_stands_on_it(look: Look) -> None:
    red, green, blue, solid = look(paint_coffee_table(), 0.02, -0.77)
    assert solid == 255
    assert min(green, blue) > red


def test_a_cup_is_white_with_a_handle_on_its_right(look: Look) -> None:
    canvas = Canvas((-0.2, -0.1, 0.2, 0.2), 400, (0, 0, 0), is_cut_out=True)
    paint_cup(canvas, 0.0, 0.0)
    assert min(look(canvas, 0.03, 0.05)[:3]) > 220
    assert look(canvas, 0.083, 0.045)[3] > 0
    assert look(canvas, -0.08, 0.045)[3] == 0
