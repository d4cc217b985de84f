"""What the room has decided, in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

from belvedere.store.room import SavedRoom, close_curtain, load_room, save_room, silence_microphone
from belvedere.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")
ROOM = SavedRoom(
    is_closed=True,
    by="5f0c2e9a11d4",
    since_utc_s=1_796_083_200,
    is_muted=True,
    guests_hear=True,
    quiet=((0, 1320, 420),),
    welcomes={"ann": "asked"},
)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    file = SqliteFile(tmp_path / "store")
    file.migrate()
    yield file
    file.close()


def load(file: SqliteFile) -> SavedRoom | None:
    return file.read(lambda connection: load_room(connection, file.path))


def save(file: SqliteFile, room: SavedRoom) -> None:
    file.write(lambda connection: save_room(connection, room))


def execute(statement: str) -> Callable[[sqlite3.Connection], object]:
    return lambda connection: connection.execute(statement)


def test_nothing_was_ever_saved(file: SqliteFile) -> None:
    assert load(file) is None


def test_what_is_saved_replaces_what_was(file: SqliteFile) -> None:
    save(file, ROOM)
    assert load(file) == ROOM
    changed = SavedRoom(is_closed=False, by="", since_utc_s=None, quiet=(), welcomes={"ann": "always", "bo": "asked"})
    save(file, changed)
    assert load(file) == changed
    save(file, ROOM)
    assert load(file) == ROOM


def test_welcomes_that_have_not_changed_are_not_written(file: SqliteFile) -> None:
    save(file, ROOM)
    file.write(execute("CREATE TRIGGER no_write BEFORE UPDATE ON room_welcome BEGIN SELECT RAISE(ABORT, 'no'); END"))
    save(file, SavedRoom(is_closed=False, by="", since_utc_s=None, quiet=(), welcomes=ROOM.welcomes))
    saved = load(file)
    assert saved is not None
    assert not saved.is_closed


def test_a_command_closes_the_curtain_and_leaves_the_rest(file: SqliteFile) -> None:
    save(file, SavedRoom(is_closed=False, by="ann", since_utc_s=5, quiet=ROOM.quiet, welcomes=ROOM.welcomes))
    file.write(lambda connection: close_curtain(connection, "local", 7))
    file.write(lambda connection: close_curtain(connection, "local", 8))  # it is closed already
    assert load(file) == SavedRoom(is_closed=True, by="local", since_utc_s=7, quiet=ROOM.quiet, welcomes=ROOM.welcomes)


def test_a_command_closes_the_curtain_of_a_room_that_never_had_one(file: SqliteFile) -> None:
    file.write(lambda connection: close_curtain(connection, "local", 7))
    saved = load(file)
    assert saved is not None
    assert saved.is_closed


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE room SET is_closed = 2",
        "UPDATE room SET by = printf('%.100c', 'x')",
        "UPDATE room SET since_utc_s = -1",
        "UPDATE room SET quiet = '{'",
        "UPDATE room SET quiet = '[[1]]'",
        "DELETE FROM room",
        "UPDATE room_welcome SET welcome = ''",
    ],
)
def test_what_is_damaged_is_closed(file: SqliteFile, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    save(file, SavedRoom(is_closed=False, by="", since_utc_s=1, quiet=(), welcomes={"ann": "asked"}))
    file.write(execute(damage))
    saved = load(file)
    assert saved is not None
    assert saved.is_closed
    assert "its curtain is closed" in caplog.text
    assert str(file.path) in caplog.text


def test_after_a_restore_the_microphone_is_off_and_the_rest_as_it_was(file: SqliteFile) -> None:
    save(file, SavedRoom(is_closed=True, by="ann", since_utc_s=5, guests_hear=True, quiet=(), welcomes=ROOM.welcomes))
    file.write(silence_microphone)
    assert load(file) == SavedRoom(
        is_closed=True, by="ann", since_utc_s=5, is_muted=True, quiet=(), welcomes=ROOM.welcomes
    )
