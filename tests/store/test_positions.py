import sqlite3
from pathlib import Path

import pytest

from belvedere.errors import OwnerError
from belvedere.store.positions import Position, Positions


def test_what_was_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    first = Positions(tmp_path / "it.sqlite3")
    first.keep({"pan": Position(12.5, is_sure=True), "tilt": Position(-3.0, is_sure=False)})
    first.keep({"pan": Position(13.5, is_sure=True)})
    first.close()
    again = Positions(tmp_path / "it.sqlite3")
    assert again.all() == {"pan": Position(13.5, is_sure=True), "tilt": Position(-3.0, is_sure=False)}
    again.close()


def test_what_was_kept_is_there_even_if_nobody_closed_the_file(tmp_path: Path) -> None:
    crashed = Positions(tmp_path / "it.sqlite3")
    crashed.keep({"pan": Position(1.0, is_sure=False)})
    survivor = Positions(tmp_path / "it.sqlite3")
    assert survivor.all() == {"pan": Position(1.0, is_sure=False)}
    survivor.close()
    crashed.close()


def test_a_new_file_holds_nothing(tmp_path: Path) -> None:
    positions = Positions(tmp_path / "it.sqlite3")
    assert positions.all() == {}
    positions.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "it.sqlite3"
    path.write_text("this is not a database, and long enough for that to show" * 20, encoding="utf-8")
    with pytest.raises(OwnerError, match=r"it\.sqlite3"):
        Positions(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OwnerError, match="nowhere"):
        Positions(tmp_path / "nowhere" / "it.sqlite3")


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "it.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(OwnerError, match="later"):
        Positions(path)


def test_a_file_that_was_closed_is_an_error_of_the_stores(tmp_path: Path) -> None:
    positions = Positions(tmp_path / "it.sqlite3")
    positions.close()
    with pytest.raises(OwnerError, match=r"it\.sqlite3"):
        positions.all()
