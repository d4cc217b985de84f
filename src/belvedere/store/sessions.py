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
MAX_S: Final = 2**40  # seconds: a later time is an error

Seconds = Annotated[int, msgspec.Meta(gt=0, le=MAX_S)]
Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{1,20}\Z")]


class SavedSession(msgspec.Struct, frozen=True, kw_only=True):
    """One row, and the digests of its cookies.

    Attributes:
        id, person, role: those of `access.sessions.Session`.
        rights: the names of its rights.
        ends_utc_s: when it ends, in wall-clock time.
        left_s: how long it may still be used, measured by clocks that do not jump.
        digests: the SHA-256 of each of its cookies.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{12}\Z")]
    person: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PERSON_CHARS)]
    role: Word
    rights: tuple[Word, ...]
    ends_utc_s: Seconds
    left_s: Seconds
    digests: tuple[bytes, ...]


def save_sessions(connection: sqlite3.Connection, sessions: Iterable[SavedSession]) -> None:
    """Replace all saved sessions by these."""
    connection.execute("DELETE FROM access_cookie")
    connection.execute("DELETE FROM access_session")
    for each in sessions:
        row = (each.id, each.person, each.role, " ".join(each.rights), each.ends_utc_s, each.left_s)
        connection.execute(
            "INSERT INTO access_session (id, person, role, rights, ends_utc_s, left_s) VALUES (?, ?, ?, ?, ?, ?)", row
        )
        cookies = [(digest, each.id) for digest in each.digests]
        connection.executemany("INSERT INTO access_cookie (digest, session) VALUES (?, ?)", cookies)


def load_sessions(connection: sqlite3.Connection, path: Path) -> list[SavedSession]:
    """All saved sessions. One with an invalid value is logged, with the file's path, and left out as a whole."""
    rows = connection.execute("SELECT id, person, role, rights, ends_utc_s, left_s FROM access_session").fetchall()
    digests: dict[object, list[object]] = {}
    for digest, session in connection.execute("SELECT digest, session FROM access_cookie"):
        digests.setdefault(session, []).append(digest)
    found = (_session(row, digests.get(row[0], [])) for row in rows)
    sessions = [each for each in found if each is not None]
    if len(sessions) < len(rows):
        logger.warning("%s: contains %d invalid sessions, which are ended", path, len(rows) - len(sessions))
    return sessions


def _session(row: tuple[object, ...], digests: list[object]) -> SavedSession | None:
    name, person, role, rights, ends_utc_s, left_s = row
    try:
        session = msgspec.convert(
            {
                "id": name,
                "person": person,
                "role": role,
                "rights": str(rights).split(),
                "ends_utc_s": ends_utc_s,
                "left_s": left_s,
                "digests": digests,
            },
            SavedSession,
            builtin_types=(bytes,),
        )
    except msgspec.ValidationError:
        return None
    return session if all(len(each) == DIGEST_BYTES for each in session.digests) else None
