"""Tokens are saved one by one, and a row that is damaged lets nobody in."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

import msgspec
import pytest

from belvedere.store.sqlite_file import SqliteFile
from belvedere.store.tokens import SavedToken, delete_token, load_tokens, save_token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROBOT = SavedToken(id="0123456789ab", name="robot", scope="drive", digest=b"d" * 32, created_utc_s=1_800_000_000)
FRAME = msgspec.structs.replace(
    ROBOT, id="ba9876543210", name="frame", scope="look", created_utc_s=1_700_000_000, ends_utc_s=1_900_000_000
)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    with contextlib.closing(SqliteFile(tmp_path / "belvedere.sqlite3")) as opened:
        opened.migrate()
        for token in (ROBOT, FRAME):
            opened.write(functools.partial(save_token, token=token))
        yield opened


def load(file: SqliteFile) -> list[SavedToken]:
    return file.read(functools.partial(load_tokens, path=file.path))


def test_what_was_saved_is_loaded_oldest_first(file: SqliteFile) -> None:
    assert load(file) == [FRAME, ROBOT]


def test_one_is_deleted_and_no_other_and_twice_is_once(file: SqliteFile) -> None:
    for _ in range(2):
        file.write(functools.partial(delete_token, token_id=ROBOT.id))
    assert load(file) == [FRAME]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE access_token SET digest = x'00' WHERE id = ?",
        "UPDATE access_token SET scope = 'manage' WHERE id = ?",
        "UPDATE access_token SET name = 'A B' WHERE id = ?",
        "UPDATE access_token SET ends_utc_s = -1 WHERE id = ?",
    ],
)
def test_a_damaged_row_is_left_out_and_logged(file: SqliteFile, caplog: pytest.LogCaptureFixture, damage: str) -> None:
    file.write(lambda connection: connection.execute(damage, (ROBOT.id,)))
    assert load(file) == [FRAME]
    assert "invalid token" in caplog.text
