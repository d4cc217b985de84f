"""Composes the whole room, from far to near."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.sim.plan import BACK, CEILING_M, FLOOR_M, FRONT, LEFT, RIGHT
from tools.painting import alive, lamps, seats, walls
from tools.painting.cylinder import Cylinder
from tools.painting.entrance import paint_back_wall
from tools.painting.front import paint_front_wall
from tools.painting.ground import paint_ceiling, paint_floor, paint_rug
from tools.painting.sideboard import paint_sideboard
from tools.painting.tableware import paint_coffee_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.sim.plan import Wall
    from tools.painting.canvas import Canvas

LEVEL: tuple[tuple[Callable[[], Canvas], float], ...] = (
    (paint_ceiling, CEILING_M),
    (paint_floor, FLOOR_M),
    (paint_rug, FLOOR_M),
)
UPRIGHT: tuple[tuple[Callable[[], Canvas], Wall], ...] = (
    (paint_back_wall, BACK),
    (walls.paint_left_wall, LEFT),
    (walls.paint_right_wall, RIGHT),
    (paint_front_wall, FRONT),
    (alive.paint_cat, FRONT.shifted(0.1)),
    (seats.paint_bench, FRONT.shifted(0.35)),
    (paint_sideboard, FRONT.shifted(0.45)),
    (alive.paint_tall_plant, FRONT.shifted(0.7)),
    (lamps.paint_floor_lamp, LEFT.shifted(0.8)),
    (seats.paint_sofa, LEFT.shifted(0.9)),
    (seats.paint_armchair, RIGHT.shifted(1.2)),
    (lamps.paint_console, BACK.shifted(0.4)),
    (paint_coffee_table, FRONT.shifted(2.0)),
)


def paint_room() -> Cylinder:
    """The panorama of the room, all around."""
    cylinder = Cylinder()
    for paint, height_m in LEVEL:
        cylinder.lay(paint(), height_m)
    for paint, wall in UPRIGHT:
        cylinder.hang(paint(), wall)
    return cylinder
