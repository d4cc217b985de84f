from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.pictures import blank_picture

from belvedere.sim.panorama import Panorama, Plane
from belvedere.sim.plan import PANORAMA_HEIGHT, PANORAMA_WIDTH, RADIUS_PX


def column_panorama() -> Panorama:
    """A panorama whose luma encodes the column, and whose chroma encodes column and row."""
    half_width, half_height = PANORAMA_WIDTH // 2, PANORAMA_HEIGHT // 2
    luma = bytes(x % 251 for x in range(PANORAMA_WIDTH)) * PANORAMA_HEIGHT
    u = bytes(x % 241 for x in range(half_width)) * half_height
    v = b"".join(bytes([y % 239]) * half_width for y in range(half_height))
    widths = (PANORAMA_WIDTH, half_width, half_width)
    planes = zip((luma, u, v), widths, strict=True)
    return Panorama(*(Plane(memoryview(bytearray(rows)), width, width) for rows, width in planes))


PANORAMA = column_panorama()


@given(st.floats(-720, 720), st.floats(-40, 40))
def test_the_view_is_centred_on_where_the_head_looks(pan_deg: float, tilt_deg: float) -> None:
    picture = blank_picture(320, 96)
    PANORAMA.show(pan_deg, tilt_deg, picture)
    left = round((math.radians(pan_deg) + math.pi) * RADIUS_PX - 160) % PANORAMA_WIDTH
    columns = [(left + x) % PANORAMA_WIDTH for x in range(320)]
    assert bytes(picture.y) == bytes(x % 251 for x in columns) * 96
    half = [(left // 2 + x) % (PANORAMA_WIDTH // 2) for x in range(160)]
    assert bytes(picture.u) == bytes(x % 241 for x in half) * 48
    rows = [picture.v[row * 160] for row in range(48)]
    assert all((below - above) % 239 == 1 for above, below in itertools.pairwise(rows))


def test_a_degree_is_the_same_number_of_pixels_everywhere() -> None:
    start, turned = blank_picture(320, 96), blank_picture(320, 96)
    PANORAMA.show(10, 0, start)
    PANORAMA.show(10 + math.degrees(40 / RADIUS_PX), 0, turned)
    assert bytes(turned.y[:280]) == bytes(start.y[40:320])


@pytest.mark.parametrize(("tilt_deg", "first_row"), [(89, 0), (-89, PANORAMA_HEIGHT - 96)])
def test_up_and_down_the_view_stops_at_the_edge(tilt_deg: float, first_row: int) -> None:
    picture = blank_picture(320, 96)
    PANORAMA.show(0, tilt_deg, picture)
    assert picture.v[0] == first_row // 2 % 239


def test_turning_up_shows_what_is_higher() -> None:
    level, up = blank_picture(320, 96), blank_picture(320, 96)
    PANORAMA.show(0, 0, level)
    PANORAMA.show(0, 1, up)
    assert (level.v[0] - up.v[0]) % 239 == round(math.tan(math.radians(1)) * RADIUS_PX / 2)


def test_a_plane_goes_round() -> None:
    plane = Plane(memoryview(b"abcdefgh"), 4, 4)
    target = memoryview(bytearray(6))
    plane.copy_to(target, (-1, 0), 3)
    assert bytes(target) == b"dabhef"


def test_what_lies_between_the_rows_of_a_plane_is_not_shown() -> None:
    plane = Plane(memoryview(b"abcd--efgh--"), 4, 6)
    target = memoryview(bytearray(6))
    plane.copy_to(target, (3, 0), 3)
    assert bytes(target) == b"dabhef"
