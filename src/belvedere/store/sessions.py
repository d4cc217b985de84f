"""The saved sessions: who may come in again after a restart, and for how long. Of a cookie only its digest is saved.

All of them are replaced at once, so that the file never holds a session that has ended beside one that has not.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

logger = logging.getLogger(__name__)

DIGEST_BYTES: Final = 32
MAX_PERSON_CHARS: Final = 200
MAX_LABEL_CHARS: Final = 64
MAX_S: Final = 2**40  # seconds: a later time is an error

Seconds = Annotated[int, msgspec.Meta(gt=0, le=MAX_S)]
Time = Annotated[int, msgspec.Meta(ge=0, le=MAX_S)]
Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{12}\Z")]
Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{1,20}\Z")]


class SavedSession(msgspec.Struct, frozen=True, kw_only=True):
    """One row, and the digests of its cookies.

    Attributes:
        id, person, role: those of `access.sessions.Session`.
        rights: the names of its rights.
        ends_utc_s: when it ends, in wall-clock time.
        left_s: how long it may still be used, measured by clocks that do not jump.
        seen_utc_s, idle_left_s: when it was used last, and how long it may still be unused, by the same clocks.
        opened_utc_s: when it began; 0 where that is not known.
        label: the browser and system that it was opened in.
        digests: the SHA-256 of each of its cookies.
    """

    id: Id
    person: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PERSON_CHARS)]
    role: Word
    rights: tuple[Word, ...]
    ends_utc_s: Seconds
    left_s: Seconds
    seen_utc_s: Time = 0
    idle_left_s: Seconds = MAX_S
    opened_utc_s: Time = 0
    label: Annotated[str, msgspec.Meta(max_length=MAX_LABEL_CHARS)] = ""
    digests: tuple[bytes, ...]


COLUMNS: Final = (
    "id",
    "person",
    "role",
    "rights",
    "ends_utc_s",
    "left_s",
    "seen_utc_s",
    "idle_left_s",
    "opened_utc_s",
    "label",
)
_INSERT: Final = f"INSERT INTO access_session ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - of constants
_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM access_session"  # noqa: S608 - of constants


def save_sessions(connection: sqlite3.Connection, sessions: Iterable[SavedSession]) -> None:
    """Replace all saved sessions by these."""
    connection.execute("DELETE FROM access_cookie")
    connection.execute("DELETE FROM access_session")
    for each in sessions:
        values = {**msgspec.structs.asdict(each), "rights": " ".join(each.rights)}
        connection.execute(_INSERT, [values[name] for name in COLUMNS])
        cookies = [(digest, each.id) for digest in each.digests]
        connection.executemany("INSERT INTO access_cookie (digest, session) VALUES (?, ?)", cookies)


def load_sessions(connection: sqlite3.Connection, path: Path) -> list[SavedSession]:
    """All saved sessions. One with an invalid value is logged, with the file's path, and left out as a whole."""
    rows = connection.execute(_SELECT).fetchall()
    digests: dict[object, list[object]] = {}
    for digest, session in connection.execute("SELECT digest, session FROM access_cookie"):
        digests.setdefault(session, []).append(digest)
    found = (_session(row, digests.get(row[0], [])) for row in rows)
    sessions = [each for each in found if each is not None]
    if len(sessions) < len(rows):
        logger.warning("%s: contains %d invalid sessions, which are ended", path, len(rows) - len(sessions))
    return sessions


def _session(row: tuple[object, ...], digests: list[object]) -> SavedSession | None:
    fields = dict(zip(COLUMNS, row, strict=True))
    fields |= {"rights": str(fields["rights"]).split(), "digests": digests}
    try:
        session = msgspec.convert(fields, SavedSession, builtin_types=(bytes,))
    except msgspec.ValidationError:
        return None
    return session if all(len(each) == DIGEST_BYTES for each in session.digests) else None
