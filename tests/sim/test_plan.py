from __future__ import annotations

import pytest

from belvedere.sim.plan import BACK, FRONT, LEFT, PANORAMA_HEIGHT, PANORAMA_WIDTH, RIGHT, Wall


@pytest.mark.parametrize(("wall", "quarter"), [(LEFT, 1), (FRONT, 2), (RIGHT, 3)])
def test_a_wall_is_nearest_where_it_faces(wall: Wall, quarter: int) -> None:
    assert wall.pixel(0, 0) == pytest.approx((PANORAMA_WIDTH * quarter / 4, PANORAMA_HEIGHT / 2))


def test_the_back_wall_lies_across_the_seam() -> None:
    assert BACK.pixel(-1, 0)[0] < PANORAMA_WIDTH < BACK.pixel(1, 0)[0]


def test_right_is_right_and_up_is_up() -> None:
    column, row = FRONT.pixel(1, 1)
    assert column > PANORAMA_WIDTH / 2
    assert row < PANORAMA_HEIGHT / 2


def test_what_is_nearer_looks_larger() -> None:
    near, far = FRONT.shifted(2).pixel(1, 1), FRONT.pixel(1, 1)
    assert near[0] > far[0]
    assert near[1] < far[1]
