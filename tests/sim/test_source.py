from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import pytest
from tests.support.pictures import blank_picture

from belvedere.errors import OwnerError
from belvedere.sim.plan import PANORAMA_WIDTH, RADIUS_PX
from belvedere.sim.room import Room
from belvedere.sim.source import RoomSource
from belvedere.sim.time_bar import read_time_bar

if TYPE_CHECKING:
    from belvedere.stage.sources.source import Picture

ROOM = Room()
TEN_PAST_TEN = time.struct_time((2031, 5, 4, 10, 10, 36, 0, 0, 0))


def seen(pan_deg: float, tilt_deg: float = 0.0, *, is_measuring: bool = False, at_s: float = 50.0) -> Picture:
    source = RoomSource(
        ROOM, lambda _at_s: (pan_deg, tilt_deg), is_measuring=is_measuring, time_of_day=lambda: TEN_PAST_TEN
    )
    picture = blank_picture(640, 352)
    source.prepare(640, 352, 30)
    source.open(640, 352, 30)
    source.read(at_s, picture)
    source.close()
    return picture


def columns(picture: Picture, start: int, end: int) -> list[bytes]:
    return [bytes(picture.y[row * 640 + start : row * 640 + end]) for row in range(0, 352, 8)]


def test_turning_right_moves_the_picture_left() -> None:
    pixels = 100
    before, after = seen(12.0), seen(12.0 + math.degrees(pixels / RADIUS_PX))
    assert columns(after, 0, 640 - pixels) == columns(before, pixels, 640)


def test_turning_up_moves_the_picture_down() -> None:
    before, after = seen(0.0, 0.0), seen(0.0, math.degrees(math.atan(40 / RADIUS_PX)))
    assert bytes(after.y[40 * 640 :]) == bytes(before.y[: -40 * 640])


def test_a_whole_turn_leads_back() -> None:
    assert bytes(seen(-170.0).y) == bytes(seen(190.0).y)
    assert 360 / PANORAMA_WIDTH < 0.06


def test_the_clock_on_the_wall_shows_one_time_however_often_the_camera_is_turned_on() -> None:
    first = seen(27.0, 8.0)
    source, later = RoomSource(ROOM, lambda _at_s: (27.0, 8.0)), blank_picture(640, 352)
    source.open(640, 352, 30)
    source.read(0.0, later)
    assert bytes(later.y) != bytes(first.y)
    assert bytes(seen(27.0, 8.0).y) == bytes(first.y)


def test_the_angles_are_read_for_the_time_of_capture() -> None:
    asked: list[float] = []

    def angles(at_s: float) -> tuple[float, float]:
        asked.append(at_s)
        return 0.0, 0.0

    source = RoomSource(ROOM, angles)
    source.open(640, 352, 30)
    source.read(123.25, blank_picture(640, 352))
    assert asked == [123.25]


def test_the_time_bar_is_there_only_when_measuring() -> None:
    assert read_time_bar(seen(0.0, is_measuring=True, at_s=4321.75).y, 640) == 4_321_750
    assert read_time_bar(seen(0.0).y, 640) is None


def test_a_picture_larger_than_the_room_is_refused() -> None:
    source = RoomSource(ROOM, lambda _at_s: (0.0, 0.0))
    with pytest.raises(OwnerError, match="has only"):
        source.open(3840, 2160, 30)


def test_a_camera_that_is_off_shows_nothing() -> None:
    with pytest.raises(OwnerError):
        RoomSource(ROOM, lambda _at_s: (0.0, 0.0)).read(0.0, blank_picture(640, 352))


def test_the_room_is_in_memory_only_while_the_camera_is_on() -> None:
    room = Room()
    source = RoomSource(room, lambda _at_s: (0.0, 0.0))
    source.prepare(640, 352, 30)
    prepared = room.decoded()
    source.open(640, 352, 30)
    assert room.decoded() is prepared
    source.close()
    assert room.decoded() is not prepared


def test_reading_a_picture_takes_little_time() -> None:
    source, picture = RoomSource(ROOM, lambda at_s: (at_s * 7, at_s)), blank_picture(1280, 720)
    source.open(1280, 720, 30)
    source.read(0.0, picture)
    spent = []
    for number in range(40):
        started_s = time.thread_time()
        source.read(number / 30, picture)
        spent.append(time.thread_time() - started_s)
    assert sorted(spent)[20] < 0.005
