from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import sqlite3
from typing import TYPE_CHECKING

import pytest
from tests.store.failing_disk import WAIT_TIMEOUT_S, Disks, errors, virtual
from tests.store.saved import save, saved
from tests.store.small_disk import small_disk

from belvedere.store.database import Database
from belvedere.store.latest import RETRY_LONGEST_S
from belvedere.store.positions import ORIGIN, UNKNOWN, Position, SavedPositions
from belvedere.store.schema import MIGRATIONS
from belvedere.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from belvedere.store.schema import Migration

BOTH = ("pan", "tilt")
AT_5 = Position(5, is_sure=True)
MOVING = Position(45, is_sure=False)
AT_45 = Position(45, is_sure=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it.sqlite3"


@pytest.fixture
def disks() -> Iterator[Disks]:
    disks = Disks()
    yield disks
    disks.release()


class Store:
    """A database in virtual time and its positions, opened."""

    def __init__(
        self, path: Path, counted: tuple[str, ...] = BOTH, disks: Callable[..., SqliteFile] = SqliteFile
    ) -> None:
        self.database = virtual(path, disks, MIGRATIONS)
        self.positions = SavedPositions(self.database, counted)
        self.database.open()

    async def put(self, position: Position) -> None:
        self.positions.put({"pan": position})
        await asyncio.sleep(0)


def run(path: Path, statement: str, *values: object) -> None:
    """A change of the file by another program."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(statement, values)


async def test_opening_reads_the_positions_and_marks_all_in_the_file_not_sure(path: Path) -> None:
    save(path, pan=AT_5)
    store = Store(path)
    assert store.positions.at_start == {"pan": AT_5, "tilt": ORIGIN}
    assert saved(path) == {"pan": AT_5.doubted, "tilt": UNKNOWN}  # and a crash now leaves just that
    await store.database.close()


async def test_the_last_positions_are_there_after_a_restart(path: Path) -> None:
    store = Store(path)
    store.positions.put({"pan": MOVING, "tilt": MOVING})
    store.positions.put({"pan": AT_45})
    await store.database.close()
    again = Store(path)
    assert again.positions.at_start == {"pan": AT_45, "tilt": MOVING}
    await again.database.close()


async def test_an_axis_that_is_not_counted_in_one_run_is_not_sure_in_the_next(path: Path) -> None:
    save(path, pan=AT_5, tilt=AT_5)
    store = Store(path, ("pan",))
    assert store.positions.at_start == {"pan": AT_5}
    await store.database.close()
    assert saved(path)["tilt"] == AT_5.doubted


async def test_in_a_new_file_every_axis_counts_from_its_current_position(path: Path) -> None:
    store = Store(path)
    assert store.positions.at_start == {"pan": ORIGIN, "tilt": ORIGIN}
    await store.database.close()


def empty(path: Path) -> None:
    path.touch()


def with_tables_only(path: Path) -> None:
    save(path)


@pytest.mark.parametrize("make", [empty, with_tables_only])
async def test_in_an_old_file_without_positions_no_position_is_sure(path: Path, make: Callable[[Path], None]) -> None:
    make(path)
    store = Store(path)
    assert store.positions.at_start == {"pan": UNKNOWN, "tilt": UNKNOWN}
    await store.database.close()
    assert saved(path) == {"pan": UNKNOWN, "tilt": UNKNOWN}


@pytest.mark.parametrize("deg", ["far", b"\x00", math.inf, -math.inf, 1e300], ids=repr)
async def test_an_invalid_row_is_logged_and_unknown_and_the_other_axis_is_kept(
    path: Path, deg: object, caplog: pytest.LogCaptureFixture
) -> None:
    save(path, pan=AT_5, tilt=AT_5)
    run(path, "UPDATE position SET deg = ? WHERE axis = 'pan'", deg)
    store = Store(path)
    assert store.positions.at_start == {"pan": UNKNOWN, "tilt": AT_5}
    assert f"{path}: contains an invalid position of pan: " in caplog.text
    await store.database.close()
    assert saved(path) == {"pan": UNKNOWN, "tilt": AT_5.doubted}


async def test_a_position_that_is_invalid_text_is_unknown(path: Path) -> None:
    save(path, pan=AT_5)
    run(path, "UPDATE position SET deg = CAST(? AS TEXT)", b"\xed\xa0\x80")
    store = Store(path, ("pan",))
    assert store.positions.at_start == {"pan": UNKNOWN}
    await store.database.close()


@pytest.mark.parametrize("is_sure", ["yes", b"1", 2, -1, math.inf], ids=repr)
async def test_an_invalid_sureness_means_not_sure(path: Path, is_sure: object) -> None:
    save(path, pan=AT_5)
    run(path, "UPDATE position SET is_sure = ? WHERE axis = 'pan'", is_sure)
    store = Store(path, ("pan",))
    assert store.positions.at_start == {"pan": UNKNOWN}
    await store.database.close()


async def test_not_sure_is_still_written_on_a_disk_that_filled_up_meanwhile(tmp_path: Path) -> None:
    """The head moved 40 degrees after the disk was full: the position saved before must not count as sure."""
    with small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        store = Store(path)
        await store.put(AT_5)
        disk.fill()
        await store.put(AT_5.doubted)
        assert (saved(path)["pan"], store.positions.is_saving) == (AT_5.doubted, True)
        await store.put(AT_45)
        await store.database.close()
        assert saved(path)["pan"] == AT_45


async def test_a_new_file_can_be_marked_not_sure_on_a_disk_that_is_full_from_the_first_move_on(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        store = Store(path)
        disk.fill()
        await store.put(AT_5)
        await store.database.close()
        for _ in range(3):
            again = Store(path)
            assert again.positions.at_start["pan"].deg == 5
            assert saved(path)["pan"] == AT_5.doubted
            await again.database.close()


async def test_on_a_disk_that_is_full_at_the_start_nothing_is_sure_and_it_is_used_once_it_has_space(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        disk.fill()
        store = Store(path)
        assert store.positions.at_start == {"pan": UNKNOWN, "tilt": UNKNOWN}
        await store.put(MOVING)
        disk.free()
        await asyncio.sleep(RETRY_LONGEST_S)
        assert saved(path) == {"pan": MOVING, "tilt": UNKNOWN}
        assert len(errors(caplog)) == 1
        await store.database.close()


async def test_a_file_left_by_a_first_start_on_a_full_disk_does_not_count_as_new(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        disk.fill()
        await Store(path).database.close()
        disk.free()
        again = Store(path)
        assert again.positions.at_start == {"pan": UNKNOWN, "tilt": UNKNOWN}
        await again.database.close()


LATER = (*MIGRATIONS, "CREATE TABLE visit (id INTEGER PRIMARY KEY)")


async def test_not_sure_is_written_although_a_full_disk_prevents_the_migration(tmp_path: Path) -> None:
    """The head may move now: after a kill, and with space on the disk, the old position must not count as sure."""
    with small_disk(tmp_path, kibi=512) as disk:  # the copy before the migration needs room, too
        path = disk.folder / "it.sqlite3"
        save(path, pan=AT_5, tilt=AT_5)
        disk.fill()
        store = Store(path, disks=lambda path, _migrations: SqliteFile(path, LATER))
        assert store.positions.at_start == {"pan": AT_5, "tilt": AT_5}
        assert (saved(path)["pan"], store.positions.is_saving) == (AT_5.doubted, False)
        await store.put(MOVING)
        disk.free()
        await asyncio.sleep(RETRY_LONGEST_S)
        assert store.positions.is_saving
        await store.database.close()
        with contextlib.closing(sqlite3.connect(path)) as database:
            assert database.execute("SELECT deg FROM position ORDER BY axis").fetchall() == [(45,), (5,)]


async def test_positions_on_a_read_only_disk_are_read_and_not_sure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        save(path, pan=AT_5)
        disk.remount("ro")
        store = Store(path)
        assert store.positions.at_start == {"pan": AT_5.doubted, "tilt": UNKNOWN}
        assert await store.database.read(lambda db: db.execute("SELECT 1").fetchone(), "whether it is readable") == (1,)
        await store.database.close()
        assert "read-only" in caplog.text
        lost = errors(caplog, logging.ERROR)
        assert [line.partition(": /")[0] for line in lost] == [
            "could not save the position of pan, 5 degrees",
            "could not save the position of tilt, 0 degrees",
        ]


async def test_a_late_write_of_not_sure_replaces_no_newer_position(path: Path, disks: Disks) -> None:
    save(path, pan=AT_5, tilt=AT_5)
    store = Store(path, disks=lambda path, migrations: full(disks(path, migrations)))
    assert store.positions.at_start == {"pan": AT_5.doubted, "tilt": AT_5.doubted}
    await store.put(AT_45)
    disks.newest.is_full = False
    await asyncio.sleep(RETRY_LONGEST_S)
    assert saved(path) == {"pan": AT_45, "tilt": AT_5.doubted}
    await store.database.close()


def full(disk: SqliteFile) -> SqliteFile:
    assert hasattr(disk, "is_full")
    disk.is_full = True
    return disk


async def test_a_position_put_before_a_late_opening_is_not_replaced_either(path: Path, disks: Disks) -> None:
    save(path, pan=AT_5, tilt=AT_5)
    database = virtual(path, lambda path, migrations: full(disks(path, migrations)), MIGRATIONS)
    SavedPositions(database, BOTH).put({"pan": MOVING})
    database.open()
    disks.newest.is_full = False
    await asyncio.sleep(RETRY_LONGEST_S)
    assert saved(path) == {"pan": MOVING, "tilt": AT_5.doubted}
    await database.close()


async def test_positions_put_meanwhile_are_written_when_a_disk_answers_late(path: Path, disks: Disks) -> None:
    save(path, pan=AT_5, tilt=AT_5)
    database = virtual(path, disks, MIGRATIONS)
    positions = SavedPositions(database, BOTH)
    positions.put({"pan": MOVING})
    assert positions.at_start == {"pan": UNKNOWN, "tilt": UNKNOWN}
    database.open()
    await database.close()
    assert saved(path) == {"pan": MOVING, "tilt": AT_5.doubted}


async def test_a_disk_that_never_answers_blocks_nothing_and_no_position_is_sure(
    path: Path, disks: Disks, caplog: pytest.LogCaptureFixture
) -> None:
    def stuck(path: Path, migrations: Sequence[Migration]) -> SqliteFile:
        disk = disks(path, migrations)
        disk.answers.clear()
        return disk

    save(path, pan=AT_5)
    database = Database(path, open_file=stuck)
    positions = SavedPositions(database, BOTH)
    database.open(0.1)
    assert positions.at_start == {"pan": UNKNOWN, "tilt": UNKNOWN}
    for deg in range(1000):
        positions.put({"pan": Position(deg, is_sure=False)})
    await database.close()
    assert errors(caplog) == [
        f"{path}: could not open the store within 0.1 s; starting without it",
        f"could not save the position of pan, 999 degrees: {path}: the disk does not answer",
    ]


@pytest.mark.realtime
async def test_positions_pass_from_the_loop_to_the_file_through_the_thread(path: Path) -> None:
    database = Database(path)
    positions = SavedPositions(database, BOTH)
    database.open(WAIT_TIMEOUT_S)
    for deg in range(100):
        positions.put({"pan": Position(deg, is_sure=False)})
        await asyncio.sleep(0)
    positions.put({"pan": AT_45, "tilt": AT_5})
    await database.close(WAIT_TIMEOUT_S)
    assert saved(path) == {"pan": AT_45, "tilt": AT_5}
