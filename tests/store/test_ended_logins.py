"""Ended logins are replaced as a whole, and a row that is damaged is left out."""

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from belvedere.store.ended_logins import SavedEndedLogin, load_ended_logins, save_ended_logins
from belvedere.store.sqlite_file import SqliteFile

FIRST = SavedEndedLogin(digest=b"a" * 32, ends_utc_s=1_800_000_000)
SECOND = SavedEndedLogin(digest=b"b" * 32, ends_utc_s=1_800_000_001)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    with contextlib.closing(SqliteFile(tmp_path / "it.sqlite3")) as opened:
        opened.migrate()
        yield opened


def save(file: SqliteFile, *ended: SavedEndedLogin) -> None:
    file.write(functools.partial(save_ended_logins, ended=ended))


def load(file: SqliteFile) -> list[SavedEndedLogin]:
    return file.read(functools.partial(load_ended_logins, path=file.path))


def test_what_was_saved_is_loaded_and_a_later_save_replaces_all_of_it(file: SqliteFile) -> None:
    assert load(file) == []
    save(file, FIRST, SECOND)
    assert load(file) == [FIRST, SECOND]
    save(file, SECOND)
    assert load(file) == [SECOND]


@pytest.mark.parametrize("damage", ["digest = x'00'", "ends_utc_s = -1"])
def test_a_damaged_row_is_left_out_and_logged(file: SqliteFile, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    save(file, FIRST, SECOND)
    file.write(lambda db: db.execute(f"UPDATE access_ended_login SET {damage} WHERE ends_utc_s = 1800000000"))  # noqa: S608 - of this test
    assert load(file) == [SECOND]
    (line,) = caplog.messages
    assert line.startswith(f"{file.path}: contains 1 invalid ended logins")
