from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tools.painting.canvas import Canvas, ellipse, mixed

if TYPE_CHECKING:
    from collections.abc import Callable

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]

GROUND, RED, WHITE = (100, 100, 100), (200, 0, 0), (255, 255, 255)


def canvas(*, is_cut_out: bool = False) -> Canvas:
    return Canvas((-1, -1, 1, 1), 50, GROUND, is_cut_out=is_cut_out)


def test_colours_mix() -> None:
    assert mixed((0, 100, 200), (100, 200, 0), 0.0) == (0, 100, 200)
    assert mixed((0, 100, 200), (100, 200, 0), 0.5) == (50, 150, 100)


def test_an_ellipse_touches_its_box() -> None:
    points = ellipse((-2, 1, 4, 3))
    assert (min(x for x, _ in points), max(x for x, _ in points)) == pytest.approx((-2, 4))
    assert (min(y for _, y in points), max(y for _, y in points)) == pytest.approx((1, 3))


def test_shapes_lie_where_they_were_put_with_up_upwards(look: Look) -> None:
    painted = canvas()
    painted.rectangle((0.2, 0.2, 0.8, 0.8), RED)
    painted.ellipse((-0.8, 0.2, -0.2, 0.8), RED)
    painted.polygon([(-0.8, -0.8), (-0.2, -0.8), (-0.5, -0.2)], RED)
    painted.line([(0.2, -0.5), (0.8, -0.5)], RED, 0.1)
    for x, y in ((0.5, 0.5), (-0.5, 0.5), (-0.5, -0.6), (0.5, -0.5)):
        assert look(painted, x, y)[:3] == RED
    for x, y in ((0.0, 0.0), (0.5, -0.7), (-0.75, -0.3), (-0.79, 0.79)):
        assert look(painted, x, y)[:3] == GROUND


def test_edges_are_smooth(look: Look) -> None:
    painted = canvas()
    painted.rectangle((-1.1, -1.1, 0.01, 1.1), RED)
    assert GROUND[0] < look(painted, 0.015, 0.0)[0] <= RED[0]


def test_a_cut_out_shows_only_what_is_solid(look: Look) -> None:
    painted = canvas(is_cut_out=True)
    painted.rectangle((0, 0, 1, 1), RED)
    painted.tint([(-1, -1), (0, -1), (0, 0), (-1, 0)], WHITE, 0.5)
    assert look(painted, 0.5, 0.5)[3] == 255
    assert look(painted, -0.5, -0.5)[3] == 0


def test_every_painting_ends_in_a_transparent_margin() -> None:
    assert canvas().finished().getchannel("A").crop((0, 0, 100, 1)).getextrema() == (0, 0)


def test_a_tint_covers_as_strongly_as_it_says(look: Look) -> None:
    painted = canvas()
    painted.tint([(-1, -1), (1, -1), (1, 1), (-1, 1)], WHITE, 0.5)
    assert look(painted, 0, 0)[0] == pytest.approx(178, abs=2)


@pytest.mark.parametrize("blur_m", [0.01, 0.1])
def test_a_soft_shape_fades_outwards(look: Look, blur_m: float) -> None:
    painted = canvas()
    painted.soft([[(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]], (0, 0, 0), 0.8, blur_m)
    middle, edge, outside = (look(painted, x, 0)[0] for x in (0.0, 0.5, 0.5 + 2.9 * blur_m))
    assert middle < edge < outside <= GROUND[0]
    assert edge == pytest.approx(60, abs=14)


def test_a_soft_shape_out_of_sight_is_no_error() -> None:
    painted = canvas()
    painted.soft([[(5, 5), (6, 5), (6, 6)]], RED, 1.0, 0.01)
    painted.fade((3, 3, 3, 3), RED, (0, 1))
    painted.glow((9, 9), (1, 1), WHITE, 1.0)


def test_a_fade_goes_from_one_strength_to_the_other(look: Look) -> None:
    upward, sideways = canvas(), canvas()
    upward.fade((-1, -1, 1, 1), (0, 0, 0), (0.0, 1.0))
    sideways.fade((-1, -1, 1, 1), (0, 0, 0), (0.0, 1.0), is_upward=False)
    assert look(upward, 0, -0.9)[0] > look(upward, 0, 0)[0] > look(upward, 0, 0.9)[0]
    assert look(sideways, -0.9, 0)[0] > look(sideways, 0, 0)[0] > look(sideways, 0.9, 0)[0]


def test_a_glow_is_brightest_in_the_middle_and_never_darkens(look: Look) -> None:
    painted = canvas()
    painted.glow((0, 0), (0.8, 0.8), (255, 200, 0), 0.8)
    middle, off, outside = (look(painted, x, 0) for x in (0.0, 0.4, 0.9))
    assert middle[0] > off[0] > outside[0] == GROUND[0]
    assert middle[2] == GROUND[2]


def test_a_wash_is_what_would_have_been_painted_but_softer(look: Look) -> None:
    washed, painted = canvas(), canvas()
    washed.wash(lambda rough: rough.fade((-1, -1, 1, 1), (0, 0, 0), (0.0, 1.0)))
    painted.fade((-1, -1, 1, 1), (0, 0, 0), (0.0, 1.0))
    for y in (-0.5, 0.0, 0.5):
        assert look(washed, 0, y)[0] == pytest.approx(look(painted, 0, y)[0], abs=4)
