from __future__ import annotations

from typing import TYPE_CHECKING

from tools.painting.lamps import paint_console, paint_floor_lamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.painting.canvas import Canvas

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


def test_the_floor_lamp_is_lit_and_stands_on_thin_legs(look: Look) -> None:
    lamp = paint_floor_lamp()
    assert min(look(lamp, 2.22, 0.28)[:2]) > 220
    assert look(lamp, 1.8, -0.8)[3] == 0


def test_the_console_stands_free_with_a_lamp_on_it(look: Look) -> None:
    console = paint_console()
    assert look(console, 2.10, -0.16)[0] > 220
    assert look(console, 1.28, -0.7)[3] == 0
    assert look(console, 1.5, -0.45)[3] == 255
