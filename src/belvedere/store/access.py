"""All that says who may come in, saved and loaded as one: people, invitations and sessions.

It is replaced as a whole in one transaction, so the file never holds a session beside the unused invitation that it was
opened with, or a session of somebody who was removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from belvedere.store.bearers import SavedBearer, load_bearers, save_bearers
from belvedere.store.ended_logins import SavedEndedLogin, load_ended_logins, save_ended_logins
from belvedere.store.people import SavedLink, SavedPerson, load_links, load_people, save_links, save_people
from belvedere.store.sessions import SavedSession, load_sessions, save_sessions

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


class SavedAccess(msgspec.Struct, frozen=True, kw_only=True):
    """The people, their links, their sessions, what proves those in pages of other sites, and what proves none."""

    people: list[SavedPerson] = []
    links: list[SavedLink] = []
    sessions: list[SavedSession] = []
    bearers: list[SavedBearer] = []
    ended_logins: list[SavedEndedLogin] = []


def save_access(connection: sqlite3.Connection, saved: SavedAccess) -> None:
    """Replace all that was saved by this."""
    save_people(connection, saved.people)
    save_links(connection, saved.links)
    save_sessions(connection, saved.sessions)
    save_bearers(connection, saved.bearers)
    save_ended_logins(connection, saved.ended_logins)


def load_access(connection: sqlite3.Connection, path: Path) -> SavedAccess:
    """All that was saved; what is invalid, or belongs to nobody, is left out."""
    people = load_people(connection, path)
    known = {each.id for each in people}
    return SavedAccess(
        people=people,
        links=[each for each in load_links(connection, path) if each.person in known],
        sessions=[each for each in load_sessions(connection, path) if each.person in known],
        bearers=load_bearers(connection, path),
        ended_logins=load_ended_logins(connection, path),
    )
