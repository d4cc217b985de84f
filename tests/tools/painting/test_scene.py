from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from belvedere.sim.plan import BACK, FRONT, LEFT, PANORAMA_HEIGHT, PANORAMA_WIDTH, RIGHT, Wall

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image
    from tools.painting.cylinder import Cylinder


def pixel(image: Image.Image, column: int, row: int) -> tuple[int, int, int]:
    found = image.getpixel((column, row))
    assert isinstance(found, tuple)
    red, green, blue = found
    return red, green, blue


def test_the_room_is_closed_all_around(painted_room: Cylinder) -> None:
    image = painted_room.image
    assert image.size == (PANORAMA_WIDTH, PANORAMA_HEIGHT)
    assert (0, 0, 0) not in {colour for _, colour in image.resize((824, 214), 0).getcolors(824 * 214) or []}


def test_it_is_bright_and_warm(painted_room: Cylinder) -> None:
    red, green, blue = pixel(painted_room.image.resize((1, 1)), 0, 0)
    assert red > green > blue
    assert 110 < green < 200


PLACES: dict[str, tuple[Wall, float, float, Callable[[int, int, int], bool]]] = {
    "the sky": (FRONT, 0.3, 0.95, lambda red, _green, blue: blue > red),
    "the cat": (FRONT.shifted(0.1), 0.52, -0.3, lambda red, green, blue: max(red, green, blue) < 110),
    "the sun in the picture": (LEFT, 0.066, 0.62, lambda red, green, blue: red > 2 * max(green, blue)),
    "the sofa": (LEFT.shifted(0.9), 0.0, -0.6, lambda red, _green, blue: blue > red),
    "the armchair": (RIGHT.shifted(1.2), 1.36, 0.08, lambda red, green, blue: red > green > blue),
    "the door": (BACK, 0.0, 0.8, lambda red, green, _blue: green > red),
}


@pytest.mark.parametrize("name", PLACES)
def test_everything_is_in_its_place(painted_room: Cylinder, name: str) -> None:
    wall, x, y, is_so = PLACES[name]
    column, row = wall.pixel(x, y)
    assert is_so(*pixel(painted_room.image, int(column) % PANORAMA_WIDTH, int(row)))
