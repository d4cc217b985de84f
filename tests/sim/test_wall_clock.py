from __future__ import annotations

import math

from belvedere.sim.panorama import Panorama, Plane
from belvedere.sim.plan import CLOCK_RADIUS_M, CLOCK_X_M, CLOCK_Y_M, FRONT, PANORAMA_HEIGHT, PANORAMA_WIDTH
from belvedere.sim.wall_clock import INK, RED, WallClock

WHITE = 235
PADDING = 40


def white_plane(width: int, height: int) -> Plane:
    stride = width + PADDING
    return Plane(memoryview(bytearray([WHITE]) * (stride * height)), width, stride)


def white_panorama() -> Panorama:
    half_size = (PANORAMA_WIDTH // 2, PANORAMA_HEIGHT // 2)
    return Panorama(white_plane(PANORAMA_WIDTH, PANORAMA_HEIGHT), white_plane(*half_size), white_plane(*half_size))


def on_dial(panorama: Panorama, turn: float, reach: float) -> int:
    """The luma at a point of the dial: the angle in turns, and the distance as a share of the radius."""
    x = CLOCK_X_M + math.sin(math.tau * turn) * reach * CLOCK_RADIUS_M
    y = CLOCK_Y_M + math.cos(math.tau * turn) * reach * CLOCK_RADIUS_M
    column, row = FRONT.pixel(x, y)
    return panorama.y.data[int(row) * panorama.y.stride + int(column)]


def test_the_hands_point_at_the_time() -> None:
    panorama = white_panorama()
    WallClock(panorama).show(15, 30, 0)
    assert on_dial(panorama, 3.5 / 12, 0.35) == INK[0]
    assert on_dial(panorama, 0.5, 0.6) == INK[0]
    assert on_dial(panorama, 0.0, 0.6) < 0.6 * WHITE
    assert on_dial(panorama, 0.75, 0.6) == WHITE


def test_the_second_hand_is_red() -> None:
    panorama = white_panorama()
    WallClock(panorama).show(12, 0, 20)
    column, row = FRONT.pixel(CLOCK_X_M + math.sin(math.tau / 3) * 0.1, CLOCK_Y_M + math.cos(math.tau / 3) * 0.1)
    red = panorama.v.data[int(row / 2) * panorama.v.stride + int(column / 2)]
    assert abs(red - RED[2]) < 35


def test_the_hands_move_on_without_leaving_a_trace() -> None:
    moved, fresh = white_panorama(), white_panorama()
    clock = WallClock(moved)
    for second in range(60):
        clock.show(9, 15, second)
    clock.show(21, 16, 0)
    WallClock(fresh).show(9, 16, 0)
    assert moved.y.data == fresh.y.data
    assert moved.v.data == fresh.v.data


def test_nothing_outside_the_dial_is_touched() -> None:
    panorama = white_panorama()
    WallClock(panorama).show(4, 44, 44)
    left, right = (FRONT.pixel(CLOCK_X_M + side * CLOCK_RADIUS_M, CLOCK_Y_M)[0] for side in (-1, 1))
    stride = panorama.y.stride
    for row in range(0, len(panorama.y.data) // stride, 16):
        line = bytes(panorama.y.data[row * stride : (row + 1) * stride])
        assert set(line[: int(left) - 1]) == set(line[int(right) + 2 :]) == {WHITE}
