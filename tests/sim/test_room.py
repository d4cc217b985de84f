from __future__ import annotations

import platform
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from belvedere.errors import OwnerError
from belvedere.sim.plan import CLOCK_X_M, CLOCK_Y_M, FRONT, PANORAMA_HEIGHT, PANORAMA_WIDTH
from belvedere.sim.room import PICTURE, DecodedRoom, Room

if TYPE_CHECKING:
    from pathlib import Path

    from belvedere.sim.panorama import Plane


def test_the_room_fills_the_panorama_and_is_bright() -> None:
    y, u, v = Room().decoded().panorama
    assert (y.width, u.width, v.width) == (PANORAMA_WIDTH, PANORAMA_WIDTH // 2, PANORAMA_WIDTH // 2)
    for plane, height in ((y, PANORAMA_HEIGHT), (u, PANORAMA_HEIGHT // 2), (v, PANORAMA_HEIGHT // 2)):
        assert len(plane.data) >= plane.stride * height
    assert 60 < mean(y) < 200


def mean(plane: Plane) -> float:
    some = plane.data[::997]
    return sum(some) / len(some)


def test_the_clock_is_set_where_the_wall_has_one() -> None:
    room = Room().decoded()
    column, row = FRONT.pixel(CLOCK_X_M, CLOCK_Y_M + 0.08)
    place = int(row) * room.panorama.y.stride + int(column)
    room.clock.show(6, 30, 0)
    bare = room.panorama.y.data[place]
    room.clock.show(12, 0, 30)
    assert room.panorama.y.data[place] < bare


@pytest.mark.realtime
def test_the_picture_is_decoded_once_however_many_ask() -> None:
    room = Room()
    got: list[DecodedRoom] = []
    threads = [threading.Thread(target=lambda: got.append(room.decoded())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 3
    assert len(set(map(id, got))) == 1


def test_a_room_that_was_forgotten_is_decoded_anew() -> None:
    room = Room()
    first = room.decoded()
    assert room.decoded() is first
    room.forget()
    assert mean(room.decoded().panorama.y) > 0
    assert room.decoded() is not first


VISITS = """
from belvedere.sim.room import Room
from belvedere.stage.encoding.encoder import load_codecs

def rss_kib():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1])

load_codecs()
room, at_rest = Room(), []
for _ in range(4):
    room.decoded()
    visited = rss_kib()
    room.forget()
    at_rest.append(rss_kib())
print(at_rest[-1] - at_rest[0], visited - at_rest[-1])
"""


@pytest.mark.realtime
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries give memory back by themselves")
def test_a_room_that_was_forgotten_frees_its_memory() -> None:
    done = subprocess.run([sys.executable, "-c", VISITS], capture_output=True, text=True, check=True)
    growth_kib, given_back_kib = map(int, done.stdout.split())
    assert growth_kib < 1000
    assert given_back_kib > PANORAMA_WIDTH * PANORAMA_HEIGHT // 1024


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "not a picture"])
def test_a_picture_that_cannot_be_decoded_says_what_to_do(tmp_path: Path, damage: str) -> None:
    picture = tmp_path / "room.webp"
    content = {"empty": b"", "cut": PICTURE.read_bytes()[:40], "not a picture": b"version https://example.org/lfs\n"}
    if damage in content:
        picture.write_bytes(content[damage])
    with pytest.raises(OwnerError, match="install Belvedere again"):
        Room(picture).decoded()


def test_after_a_failure_the_room_can_still_be_decoded(tmp_path: Path) -> None:
    picture = tmp_path / "room.webp"
    room = Room(picture)
    with pytest.raises(OwnerError):
        room.decoded()
    picture.symlink_to(PICTURE)
    assert mean(room.decoded().panorama.y) > 0


@pytest.mark.realtime
def test_other_threads_run_while_the_picture_is_decoded() -> None:
    Room().decoded()  # do the imports first, because they hold the interpreter lock
    room, turns, is_done = Room(), 0, threading.Event()

    def decode() -> None:
        room.decoded()
        is_done.set()

    decoding = threading.Thread(target=decode)
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)  # other threads run only if the decoder releases the interpreter lock
    try:
        decoding.start()
        while not is_done.wait(0.0005):
            turns += 1
    finally:
        sys.setswitchinterval(before)
        decoding.join()
    assert turns > 5
