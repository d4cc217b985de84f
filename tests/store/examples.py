"""Three example tables for typical uses of a store, with their operations."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from belvedere.store.database import Database, LatestKey

if TYPE_CHECKING:
    import sqlite3

    from belvedere.store.schema import Migration

TABLES: tuple[Migration, ...] = (
    """
    CREATE TABLE session (
        id INTEGER PRIMARY KEY, person TEXT NOT NULL, cookie_hash BLOB NOT NULL UNIQUE, last_used_utc_s INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE invitation (
        token_hash BLOB PRIMARY KEY,
        ends_utc_s INTEGER NOT NULL,
        redeemed_by BLOB, -- the hash of a browser's secret
        session_id INTEGER REFERENCES session (id) ON DELETE SET NULL
    ) STRICT
    """,
    """
    CREATE TABLE visit (id INTEGER PRIMARY KEY, person TEXT NOT NULL, began_utc_s INTEGER NOT NULL) STRICT;
    CREATE INDEX visit_began ON visit (began_utc_s);
    """,
)
USE_SAVED_EVERY_S = 60


def add_session(connection: sqlite3.Connection, person: str, cookie: bytes, now_utc_s: int = 0) -> int:
    row = (person, cookie, now_utc_s)
    cursor = connection.execute("INSERT INTO session (person, cookie_hash, last_used_utc_s) VALUES (?, ?, ?)", row)
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def sessions(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    return connection.execute("SELECT person, last_used_utc_s FROM session ORDER BY id").fetchall()


def use_session(connection: sqlite3.Connection, session_id: int, now_utc_s: int) -> None:
    connection.execute("UPDATE session SET last_used_utc_s = ? WHERE id = ?", (now_utc_s, session_id))


class SessionUse:
    """When each session was last used, written at most once a minute."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._saved_utc_s: dict[int, int] = {}

    def receive_use(self, session_id: int, now_utc_s: int) -> None:
        if now_utc_s - self._saved_utc_s.get(session_id, 0) < USE_SAVED_EVERY_S:
            return
        self._saved_utc_s[session_id] = now_utc_s
        write = functools.partial(use_session, session_id=session_id, now_utc_s=now_utc_s)
        self._database.write_latest(
            LatestKey("session use", str(session_id)), write, f"the use of session {session_id}"
        )


def invite(connection: sqlite3.Connection, token: bytes, ends_utc_s: int = 1000) -> None:
    connection.execute("INSERT INTO invitation (token_hash, ends_utc_s) VALUES (?, ?)", (token, ends_utc_s))


def redeem(connection: sqlite3.Connection, token: bytes, browser: bytes, now_utc_s: int = 0) -> int | None:
    """The session of the browser that redeems it first; a second try gives it the same session, and others none."""
    row = (browser, token, now_utc_s)
    redeeming = "UPDATE invitation SET redeemed_by = ? WHERE token_hash = ? AND redeemed_by IS NULL AND ends_utc_s > ?"
    if connection.execute(redeeming, row).rowcount:
        session_id = add_session(connection, "Ann", browser, now_utc_s)
        connection.execute("UPDATE invitation SET session_id = ? WHERE token_hash = ?", (session_id, token))
    known = "SELECT session_id FROM invitation WHERE token_hash = ? AND redeemed_by = ?"
    found: tuple[int | None] | None = connection.execute(known, (token, browser)).fetchone()
    return found[0] if found is not None else None


def add_visit(connection: sqlite3.Connection, person: str, began_utc_s: int) -> None:
    connection.execute("INSERT INTO visit (person, began_utc_s) VALUES (?, ?)", (person, began_utc_s))


def visits(connection: sqlite3.Connection) -> list[str]:
    return [person for (person,) in connection.execute("SELECT person FROM visit ORDER BY began_utc_s")]


def delete_visits(connection: sqlite3.Connection, before_utc_s: int) -> int:
    return connection.execute("DELETE FROM visit WHERE began_utc_s < ?", (before_utc_s,)).rowcount
