from __future__ import annotations

from typing import TYPE_CHECKING

from tools.painting.plaster import Light, bare_wall, framed

from belvedere.sim.plan import CEILING_M, FLOOR_M

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.painting.canvas import Canvas

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


COLOUR = (200, 180, 150)


def test_corners_lie_in_shade_and_light_falls_where_it_is_asked_for(look: Look) -> None:
    wall = bare_wall(-3, 3, COLOUR, [Light((1.0, 0.2), (0.8, 0.8), (255, 220, 160), 0.5)])
    corner, middle, lit = (look(wall, x, 0.2)[0] for x in (-2.9, -0.5, 1.0))
    assert corner < middle < lit


def test_a_wall_reaches_from_floor_to_ceiling_and_has_a_light_skirting_board(look: Look) -> None:
    wall = bare_wall(-3, 3, COLOUR, [])
    assert (wall.box[1], wall.box[3]) == (FLOOR_M, CEILING_M)
    assert look(wall, 0, FLOOR_M + 0.09)[2] > look(wall, 0, FLOOR_M + 0.3)[2]


def test_a_frame_goes_around_its_mount(look: Look) -> None:
    wall = bare_wall(-1, 1, COLOUR, [])
    framed(wall, (-0.3, -0.3, 0.3, 0.3), frame=(90, 50, 20), mount=(250, 245, 230))
    assert look(wall, 0, 0)[:3] == (250, 245, 230)
    assert look(wall, -0.285, 0)[:3] == (90, 50, 20)
