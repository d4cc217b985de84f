from __future__ import annotations

import math

import pytest
from tools.painting.canvas import Canvas
from tools.painting.cylinder import Cylinder

from belvedere.sim.plan import BACK, FRONT, PANORAMA_HEIGHT, PANORAMA_WIDTH, RADIUS_PX, RIGHT, Wall

RED, GREEN = (220, 30, 20), (20, 160, 40)


def spot(x: float, y: float) -> Canvas:
    """A canvas that is a green square of 20 cm around a point, on red."""
    canvas = Canvas((-2.0, -1.0, 2.0, 1.0), 200, RED)
    canvas.rectangle((x - 0.1, y - 0.1, x + 0.1, y + 0.1), GREEN)
    return canvas


@pytest.mark.parametrize("wall", [FRONT, RIGHT, BACK])
@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (1.5, 0.7), (-1.5, -0.7)])
def test_a_point_of_a_wall_is_seen_where_the_plan_says(wall: Wall, x: float, y: float) -> None:
    cylinder = Cylinder()
    cylinder.hang(spot(x, y), wall)
    column, row = wall.pixel(x, y)
    assert cylinder.image.getpixel((int(column) % PANORAMA_WIDTH, int(row))) == GREEN
    column, row = wall.pixel(x - 0.15, y - 0.15)
    assert cylinder.image.getpixel((int(column) % PANORAMA_WIDTH, int(row))) == RED


def test_a_wall_covers_no_more_than_itself() -> None:
    cylinder = Cylinder()
    cylinder.hang(spot(0, 0), FRONT)
    column, row = FRONT.pixel(2.1, 0)
    assert cylinder.image.getpixel((int(column), int(row))) == (0, 0, 0)


@pytest.mark.parametrize("height_m", [-1.2, 1.5])
@pytest.mark.parametrize(("x", "y"), [(0.0, 1.9), (1.9, 0.3), (-1.0, -1.8)])
def test_a_point_of_floor_or_ceiling_is_seen_in_its_direction(height_m: float, x: float, y: float) -> None:
    canvas = Canvas((-3.0, -3.0, 3.0, 3.0), 100, RED)
    canvas.rectangle((x - 0.1, y - 0.1, x + 0.1, y + 0.1), GREEN)
    cylinder = Cylinder()
    cylinder.lay(canvas, height_m)
    column = (math.atan2(x, y) + math.pi) * RADIUS_PX
    row = PANORAMA_HEIGHT / 2 - height_m / math.hypot(x, y) * RADIUS_PX
    assert cylinder.image.getpixel((int(column), int(row))) == GREEN


def test_what_is_cut_out_lets_the_wall_behind_through() -> None:
    cylinder = Cylinder()
    cylinder.hang(spot(0, 0), FRONT)
    thing = Canvas((-1, -1, 1, 1), 200, (0, 0, 200), is_cut_out=True)
    thing.rectangle((0.5, -0.5, 1.0, 0.5), (0, 0, 200))
    cylinder.hang(thing, FRONT)
    places = [FRONT.pixel(x, 0) for x in (0.0, -0.5, 0.75)]
    seen = [cylinder.image.getpixel((int(column), int(row))) for column, row in places]
    assert seen == [GREEN, RED, (0, 0, 200)]


@pytest.mark.parametrize(
    ("colour", "yuv"),
    [
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 255), (235, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
    ],
)
def test_colours_become_bt709_in_video_range(colour: tuple[int, int, int], yuv: tuple[int, int, int]) -> None:
    cylinder = Cylinder()
    cylinder.image.paste(colour, (0, 0, *cylinder.image.size))
    y, u, v = cylinder.planes()
    assert (len(y), len(u), len(v)) == (PANORAMA_WIDTH * PANORAMA_HEIGHT, *[PANORAMA_WIDTH * PANORAMA_HEIGHT // 4] * 2)
    assert (y[0], u[0], v[0]) == pytest.approx(yuv, abs=1)
    assert set(y) == {y[0]}
