"""What the room has decided, as it is saved: its curtain, its microphone, its quiet hours, and who has to knock."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import msgspec

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

logger = logging.getLogger(__name__)

MAX_CHARS = 64

Text = Annotated[str, msgspec.Meta(max_length=MAX_CHARS)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CHARS)]
Span = tuple[int, int, int]


class SavedRoom(msgspec.Struct, frozen=True, kw_only=True):
    """One room.

    Attributes:
        is_closed: whether the curtain is closed.
        by: the id of the person who closed or opened it last, or "".
        since_utc_s: when that was; None if never.
        is_muted: whether the microphone is switched off.
        guests_hear: whether guests may hear the room.
        quiet: the quiet hours: a weekday and two minutes of the day each.
        welcomes: the name of each person's welcome.
    """

    is_closed: bool
    by: Text
    since_utc_s: Annotated[int, msgspec.Meta(ge=0, le=2**40)] | None
    is_muted: bool = False
    guests_hear: bool = False
    quiet: tuple[Span, ...]
    welcomes: dict[Word, Word]


def save_room(connection: sqlite3.Connection, room: SavedRoom) -> None:
    """Replace what is saved by this; what has not changed is not written, so that it needs no space on a full disk."""
    connection.execute(
        "INSERT INTO room (id, is_closed, by, since_utc_s, quiet, is_muted, guests_hear) VALUES (1, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET"
        " is_closed = excluded.is_closed, by = excluded.by, since_utc_s = excluded.since_utc_s, quiet = excluded.quiet,"
        " is_muted = excluded.is_muted, guests_hear = excluded.guests_hear",
        (
            int(room.is_closed),
            room.by,
            room.since_utc_s,
            msgspec.json.encode(room.quiet).decode(),
            int(room.is_muted),
            int(room.guests_hear),
        ),
    )
    saved = _welcomes(connection)
    gone = [(person,) for person in saved.keys() - room.welcomes.keys()]
    changed = [(person, welcome) for person, welcome in room.welcomes.items() if saved.get(person) != welcome]
    connection.executemany("DELETE FROM room_welcome WHERE person = ?", gone)
    connection.executemany(
        "INSERT INTO room_welcome (person, welcome) VALUES (?, ?)"
        " ON CONFLICT (person) DO UPDATE SET welcome = excluded.welcome",
        changed,
    )


def close_curtain(connection: sqlite3.Connection, by: str, since_utc_s: int) -> None:
    """Save that the curtain is closed, and leave the rest as it is; for a command while no server runs."""
    connection.execute(
        "INSERT INTO room (id, is_closed, by, since_utc_s, quiet) VALUES (1, 1, ?, ?, '[]') ON CONFLICT (id) DO UPDATE"
        " SET is_closed = 1, by = excluded.by, since_utc_s = excluded.since_utc_s WHERE is_closed <> 1",
        (by, since_utc_s),
    )


def silence_microphone(connection: sqlite3.Connection) -> None:
    """Save that the microphone is switched off and that guests hear nothing, where a curtain was saved."""
    connection.execute("UPDATE room SET is_muted = 1, guests_hear = 0")


def load_room(connection: sqlite3.Connection, path: Path) -> SavedRoom | None:
    """What is saved; None if nothing ever was.

    Of what is damaged nobody knows whether the curtain was closed, so it is: this is logged, with the file's path.
    """
    rows = connection.execute("SELECT is_closed, by, since_utc_s, quiet, is_muted, guests_hear FROM room").fetchall()
    welcomes = _welcomes(connection)
    if not rows and not welcomes:
        return None
    try:
        ((is_closed, by, since_utc_s, quiet, is_muted, guests_hear),) = rows
        fields = {
            "is_closed": {0: False, 1: True}[is_closed],
            "by": by,
            "since_utc_s": since_utc_s,
            "is_muted": {0: False, 1: True}[is_muted],
            "guests_hear": {0: False, 1: True}[guests_hear],
            "quiet": msgspec.json.decode(quiet),
            "welcomes": welcomes,
        }
        return msgspec.convert(fields, SavedRoom)
    except (ValueError, KeyError, TypeError, msgspec.MsgspecError):
        logger.warning("%s: what the room had decided is damaged, so its curtain is closed", path)
        return SavedRoom(is_closed=True, by="", since_utc_s=None, is_muted=True, quiet=(), welcomes={})


def _welcomes(connection: sqlite3.Connection) -> dict[object, object]:
    return dict(connection.execute("SELECT person, welcome FROM room_welcome").fetchall())
