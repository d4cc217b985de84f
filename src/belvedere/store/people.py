"""The saved people, and the links that they have not used yet. Of a link's secret only the digest is saved.

People are updated in place, not replaced: rows of other tables may refer to them, and end with them.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import msgspec

from belvedere.store.sessions import DIGEST_BYTES, MAX_PERSON_CHARS, Id, Seconds, Word

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

logger = logging.getLogger(__name__)


class SavedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One person: `access.people.Person`."""

    id: Id
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PERSON_CHARS)]
    role: Word
    email: Annotated[str, msgspec.Meta(max_length=320)]
    has_joined: bool


class SavedLink(msgspec.Struct, frozen=True, kw_only=True):
    """One link: `access.links.Link`.

    Attributes:
        digest: the SHA-256 of its secret.
        ends_utc_s, left_s: as of `SavedSession`.
        session: the session that it was redeemed for, or "".
        browser: the SHA-256 of the secret of the browser that redeemed it, or nothing.
    """

    digest: bytes
    person: Id
    ends_utc_s: Seconds
    left_s: Seconds
    session: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{12})?\Z")] = ""
    browser: bytes = b""


def save_people(connection: sqlite3.Connection, people: Iterable[SavedPerson]) -> None:
    """Make these the only people."""
    rows = [(each.id, each.name, each.role, each.email, int(each.has_joined)) for each in people]
    known = {row[0] for row in rows}
    gone = [(name,) for (name,) in connection.execute("SELECT id FROM person") if name not in known]
    connection.executemany("DELETE FROM person WHERE id = ?", gone)
    connection.executemany(
        "INSERT INTO person (id, name, role, email, has_joined) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "
        "SET name = excluded.name, role = excluded.role, email = excluded.email, has_joined = excluded.has_joined",
        rows,
    )


def load_people(connection: sqlite3.Connection, path: Path) -> list[SavedPerson]:
    """All saved people, in the order in which they were added; one with an invalid value is logged and left out."""
    rows = connection.execute("SELECT id, name, role, email, has_joined FROM person ORDER BY rowid").fetchall()
    found = [_person(row) for row in rows]
    people = [each for each in found if each is not None]
    if len(people) < len(rows):
        logger.warning("%s: contains %d invalid people, who are left out", path, len(rows) - len(people))
    return people


def save_links(connection: sqlite3.Connection, links: Iterable[SavedLink]) -> None:
    """Replace all saved links by these."""
    connection.execute("DELETE FROM invitation")
    connection.executemany(
        "INSERT INTO invitation (digest, person, ends_utc_s, left_s, session, browser) VALUES (?, ?, ?, ?, ?, ?)",
        [(each.digest, each.person, each.ends_utc_s, each.left_s, each.session, each.browser) for each in links],
    )


def load_links(connection: sqlite3.Connection, path: Path) -> list[SavedLink]:
    """All saved links; one with an invalid value is logged and left out."""
    rows = connection.execute(
        "SELECT digest, person, ends_utc_s, left_s, session, browser FROM invitation ORDER BY rowid"
    ).fetchall()
    found = [_link(row) for row in rows]
    links = [each for each in found if each is not None]
    if len(links) < len(rows):
        logger.warning("%s: contains %d invalid invitations, which are void", path, len(rows) - len(links))
    return links


def _person(row: tuple[object, ...]) -> SavedPerson | None:
    fields = dict(zip(SavedPerson.__struct_fields__, row, strict=True))
    try:
        return msgspec.convert({**fields, "has_joined": fields["has_joined"] == 1}, SavedPerson)
    except msgspec.ValidationError:
        return None


def _link(row: tuple[object, ...]) -> SavedLink | None:
    fields = dict(zip(SavedLink.__struct_fields__, row, strict=True))
    try:
        link = msgspec.convert(fields, SavedLink, builtin_types=(bytes,))
    except msgspec.ValidationError:
        return None
    is_whole = len(link.digest) == DIGEST_BYTES and len(link.browser) == (DIGEST_BYTES if link.session else 0)
    return link if is_whole else None
