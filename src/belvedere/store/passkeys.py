"""The saved passkeys: the public half of each, and whose it is. Nothing here lets anybody in who reads it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

logger = logging.getLogger(__name__)

MAX_LABEL_CHARS: Final = 64
MAX_KEY_BYTES: Final = 2048
MAX_CREDENTIAL_BYTES: Final = 1023
MAX_S: Final = 2**40  # seconds: a later time is an error

_COLUMNS: Final = "id, person, label, host, credential, public_key, sign_count, created_utc_s, used_utc_s"

Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{12}\Z")]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_S)]


class SavedPasskey(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    Attributes:
        id: its name for people and requests; not a secret.
        person: whose it is.
        label: what its owner calls it, such as the kind of device.
        host: the host name for which it was registered, and for which alone browsers offer it.
        credential: how the authenticator calls it.
        public_key: in COSE's form.
        sign_count: how often it was used, as far as it counts; most do not, and say 0.
        created_utc_s, used_utc_s: when it was registered, and last used; 0 where it has not been used.
    """

    id: Id
    person: Id
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LABEL_CHARS)]
    host: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    credential: Annotated[bytes, msgspec.Meta(min_length=1, max_length=MAX_CREDENTIAL_BYTES)]
    public_key: Annotated[bytes, msgspec.Meta(min_length=1, max_length=MAX_KEY_BYTES)]
    sign_count: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    created_utc_s: Seconds
    used_utc_s: Seconds = 0


def save_passkey(connection: sqlite3.Connection, passkey: SavedPasskey) -> None:
    """Add a passkey, or replace it as it was."""
    marks = ", ".join("?" for _ in SavedPasskey.__struct_fields__)
    row = msgspec.structs.astuple(passkey)
    connection.execute(f"INSERT OR REPLACE INTO access_passkey ({_COLUMNS}) VALUES ({marks})", row)  # noqa: S608 - constants


def save_use(connection: sqlite3.Connection, passkey: SavedPasskey) -> None:
    """Save how often, and when last, a passkey was used; does nothing where it has been deleted."""
    row = (passkey.sign_count, passkey.used_utc_s, passkey.id)
    connection.execute("UPDATE access_passkey SET sign_count = ?, used_utc_s = ? WHERE id = ?", row)


def delete_passkey(connection: sqlite3.Connection, passkey_id: str) -> None:
    """Delete one."""
    connection.execute("DELETE FROM access_passkey WHERE id = ?", (passkey_id,))


def delete_passkeys_of(connection: sqlite3.Connection, person: str) -> None:
    """Delete all of a person."""
    connection.execute("DELETE FROM access_passkey WHERE person = ?", (person,))


def load_passkeys(connection: sqlite3.Connection, path: Path) -> list[SavedPasskey]:
    """All of them, oldest first. One with an invalid value is logged, with the file's path, and left out."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM access_passkey ORDER BY created_utc_s, id").fetchall()  # noqa: S608 - a constant
    passkeys = []
    for row in rows:
        fields = dict(zip(SavedPasskey.__struct_fields__, row, strict=True))
        try:
            passkeys.append(msgspec.convert(fields, SavedPasskey, builtin_types=(bytes,)))
        except msgspec.ValidationError as error:
            logger.warning("%s: contains an invalid passkey, which cannot be used: %s", path, error)
    return passkeys
