"""Passkeys are saved one by one, and a row that is damaged is no passkey."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

import msgspec
import pytest

from belvedere.store.passkeys import (
    SavedPasskey,
    delete_passkey,
    delete_passkeys_of,
    load_passkeys,
    save_passkey,
    save_use,
)
from belvedere.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PHONE = SavedPasskey(
    id="0123456789ab",
    person="aaaaaaaaaaaa",
    label="Phone",
    host="home.example.org",
    credential=b"c" * 32,
    public_key=b"k" * 77,
    sign_count=3,
    created_utc_s=1_800_000_000,
)
LAPTOP = msgspec.structs.replace(PHONE, id="ba9876543210", label="Laptop", credential=b"d", created_utc_s=1_700_000_000)
BENS = msgspec.structs.replace(PHONE, id="bbbbbbbbbbbb", person="bbbbbbbbbbbb", credential=b"e")


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    with contextlib.closing(SqliteFile(tmp_path / "it.sqlite3")) as opened:
        opened.migrate()
        for each in (PHONE, LAPTOP, BENS):
            opened.write(functools.partial(save_passkey, passkey=each))
        yield opened


def load(file: SqliteFile) -> list[SavedPasskey]:
    return file.read(functools.partial(load_passkeys, path=file.path))


def test_what_was_saved_is_loaded_oldest_first(file: SqliteFile) -> None:
    assert load(file) == [LAPTOP, PHONE, BENS]


def test_a_use_changes_the_count_and_the_time_and_brings_nothing_back(file: SqliteFile) -> None:
    used = msgspec.structs.replace(PHONE, sign_count=4, used_utc_s=1_800_000_100, label="ignored")
    file.write(functools.partial(save_use, passkey=used))
    assert load(file)[1] == msgspec.structs.replace(used, label=PHONE.label)
    file.write(functools.partial(delete_passkey, passkey_id=PHONE.id))
    file.write(functools.partial(save_use, passkey=used))
    assert load(file) == [LAPTOP, BENS]


def test_all_of_a_person_are_deleted_and_no_others(file: SqliteFile) -> None:
    file.write(functools.partial(delete_passkeys_of, person=PHONE.person))
    assert load(file) == [BENS]


@pytest.mark.parametrize("damage", ["sign_count = -1", "label = ''", "person = 'ana'", "public_key = x''"])
def test_a_damaged_row_is_left_out_and_logged(file: SqliteFile, caplog: pytest.LogCaptureFixture, damage: str) -> None:
    file.write(lambda connection: connection.execute(f"UPDATE access_passkey SET {damage} WHERE id = '{PHONE.id}'"))  # noqa: S608 - of this test
    assert load(file) == [LAPTOP, BENS]
    assert f"{file.path}: contains an invalid passkey" in caplog.text
