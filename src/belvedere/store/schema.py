"""The tables of the store, as migrations.

`MIGRATIONS[0]` makes version 1 from an empty file, and so on. A released migration is never edited: a change is a new
one at the end, either SQL or a function of the connection. Each runs in its own transaction, so none may begin or end
one. Each must work on empty tables too, because the store runs them in memory to learn which tables a version has.

Rules for new tables:
- `STRICT`, with a primary key.
- Times are wall-clock times in whole seconds since 1970, UTC, in a column whose name ends in `_utc_s`. A Raspberry Pi
  has no clock while it is off, so after a power cut such a time may be hours behind until the network sets the clock.
- Of a secret only its hash is stored.
- The positions are read and marked "not sure" before later migrations run, in files of every version: after a migration
  of the table `position`, the statements in `positions.py` must still work on a file that has not been migrated.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable

Migration = str | Callable[[sqlite3.Connection], None]

POSITIONS = """
CREATE TABLE position (
    axis TEXT PRIMARY KEY,
    deg REAL NOT NULL,
    is_sure INTEGER NOT NULL
)
"""
"""The position of each axis: degrees from its first position, and 1 if it surely has not moved since, else 0."""

SESSIONS = """
CREATE TABLE access_session (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    role TEXT NOT NULL,
    rights TEXT NOT NULL,
    ends_utc_s INTEGER NOT NULL,
    left_s INTEGER NOT NULL
) STRICT;
CREATE TABLE access_cookie (
    digest BLOB PRIMARY KEY,
    session TEXT NOT NULL REFERENCES access_session (id) ON DELETE CASCADE
) STRICT
"""
"""The sessions of visitors: the names of their rights with spaces between them, and how many seconds each has left."""

PEOPLE_TABLES = """
CREATE TABLE person (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    email TEXT NOT NULL,
    has_joined INTEGER NOT NULL
) STRICT;
CREATE TABLE invitation (
    digest BLOB PRIMARY KEY,
    person TEXT NOT NULL,
    ends_utc_s INTEGER NOT NULL,
    left_s INTEGER NOT NULL,
    session TEXT NOT NULL,
    browser BLOB NOT NULL
) STRICT;
ALTER TABLE access_session ADD COLUMN seen_utc_s INTEGER NOT NULL DEFAULT 0;
ALTER TABLE access_session ADD COLUMN idle_left_s INTEGER NOT NULL DEFAULT 0;
ALTER TABLE access_session ADD COLUMN opened_utc_s INTEGER NOT NULL DEFAULT 0;
ALTER TABLE access_session ADD COLUMN label TEXT NOT NULL DEFAULT '';
UPDATE access_session SET idle_left_s = left_s, seen_utc_s = max(0, ends_utc_s - left_s)
"""
"""The people; their invitations, used ones with the session and the browser; and more about each session.

A row of `person` may be referred to from other tables, with ON DELETE CASCADE. It is updated in place.
"""


def add_people(connection: sqlite3.Connection) -> None:
    """Add the tables, and a person for each session: until now a session had only a word for whose it was.

    Whoever could invite others becomes an owner. No session gets a right that it did not have.
    """
    for statement in PEOPLE_TABLES.split(";"):
        connection.execute(statement)
    rows = connection.execute(
        "SELECT person, role, rights FROM access_session ORDER BY rights LIKE '%manage%' DESC"
    ).fetchall()
    known: set[str] = set()
    for person, role, rights in rows:
        name = hashlib.sha256(person.encode("utf-8", "replace")).hexdigest()[:12]
        if name not in known:
            known.add(name)
            row = (name, *_described(role, set(rights.split())))
            connection.execute("INSERT INTO person VALUES (?, ?, ?, '', 1)", row)
        connection.execute("UPDATE access_session SET person = ? WHERE person = ?", (name, person))
    connection.execute("UPDATE access_session SET role = (SELECT role FROM person WHERE id = access_session.person)")


def _described(role: str, rights: set[str]) -> tuple[str, str]:
    """The name and the role of a person who had this role and these rights in version 2."""
    if "manage" in rights:
        return "Owner", "owner"
    if role == "resident":
        return "Resident", "resident"
    return ("Visitor", "visitor") if "drive" in rights else ("Guest", "guest")


BEARERS = """
CREATE TABLE access_bearer (
    digest BLOB PRIMARY KEY,
    session TEXT NOT NULL,
    origin TEXT NOT NULL,
    left_s INTEGER NOT NULL
) STRICT
"""
"""What proves sessions in pages of other sites: the page's origin, and how many seconds each is still valid."""

PASSKEYS = """
CREATE TABLE access_passkey (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    label TEXT NOT NULL,
    host TEXT NOT NULL,
    credential BLOB NOT NULL UNIQUE,
    public_key BLOB NOT NULL,
    sign_count INTEGER NOT NULL,
    created_utc_s INTEGER NOT NULL,
    used_utc_s INTEGER NOT NULL
) STRICT
"""
"""The passkeys of people: only what is public of each."""

ROOM = """
CREATE TABLE room (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    is_closed INTEGER NOT NULL,
    by TEXT NOT NULL,
    since_utc_s INTEGER,
    quiet TEXT NOT NULL
) STRICT;
CREATE TABLE room_welcome (
    person TEXT PRIMARY KEY,
    welcome TEXT NOT NULL
) STRICT
"""
"""What the room has decided: its curtain, its quiet hours as JSON, and who has to knock."""

VISITS = """
CREATE TABLE room_visit (
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    began_utc_s INTEGER NOT NULL,
    lasted_s INTEGER NOT NULL,
    looked_s INTEGER NOT NULL,
    drove_s INTEGER NOT NULL,
    ways TEXT NOT NULL,
    stills INTEGER NOT NULL,
    knocks INTEGER NOT NULL,
    refusals INTEGER NOT NULL
) STRICT;
CREATE INDEX room_visit_person ON room_visit (person);
CREATE INDEX room_visit_began ON room_visit (began_utc_s)
"""
"""The visit book, a row for each visit.

`place` is its place in the order in which they began; `ways` are the transports of the picture, with spaces between.
"""

TOKENS = """
CREATE TABLE access_token (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    digest BLOB NOT NULL,
    created_utc_s INTEGER NOT NULL,
    ends_utc_s INTEGER NOT NULL
) STRICT
"""
"""The tokens of scripts: what each may do, the SHA-256 of its secret, and its end, 0 for never."""

ENDED_LOGINS = """
CREATE TABLE access_ended_login (
    digest BLOB PRIMARY KEY,
    ends_utc_s INTEGER NOT NULL
) STRICT
"""
"""The logins at Cloudflare Access that were ended before their time: the SHA-256 of the token, and when it expires."""

PARTICIPANTS = """
CREATE TABLE ivs_participant (
    id TEXT PRIMARY KEY,
    join_by_utc_s INTEGER NOT NULL
) STRICT;
CREATE TABLE ivs_month (
    month TEXT PRIMARY KEY,
    participant_s INTEGER NOT NULL
) STRICT;
ALTER TABLE room_visit ADD COLUMN participant_s INTEGER NOT NULL DEFAULT 0
"""
"""Amazon IVS: who may still be on its stage, and for how long participants were there, by months and by visits."""

VOICE = """
ALTER TABLE room ADD COLUMN is_muted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN guests_hear INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room_visit ADD COLUMN talked_s INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room_visit ADD COLUMN talked_utc_s INTEGER NOT NULL DEFAULT 0
"""
"""The room's microphone and whether guests hear it; how long and when last a visit's person talked, 0 for never."""

MIGRATIONS: tuple[Migration, ...] = (
    *(POSITIONS, SESSIONS, add_people, PASSKEYS, ROOM, VISITS, BEARERS, TOKENS),
    *(ENDED_LOGINS, PARTICIPANTS, VOICE),
)
