"""Sessions are replaced as a whole, and a row that is damaged in any way is no session."""

import contextlib
import functools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.store.sessions import COLUMNS, SavedSession, load_sessions, save_sessions
from belvedere.store.sqlite_file import SqliteFile

ANA = SavedSession(
    id="0123456789ab",
    person="0123456789ab",
    role="visitor",
    rights=("drive", "look"),
    ends_utc_s=1_800_000_000,
    left_s=40_000,
    digests=(b"a" * 32, b"b" * 32),
)
BEN = msgspec.structs.replace(ANA, id="ba9876543210", person="ba9876543210", rights=(), digests=())


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    with contextlib.closing(SqliteFile(tmp_path / "it.sqlite3")) as opened:
        opened.migrate()
        yield opened


def save(file: SqliteFile, *sessions: SavedSession) -> None:
    file.write(functools.partial(save_sessions, sessions=sessions))


def load(file: SqliteFile) -> list[SavedSession]:
    return file.read(functools.partial(load_sessions, path=file.path))


def test_what_was_saved_is_loaded_and_a_later_save_replaces_all_of_it(file: SqliteFile) -> None:
    assert load(file) == []
    save(file, ANA, BEN)
    assert load(file) == [ANA, BEN]
    save(file, BEN)
    assert load(file) == [BEN]
    save(file)
    assert load(file) == []
    assert file.read(lambda db: db.execute("SELECT count(*) FROM access_cookie").fetchone()) == (0,)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE access_session SET id = 'x' WHERE id = '0123456789ab'",
        "UPDATE access_session SET person = '' WHERE id = '0123456789ab'",
        "UPDATE access_session SET role = 'Owner!' WHERE id = '0123456789ab'",
        "UPDATE access_session SET rights = 'look DRIVE' WHERE id = '0123456789ab'",
        "UPDATE access_session SET ends_utc_s = 0 WHERE id = '0123456789ab'",
        "UPDATE access_session SET ends_utc_s = 9223372036854775807 WHERE id = '0123456789ab'",
        "UPDATE access_session SET left_s = -1 WHERE id = '0123456789ab'",
        "UPDATE access_cookie SET digest = x'61' WHERE digest = x'" + "61" * 32 + "'",
    ],
)
def test_a_damaged_row_is_logged_and_is_no_session(
    file: SqliteFile, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    save(file, ANA, BEN)
    file.write(lambda db: db.execute("PRAGMA defer_foreign_keys = ON"))
    file.write(
        lambda db: (db.execute("DELETE FROM access_cookie") if "id = 'x'" in damage else None, db.execute(damage))
    )
    assert load(file) == [BEN]
    assert "contains 1 invalid sessions" in caplog.text


@given(st.tuples(*[st.one_of(st.text(max_size=20), st.integers(-(2**63), 2**63 - 1))] * 4))
def test_whatever_a_row_contains_loading_never_fails(values: tuple[object, ...]) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"CREATE TABLE access_session ({', '.join(COLUMNS)})")
        database.execute("CREATE TABLE access_cookie (digest, session)")
        person, rights, ends_utc_s, left_s = values
        row = ("0123456789ab", person, "visitor", rights, ends_utc_s, left_s, ends_utc_s, left_s, 0, rights)
        database.execute("INSERT INTO access_session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        for each in load_sessions(database, Path("it")):
            assert each.left_s > 0
            assert 0 < len(each.person) <= 200
