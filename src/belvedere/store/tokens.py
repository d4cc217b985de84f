"""The saved tokens of scripts. Of each only the digest of its secret: nothing here lets anybody in who reads it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

logger = logging.getLogger(__name__)

DIGEST_BYTES: Final = 32
MAX_S: Final = 2**40  # seconds: a later time is an error

_COLUMNS: Final = "id, name, scope, digest, created_utc_s, ends_utc_s"

TokenId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{12}\Z")]
TokenName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]+\Z", max_length=32, description="letters, digits and -")]
Scope = Literal["drive", "look"]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_S)]


class SavedToken(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    Attributes:
        id: its name in requests; not a secret.
        name: what the owner calls the script.
        scope: the one thing that it may do.
        digest: the SHA-256 of the secret.
        created_utc_s: when it was created.
        ends_utc_s: when it ends, in wall-clock time; 0 for never.
    """

    id: TokenId
    name: TokenName
    scope: Scope
    digest: Annotated[bytes, msgspec.Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
    created_utc_s: Seconds
    ends_utc_s: Seconds = 0


def save_token(connection: sqlite3.Connection, token: SavedToken) -> None:
    """Add a token."""
    row = msgspec.structs.astuple(token)
    connection.execute(f"INSERT INTO access_token ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row)  # noqa: S608 - constants


def delete_token(connection: sqlite3.Connection, token_id: str) -> None:
    """Delete a token; does nothing where there is none."""
    connection.execute("DELETE FROM access_token WHERE id = ?", (token_id,))


def delete_all_tokens(connection: sqlite3.Connection) -> None:
    """Delete every token."""
    connection.execute("DELETE FROM access_token")


def load_tokens(connection: sqlite3.Connection, path: Path) -> list[SavedToken]:
    """All saved tokens, oldest first. One with an invalid value is logged, with the file's path, and left out."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM access_token ORDER BY created_utc_s, id").fetchall()  # noqa: S608 - constants
    tokens = []
    for row in rows:
        fields = dict(zip(SavedToken.__struct_fields__, row, strict=True))
        try:
            tokens.append(msgspec.convert(fields, SavedToken, builtin_types=(bytes,)))
        except msgspec.ValidationError:
            logger.warning("%s: contains an invalid token of a script, which lets nobody in", path)
    return tokens
