"""A file of before there were people is upgraded with its sessions, none of which gets a right that it did not have."""

import contextlib
import functools
import sqlite3
from pathlib import Path

import pytest

from belvedere.store.access import load_access
from belvedere.store.schema import MIGRATIONS
from belvedere.store.sqlite_file import SqliteFile


def insert(statement: str, row: tuple[object, ...], connection: sqlite3.Connection) -> None:
    connection.execute(statement, row)


def old_file(path: Path, *rows: tuple[str, str, str, str]) -> None:
    """A file as version 2 wrote it, with these sessions: id, person, role and rights."""
    with contextlib.closing(SqliteFile(path, MIGRATIONS[:2])) as file:
        file.migrate()
        for number, row in enumerate(rows):
            values = (*row, 1_800_000_000, 40_000)
            file.write(functools.partial(insert, "INSERT INTO access_session VALUES (?, ?, ?, ?, ?, ?)", values))
            cookie = (bytes([number]) * 32, row[0])
            file.write(functools.partial(insert, "INSERT INTO access_cookie VALUES (?, ?)", cookie))


@pytest.mark.parametrize(
    ("row", "person"),
    [
        (("0123456789ab", "owner", "visitor", "drive look manage publish talk"), ("Owner", "owner")),
        (("0123456789ab", "rosa", "resident", "drive look"), ("Resident", "resident")),
        (("0123456789ab", "0123456789ab", "visitor", "drive look"), ("Visitor", "visitor")),
        (("0123456789ab", "an\udcff☃ a", "visitor", "look"), ("Guest", "guest")),
    ],
)
def test_a_session_of_before_there_were_people_goes_on_with_a_person_of_its_own(
    tmp_path: Path, row: tuple[str, str, str, str], person: tuple[str, str]
) -> None:
    path = tmp_path / "it.sqlite3"
    old_file(path, (row[0], row[1].replace("\udcff", ""), row[2], row[3]))
    with contextlib.closing(SqliteFile(path)) as file:
        file.migrate()
        access = file.read(lambda db: load_access(db, path))
    (known,), (session,) = access.people, access.sessions
    assert (known.name, known.role, known.has_joined) == (*person, True)
    assert (session.id, session.person, session.role) == (row[0], known.id, person[1])
    assert " ".join(session.rights) == row[3]
    assert (session.left_s, session.idle_left_s, session.seen_utc_s) == (40_000, 40_000, 1_799_960_000)
    assert session.digests == (bytes([0]) * 32,)


def test_several_sessions_of_one_person_stay_that_persons(tmp_path: Path) -> None:
    path = tmp_path / "it.sqlite3"
    rights = "drive look manage publish talk"
    old_file(path, ("0123456789ab", "owner", "visitor", rights), ("ba9876543210", "owner", "visitor", "look"))
    with contextlib.closing(SqliteFile(path)) as file:
        file.migrate()
        access = file.read(lambda db: load_access(db, path))
    (owner,) = access.people
    assert owner.role == "owner"
    assert {session.person for session in access.sessions} == {owner.id}
    assert {session.rights for session in access.sessions} == {tuple(rights.split()), ("look",)}
