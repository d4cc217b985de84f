"""The store's thread, over real files, real disks and real locks."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.store.disks import a_small_disk, keep, kept

from belvedere.store.positions import FIRST, LOST, Position, Positions
from belvedere.store.writer import PositionWriter

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.realtime
PATIENCE_S = 30
BOTH = ("pan", "tilt")
AT_5 = Position(5, is_sure=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it.sqlite3"


def close(writer: PositionWriter, within_s: float = PATIENCE_S) -> bool:
    ended = threading.Event()
    writer.close(ended.set)
    return ended.wait(within_s)


def wait_until(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.005)


def locked(path: Path) -> sqlite3.Connection:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    return other


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_what_is_known_at_the_start_is_told_and_from_then_on_the_file_is_sure_of_nothing(path: Path) -> None:
    keep(path, pan=AT_5)
    writer = PositionWriter(path, BOTH)
    assert writer.open(PATIENCE_S) == {"pan": AT_5, "tilt": FIRST}
    assert kept(path) == {"pan": AT_5.doubted, "tilt": LOST}  # and a crash now leaves just that
    assert close(writer)


def test_an_axis_that_is_not_counted_this_time_is_not_sure_the_next_time(path: Path) -> None:
    keep(path, pan=AT_5, tilt=AT_5)
    writer = PositionWriter(path, ("pan",))
    assert writer.open(PATIENCE_S) == {"pan": AT_5}
    assert close(writer)
    assert kept(path)["tilt"] == AT_5.doubted


def test_what_is_put_is_written_and_the_end_waits_for_it(path: Path) -> None:
    writer = PositionWriter(path, BOTH)
    writer.open(PATIENCE_S)
    writer.put({"pan": Position(1, is_sure=False)})
    writer.put({"pan": AT_5, "tilt": Position(-5, is_sure=True)})
    assert close(writer)
    assert kept(path) == {"pan": AT_5, "tilt": Position(-5, is_sure=True)}
    assert writer.unsaved() == []


def test_a_lock_of_one_second_costs_nothing_but_that_second(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep(path, pan=AT_5)
    other = locked(path)
    threading.Timer(1, other.close).start()
    writer = PositionWriter(path, BOTH)
    assert writer.open() == {"pan": AT_5, "tilt": FIRST}
    assert close(writer)
    assert warnings(caplog) == []


def test_a_file_that_stays_locked_leaves_the_position_unsure_and_is_told_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keep(path, pan=AT_5)
    other = locked(path)
    writer = PositionWriter(path, BOTH)
    began = time.monotonic()
    assert writer.open() == {"pan": LOST, "tilt": LOST}
    assert time.monotonic() - began < 3
    wait_until(lambda: not writer.is_saving)
    writer.put({"pan": Position(1, is_sure=False)})
    assert close(writer)
    assert len(warnings(caplog)) == 1
    assert f"{path}: is locked by another program" in warnings(caplog)[0]
    assert "the position of pan, 1 degrees" in writer.unsaved()[0]
    other.close()


def test_a_lock_that_comes_later_and_goes_again_delays_what_is_written_and_loses_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    writer = PositionWriter(path, BOTH)
    writer.open(PATIENCE_S)
    other = locked(path)
    writer.put({"pan": Position(1, is_sure=False)})
    wait_until(lambda: not writer.is_saving)
    writer.put({"pan": AT_5})
    other.close()
    wait_until(lambda: writer.is_saving)
    assert kept(path)["pan"] == AT_5
    assert len(warnings(caplog)) == 1
    assert caplog.messages[-1] == f"{path}: the position of the head is saved again"
    assert close(writer)


def test_on_a_disk_that_fills_while_it_runs_not_sure_is_still_written(tmp_path: Path) -> None:
    """The head moved 40 degrees after the disk was full; what was kept before must not be believed."""
    with a_small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        writer = PositionWriter(path, BOTH)
        writer.open(PATIENCE_S)
        writer.put({"pan": AT_5})
        wait_until(lambda: not writer.unsaved())
        disk.fill()
        writer.put({"pan": AT_5.doubted})
        wait_until(lambda: not writer.unsaved())
        assert kept(path)["pan"] == AT_5.doubted
        writer.put({"pan": Position(45, is_sure=True)})
        assert close(writer)
        assert kept(path)["pan"] == Position(45, is_sure=True)


def test_a_disk_that_is_full_from_the_first_leaves_nothing_sure_and_is_used_as_soon_as_it_has_space(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with a_small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        disk.fill()
        writer = PositionWriter(path, BOTH)
        assert writer.open(PATIENCE_S) == {"pan": LOST, "tilt": LOST}
        writer.put({"pan": Position(5, is_sure=False)})
        disk.free()
        wait_until(lambda: writer.is_saving)
        assert kept(path) == {"pan": Position(5, is_sure=False), "tilt": LOST}
        assert len(warnings(caplog)) == 1
        assert close(writer)


def test_what_a_full_first_start_leaves_behind_is_not_taken_for_a_new_file(tmp_path: Path) -> None:
    with a_small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        disk.fill()
        writer = PositionWriter(path, BOTH)
        writer.open(PATIENCE_S)
        assert close(writer)
        disk.free()
        again = PositionWriter(path, BOTH)
        assert again.open(PATIENCE_S) == {"pan": LOST, "tilt": LOST}
        assert close(again)


def test_what_a_read_only_disk_says_is_told_and_not_sure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with a_small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        keep(path, pan=AT_5)
        disk.remount("ro")
        writer = PositionWriter(path, BOTH)
        assert writer.open(PATIENCE_S) == {"pan": AT_5.doubted, "tilt": LOST}
        assert close(writer)
        assert "read-only" in caplog.text


def test_a_damaged_file_is_told_and_left_alone_and_positions_are_in_memory_only(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"?" * 5000)
    before = path.read_bytes()
    writer = PositionWriter(path, BOTH)
    assert writer.open(PATIENCE_S) == {"pan": LOST, "tilt": LOST}
    writer.put({"pan": AT_5})
    assert not writer.is_saving
    assert close(writer)
    assert path.read_bytes() == before
    assert len(warnings(caplog)) == 1
    assert str(path) in warnings(caplog)[0]


class Stuck(Positions):
    """A file on a disk that answers when it is released, be it never."""

    released = threading.Event()

    def __init__(self, path: Path) -> None:
        self.released.wait()
        super().__init__(path)


def test_a_disk_that_never_answers_keeps_nobody_waiting_and_costs_one_thread(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = threading.active_count()
    writer = PositionWriter(path, BOTH, Stuck)
    began = time.monotonic()
    assert writer.open(0.2) == {"pan": LOST, "tilt": LOST}
    for deg in range(1000):
        writer.put({"pan": Position(deg, is_sure=False)})
    assert not close(writer, 0.2)
    assert time.monotonic() - began < 2
    assert threading.active_count() <= before + 1
    assert "the disk does not answer" in caplog.text
    assert writer.unsaved() == [f"the position of pan, 999 degrees: {path}: the disk does not answer"]
    Stuck.released.set()
    wait_until(lambda: threading.active_count() <= before)
    assert kept(path)["pan"] == Position(999, is_sure=False)


def test_a_process_ends_although_its_disk_is_stuck(path: Path) -> None:
    script = f"""
from pathlib import Path
from tests.store.test_writer import Stuck
from belvedere.store.writer import PositionWriter
PositionWriter(Path({str(path)!r}), ["pan"], Stuck).open(0.1)
print("ended", flush=True)
"""
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "ended\n")
