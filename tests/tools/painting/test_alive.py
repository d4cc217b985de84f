from __future__ import annotations

from typing import TYPE_CHECKING

from tools.painting.alive import paint_cat, paint_tall_plant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.painting.canvas import Canvas

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


def test_the_cat_is_dark_and_sits_on_the_sill(look: Look) -> None:
    cat = paint_cat()
    red, green, blue, solid = look(cat, 0.52, -0.3)
    assert solid == 255
    assert max(red, green, blue) < 110
    assert look(cat, 0.25, 0.0)[3] == 0


def test_the_cat_has_two_ears(look: Look) -> None:
    cat = paint_cat()
    assert [look(cat, x, 0.03)[3] > 0 for x in (0.445, 0.515, 0.585)] == [True, False, True]


def test_the_plant_is_green_and_stands_in_a_basket(look: Look) -> None:
    plant = paint_tall_plant()
    red, green, blue, _ = look(plant, -2.26, 0.5)
    assert green > max(red, blue)
    assert look(plant, -2.22, -1.0)[3] == 255
