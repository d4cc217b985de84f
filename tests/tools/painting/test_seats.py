from __future__ import annotations

from typing import TYPE_CHECKING

from tools.painting.seats import SOFA, paint_armchair, paint_bench, paint_sofa

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.painting.canvas import Canvas

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


def test_the_sofa_is_solid_and_stands_on_legs(look: Look) -> None:
    sofa = paint_sofa()
    assert all(look(sofa, x, -0.9)[3] == 255 for x in (-1.2, -0.6, 0.0, 0.6))
    assert look(sofa, 0.0, -1.15)[3] == 0
    assert SOFA[2] > SOFA[0]


def test_the_sofa_has_a_cushion_of_mustard(look: Look) -> None:
    red, green, blue, _ = look(paint_sofa(), -1.06, -0.5)
    assert red > green > blue + 60


def test_the_armchair_is_warm_and_has_a_lamp_beside_it(look: Look) -> None:
    chair = paint_armchair()
    red, green, blue, _ = look(chair, 1.36, 0.08)
    assert red > green > blue
    assert look(chair, 2.16, -0.2)[3] == 255


def test_the_bench_lets_the_wall_through_below_its_seat(look: Look) -> None:
    bench = paint_bench()
    assert look(bench, 0.0, -0.85)[3] == 255
    assert look(bench, 0.0, -1.1)[3] == 0
