from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest
from tests.store.examples import TABLES
from tests.store.failing_disk import add
from tests.store.small_disk import small_disk

from belvedere.errors import StoreError
from belvedere.store.copies import (
    KEPT_S,
    LOOK_EVERY_S,
    TIMEOUT_S,
    before_migration,
    check_room,
    copy_database,
    delete_expired_copies,
)
from belvedere.store.database import Database
from belvedere.testing.loop_worker import LoopWorker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BIG = "INSERT INTO note SELECT hex(randomblob(500)) FROM generated LIMIT 6000"
NUMBERS = "WITH RECURSIVE generated(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM generated) "


@pytest.fixture
def source(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database of some MiB, so that a copy takes several steps."""
    with contextlib.closing(sqlite3.connect(tmp_path / "it.sqlite3", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE note (text TEXT)")
        connection.execute(BIG.replace("INSERT INTO note ", f"INSERT INTO note {NUMBERS}"))
        yield connection


def notes(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(database.execute("SELECT count(*) FROM note").fetchone()[0])


def test_a_copy_is_whole_and_its_users_only(tmp_path: Path, source: sqlite3.Connection) -> None:
    target = tmp_path / "copy"
    target.write_text("earlier")
    copy_database(source, target, pause=lambda _s: None)
    assert (notes(target), stat.S_IMODE(target.stat().st_mode)) == (6000, 0o600)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "it.sqlite3"]


def test_whoever_writes_meanwhile_waits_for_nothing_and_is_in_the_copy(
    tmp_path: Path, source: sqlite3.Connection
) -> None:
    written: list[float] = []

    def write_in_between(seconds: float) -> None:
        if len(written) < 3:
            with contextlib.closing(sqlite3.connect(tmp_path / "it.sqlite3", timeout=0)) as other, other:
                other.execute("INSERT INTO note VALUES ('new')")  # raises at once if the file is locked
            written.append(seconds)

    copy_database(source, tmp_path / "copy", pause=write_in_between)
    assert (len(written), notes(tmp_path / "copy")) == (3, 6003)


def test_a_copy_of_what_never_rests_is_given_up_and_leaves_what_was_there(
    tmp_path: Path, source: sqlite3.Connection
) -> None:
    now = iter(range(10_000))

    def write_in_between(_seconds: float) -> None:
        with contextlib.closing(sqlite3.connect(tmp_path / "it.sqlite3")) as other, other:
            other.execute("UPDATE note SET text = ? WHERE rowid = 1", (str(next(now)),))

    (tmp_path / "copy").write_text("earlier")
    with pytest.raises(StoreError, match=f"within {TIMEOUT_S:g} s"):
        copy_database(source, tmp_path / "copy", clock=lambda: float(next(now)), pause=write_in_between)
    assert (tmp_path / "copy").read_text() == "earlier"
    assert not (tmp_path / ".copy.partial").exists()


def test_a_disk_without_room_is_said_before_anything_is_written(tmp_path: Path, source: sqlite3.Connection) -> None:
    (tmp_path / "disk").mkdir()
    with small_disk(tmp_path / "disk") as disk:
        with pytest.raises(StoreError, match=r"the disk is full: \d+ MiB are needed .* and 0 MiB are free: free some"):
            copy_database(source, disk.folder / "copy")
        assert [*disk.folder.iterdir()] == []
    check_room(tmp_path, 1)


def test_copies_are_deleted_once_they_were_kept_long_enough(tmp_path: Path) -> None:
    path = tmp_path / "it.sqlite3"
    kept = [path, before_migration(path, 9), tmp_path / "it.sqlite3.before-restore-1", tmp_path / "else.before-v9"]
    for each in kept:
        each.touch()
        os.utime(each, (1000, 1000))  # last written long before it was kept
    newest = max(each.stat().st_ctime for each in kept)
    delete_expired_copies(path, min(each.stat().st_ctime for each in kept) + KEPT_S)
    assert all(each.exists() for each in kept)
    delete_expired_copies(path, newest + KEPT_S + 1)
    assert [each.exists() for each in kept] == [True, False, False, True]


async def test_a_server_that_runs_for_months_deletes_what_was_kept_for_long_enough(tmp_path: Path) -> None:
    path = tmp_path / "it.sqlite3"
    kept, clock = before_migration(path, 9), asyncio.get_running_loop().time
    kept.touch()
    kept_at = kept.stat().st_ctime - clock()
    database = Database(path, TABLES, worker=LoopWorker, clock=clock, utc=lambda: kept_at + clock())
    database.open()
    await add(database, "Ann")
    await asyncio.sleep(KEPT_S - LOOK_EVERY_S)
    await add(database, "Bob")
    assert kept.exists()
    await asyncio.sleep(2 * LOOK_EVERY_S)
    await add(database, "Cem")
    assert not kept.exists()
    await database.close()
