"""A house on the disk, with settings and a store, for the tests of backups."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from belvedere.access.rights import Role
from belvedere.app.people_client import open_people
from belvedere.app.settings import read_config
from belvedere.store.positions import Position, load_positions, save_positions
from belvedere.store.room import load_room
from belvedere.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
[head]
kind = "bluetooth"
profile = "heads/mine.toml"
[store]
file = "state/it.sqlite3"
[stage.turn]
kind = "coturn"
urls = ["turn:turn.example.org"]
secret_file = "keys/turn"
"""
SECRET = "a-secret-of-the-owner"  # noqa: S105 (of no owner)


def make_house(folder: Path, profile: str, *people: str) -> Path:
    """A house with these people, and an axis whose position is sure. Returns the path of its settings."""
    (folder / "heads").mkdir(parents=True)
    (folder / "keys").mkdir()
    (folder / "heads/mine.toml").write_text(profile, encoding="utf-8")
    (folder / "keys/turn").write_text(f"{SECRET}\n", encoding="utf-8")
    (folder / "keys/turn").chmod(0o600)
    settings = folder / "belvedere.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    add_people(settings, *people)
    with contextlib.closing(SqliteFile(store_of(settings))) as file:
        file.write(lambda connection: save_positions(connection, {"pan": Position(5, is_sure=True)}))
    return settings


def store_of(settings: Path) -> Path:
    return settings.parent / "state/it.sqlite3"


def add_people(settings: Path, *people: str) -> None:
    with open_people(read_config(settings)) as client:
        for name in people:
            client.invite(client.add(name, Role.VISITOR).id)


def people_of(settings: Path) -> list[str]:
    with open_people(read_config(settings)) as client:
        return [person.name for person in client.people()]


def links_of(settings: Path) -> int:
    with open_people(read_config(settings)) as client:
        return sum(person.invitations for person in client.people())


def position_in(store: Path) -> Position:
    with contextlib.closing(SqliteFile(store)) as file:
        return file.read(lambda connection: load_positions(connection, store))["pan"]


def is_closed(store: Path) -> bool:
    with contextlib.closing(SqliteFile(store)) as file:
        room = file.read(lambda connection: load_room(connection, store))
        return room is not None and room.is_closed


def content(folder: Path) -> dict[str, bytes]:
    """All files below a folder, without the lock."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "belvedere.lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
