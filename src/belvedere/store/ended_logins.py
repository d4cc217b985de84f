"""The saved logins at Cloudflare Access that were ended before their time: none of them opens a session again.

All of them are replaced at once, together with the sessions. Only digests are saved.
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

_COLUMNS: Final = "digest, ends_utc_s"


class SavedEndedLogin(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    Attributes:
        digest: the SHA-256 of the token.
        ends_utc_s: when the token expires, and need not be remembered any more.
    """

    digest: Annotated[bytes, msgspec.Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
    ends_utc_s: Annotated[int, msgspec.Meta(ge=0)]


def save_ended_logins(connection: sqlite3.Connection, ended: Iterable[SavedEndedLogin]) -> None:
    """Replace all that were saved by these."""
    connection.execute("DELETE FROM access_ended_login")
    rows = [(each.digest, each.ends_utc_s) for each in ended]
    connection.executemany(f"INSERT INTO access_ended_login ({_COLUMNS}) VALUES (?, ?)", rows)  # noqa: S608 - constant


def load_ended_logins(connection: sqlite3.Connection, path: Path) -> list[SavedEndedLogin]:
    """All that were saved. One with an invalid value is logged, with the file's path, and left out."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM access_ended_login").fetchall()  # noqa: S608 - constant
    ended = [each for row in rows if (each := _ended_login(row)) is not None]
    if len(ended) < len(rows):
        lost = len(rows) - len(ended)
        logger.warning("%s: contains %d invalid ended logins, which count again until they expire", path, lost)
    return ended


def _ended_login(row: tuple[object, ...]) -> SavedEndedLogin | None:
    try:
        return msgspec.convert(
            dict(zip(_COLUMNS.split(", "), row, strict=True)), SavedEndedLogin, builtin_types=(bytes,)
        )
    except msgspec.ValidationError:
        return None
