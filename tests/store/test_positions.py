from __future__ import annotations

import math
import sqlite3
from typing import TYPE_CHECKING

import pytest
from tests.store.disks import a_small_disk, keep, kept

from belvedere.errors import StoreError
from belvedere.store.positions import FIRST, LOST, Position, Positions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it.sqlite3"


def ruin(path: Path, statement: str, *values: object) -> None:
    """What another program may do to the file."""
    with sqlite3.connect(path) as database:
        database.execute(statement, values)
    database.close()


def test_what_was_kept_is_there_after_a_restart(path: Path) -> None:
    first = Positions(path)
    first.keep({"pan": Position(12.5, is_sure=True), "tilt": Position(-3.0, is_sure=False)})
    first.keep({"pan": Position(13.5, is_sure=True)})
    first.close()
    assert kept(path) == {"pan": Position(13.5, is_sure=True), "tilt": Position(-3.0, is_sure=False)}


def test_what_was_kept_is_there_even_if_nobody_closed_the_file(path: Path) -> None:
    crashed = Positions(path)
    crashed.keep({"pan": Position(1.0, is_sure=False)})
    assert kept(path) == {"pan": Position(1.0, is_sure=False)}
    crashed.close()


def test_a_new_file_holds_nothing_and_counts_from_where_the_axis_stands(path: Path) -> None:
    positions = Positions(path)
    assert (positions.all(), positions.unheard) == ({}, FIRST)
    positions.close()


def test_an_empty_file_is_what_a_full_disk_leaves_and_counts_for_nothing(path: Path) -> None:
    path.touch()
    positions = Positions(path)
    assert (positions.all(), positions.unheard) == ({}, LOST)
    positions.keep({"pan": LOST})
    positions.close()
    assert kept(path) == {"pan": LOST}


def test_a_file_of_the_write_ahead_log_that_came_before_is_read_and_gone_on_with(path: Path) -> None:
    keep(path, pan=Position(7, is_sure=True))
    ruin(path, "PRAGMA journal_mode = WAL")
    keep(path, tilt=Position(8, is_sure=True))
    assert kept(path) == {"pan": Position(7, is_sure=True), "tilt": Position(8, is_sure=True)}


@pytest.mark.parametrize("deg", ["far", b"\x00", math.inf, -math.inf, 1e300, "\ud800"], ids=repr)
def test_a_row_that_makes_no_sense_is_told_and_lost_and_the_other_axis_is_kept(
    path: Path, deg: object, caplog: pytest.LogCaptureFixture
) -> None:
    keep(path, pan=Position(1, is_sure=True), tilt=Position(2, is_sure=True))
    text = deg.encode(errors="surrogatepass") if deg == "\ud800" and isinstance(deg, str) else deg
    ruin(path, "UPDATE position SET deg = CAST(? AS TEXT) WHERE axis = 'pan'" if text != deg else SET_DEG, text)
    assert kept(path) == {"pan": LOST, "tilt": Position(2, is_sure=True)}
    assert f"{path}: holds no position of pan" in caplog.text


SET_DEG = "UPDATE position SET deg = ? WHERE axis = 'pan'"


@pytest.mark.parametrize("is_sure", ["yes", b"1", 2, -1, math.inf], ids=repr)
def test_a_sureness_that_makes_no_sense_is_none(path: Path, is_sure: object) -> None:
    keep(path, pan=Position(1, is_sure=True))
    ruin(path, "UPDATE position SET is_sure = ? WHERE axis = 'pan'", is_sure)
    assert kept(path) == {"pan": LOST}


def another_programs(path: Path) -> None:
    ruin(path, "CREATE TABLE songs (name TEXT)")


def of_another_shape(path: Path) -> None:
    ruin(path, "CREATE TABLE position (axis TEXT, latitude REAL)")


def no_database(path: Path) -> None:
    path.write_text("this is not a database, and long enough for that to show" * 20, encoding="utf-8")


def of_later(path: Path) -> None:
    keep(path, pan=Position(1, is_sure=True))
    ruin(path, "PRAGMA user_version = 99")


def cut_short(path: Path) -> None:
    keep(path, pan=Position(1, is_sure=True))
    path.write_bytes(path.read_bytes()[:5000])


def scribbled_over(path: Path) -> None:
    keep(path, pan=Position(1, is_sure=True))
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * (len(data) - 100))


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (another_programs, "another program's"),
        (of_another_shape, "another program's"),
        (no_database, "is no database"),
        (of_later, r"later.*version 99, not 1"),
        (cut_short, "damaged"),
        (scribbled_over, "damaged"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_with_what_to_do_and_left_as_it_is(
    path: Path, make: object, problem: str
) -> None:
    assert callable(make)
    make(path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=rf"it\.sqlite3: .*{problem}.*: (move|name)") as caught:
        kept(path)
    assert caught.value.is_lasting
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


def test_a_folder_instead_of_a_file_is_told_as_such(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreError, match=r"it\.sqlite3: is a folder: name a file"):
        Positions(path)


@pytest.mark.parametrize("name", ["nowhere/it.sqlite3", "n" * 300, "it\0.sqlite3"], ids=["no folder", "long", "zero"])
def test_a_path_that_cannot_be_is_told_as_such(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError):
        Positions(tmp_path / name)


def test_a_file_that_another_program_has_locked_is_told_and_used_again_later(path: Path) -> None:
    keep(path, pan=Position(1, is_sure=True))
    positions = Positions(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked by another program") as caught:
        positions.keep({"pan": Position(2, is_sure=False)})
    assert not caught.value.is_lasting
    other.close()
    positions.keep({"pan": Position(3, is_sure=False)})
    assert positions.all() == {"pan": Position(3, is_sure=False)}
    positions.close()


def test_all_of_what_is_kept_together_is_kept_or_nothing(path: Path) -> None:
    keep(path, pan=Position(1, is_sure=True))
    positions = Positions(path)
    with pytest.raises(StoreError):
        positions.keep({"pan": Position(2, is_sure=False), "tilt": Position(math.nan, is_sure=False)})
    assert positions.all() == {"pan": Position(1, is_sure=True)}
    positions.close()


def test_a_file_that_was_closed_is_an_error_of_the_stores(path: Path) -> None:
    positions = Positions(path)
    positions.close()
    with pytest.raises(StoreError, match=r"it\.sqlite3"):
        positions.keep({})


def test_what_was_written_once_can_be_written_again_on_a_full_disk_after_a_restart_too(tmp_path: Path) -> None:
    with a_small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        keep(path, pan=Position(1, is_sure=True), tilt=Position(2, is_sure=True))
        disk.fill()
        for deg in range(50):
            keep(path, pan=Position(deg, is_sure=False))
        assert kept(path) == {"pan": Position(49, is_sure=False), "tilt": Position(2, is_sure=True)}


def test_a_full_disk_is_told_where_nothing_was_written_yet(tmp_path: Path) -> None:
    with a_small_disk(tmp_path) as disk:
        disk.fill()
        with pytest.raises(StoreError, match=r"disk.*full"):
            keep(disk.folder / "it.sqlite3", pan=FIRST)


def test_a_read_only_disk_is_read_and_told(tmp_path: Path) -> None:
    with a_small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        keep(path, pan=Position(1, is_sure=True))
        disk.remount("ro")
        positions = Positions(path)
        assert positions.all() == {"pan": Position(1, is_sure=True)}
        with pytest.raises(StoreError, match="read-only: let this user write"):
            positions.keep({"pan": Position(1, is_sure=False)})
        positions.close()
        with pytest.raises(StoreError):
            Positions(disk.folder / "another.sqlite3")
