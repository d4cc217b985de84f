"""Bearers are replaced as a whole, and a row that is damaged in any way is none."""

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from belvedere.store.bearers import SavedBearer, load_bearers, save_bearers
from belvedere.store.sqlite_file import SqliteFile

ANA = SavedBearer(digest=b"a" * 32, session="0123456789ab", origin="https://family.example", left_s=40_000)
BEN = msgspec.structs.replace(ANA, digest=b"b" * 32, session="ba9876543210")


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    with contextlib.closing(SqliteFile(tmp_path / "it.sqlite3")) as opened:
        opened.migrate()
        yield opened


def save(file: SqliteFile, *bearers: SavedBearer) -> None:
    file.write(functools.partial(save_bearers, bearers=bearers))


def load(file: SqliteFile) -> list[SavedBearer]:
    return file.read(functools.partial(load_bearers, path=file.path))


def test_what_was_saved_is_loaded_and_a_later_save_replaces_all_of_it(file: SqliteFile) -> None:
    assert load(file) == []
    save(file, ANA, BEN)
    assert load(file) == [ANA, BEN]
    save(file, BEN)
    assert load(file) == [BEN]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE access_bearer SET digest = x'00' WHERE session = '0123456789ab'",
        "UPDATE access_bearer SET session = 'x' WHERE session = '0123456789ab'",
        "UPDATE access_bearer SET origin = '' WHERE session = '0123456789ab'",
        "UPDATE access_bearer SET left_s = 0 WHERE session = '0123456789ab'",
        "UPDATE access_bearer SET left_s = 99999999999 WHERE session = '0123456789ab'",
    ],
)
def test_a_damaged_row_is_no_bearer_and_is_logged(
    file: SqliteFile, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    save(file, ANA, BEN)
    file.write(lambda db: db.execute(damage))
    assert load(file) == [BEN]
    assert caplog.messages == [f"{file.path}: contains 1 invalid bearers, which are ended"]
