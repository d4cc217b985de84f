"""The saved bearers: what proves sessions in pages of other sites, after a restart too. Only digests are saved.

All of them are replaced at once, together with the sessions.
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
MAX_ORIGIN_CHARS: Final = 253
MAX_LEFT_S: Final = 366 * 86400

_COLUMNS: Final = "digest, session, origin, left_s"


class SavedBearer(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    Attributes:
        digest: the SHA-256 of the bearer.
        session: the id of the session that it proves.
        origin: the origin whose pages may use it.
        left_s: how long it is still valid, measured by clocks that do not jump.
    """

    digest: Annotated[bytes, msgspec.Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
    session: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{12}\Z")]
    origin: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ORIGIN_CHARS)]
    left_s: Annotated[int, msgspec.Meta(gt=0, le=MAX_LEFT_S)]


def save_bearers(connection: sqlite3.Connection, bearers: Iterable[SavedBearer]) -> None:
    """Replace all saved bearers by these."""
    connection.execute("DELETE FROM access_bearer")
    rows = [(each.digest, each.session, each.origin, each.left_s) for each in bearers]
    connection.executemany(f"INSERT INTO access_bearer ({_COLUMNS}) VALUES (?, ?, ?, ?)", rows)  # noqa: S608 - constant


def load_bearers(connection: sqlite3.Connection, path: Path) -> list[SavedBearer]:
    """All saved bearers. One with an invalid value is logged, with the file's path, and left out."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM access_bearer").fetchall()  # noqa: S608 - constant
    bearers = [each for row in rows if (each := _bearer(row)) is not None]
    if len(bearers) < len(rows):
        logger.warning("%s: contains %d invalid bearers, which are ended", path, len(rows) - len(bearers))
    return bearers


def _bearer(row: tuple[object, ...]) -> SavedBearer | None:
    try:
        return msgspec.convert(dict(zip(_COLUMNS.split(", "), row, strict=True)), SavedBearer, builtin_types=(bytes,))
    except msgspec.ValidationError:
        return None
