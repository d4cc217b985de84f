from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from belvedere.errors import OwnerError
from belvedere.sim.room import PaintedRoom, Room

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime


def test_the_room_is_painted_once_however_many_ask() -> None:
    room = Room()
    got: list[PaintedRoom] = []
    threads = [threading.Thread(target=lambda: got.append(room.painted())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, got))) == 1
    assert 60 < sum(got[0].panorama.y.data[::997]) / len(got[0].panorama.y.data[::997]) < 200


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo No module named numpy >&2; exit 1", "numpy"),
        ("exit 0", "exit code 0"),
        ("echo too little", "exit code 0"),
    ],
)
def test_a_room_that_cannot_be_painted_says_why_and_what_to_do(tmp_path: Path, script: str, said: str) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    with pytest.raises(OwnerError, match=rf"{said}.*pip install"):
        Room(python=str(python)).painted()


def test_a_room_without_anyone_to_paint_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(OwnerError, match="could not be painted"):
        Room(python=str(tmp_path / "missing")).painted()


def test_an_interrupt_from_the_keyboard_does_not_reach_the_painter(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "import os, sys; sys.exit(str(os.getpgrp()))"\n')
    python.chmod(0o755)
    with pytest.raises(OwnerError) as caught:
        Room(python=str(python)).painted()
    groups = {int(word) for word in str(caught.value).split() if word.isdigit()}
    assert len(groups) == 1
    assert os.getpgrp() not in groups


def test_after_a_failure_the_room_can_still_be_painted(tmp_path: Path) -> None:
    python = tmp_path / "python"
    room = Room(python=str(python))
    with pytest.raises(OwnerError):
        room.painted()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    assert len(room.painted().panorama.y.data) > 0
