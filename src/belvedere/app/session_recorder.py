"""Decides when sessions are saved, and brings them back at the start.

What is saved is always all of them, so the newest write is the truth and no order among writes matters.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import TYPE_CHECKING, Final

from belvedere.errors import StoreError
from belvedere.store.bearers import load_bearers, save_bearers
from belvedere.store.database import LatestKey
from belvedere.store.sessions import load_sessions, save_sessions

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from belvedere.access.invitations import Invitations
    from belvedere.store.bearers import SavedBearer
    from belvedere.store.database import Database
    from belvedere.store.sessions import SavedSession

logger = logging.getLogger(__name__)

KEY: Final = LatestKey("sessions", "all")
SAVE_EVERY_S: Final = 600.0  # a session may last this much longer for each kill whose clock starts in the past


class SessionRecorder:
    """Saves the sessions whenever one begins, changes or ends, and now and then while there are any.

    The latter saves how much time each has left, which a restart with a wrong clock cannot know otherwise.
    """

    def __init__(self, database: Database, path: Path, invitations: Invitations) -> None:
        self._database = database
        self._path = path
        self._invitations = invitations
        self._is_loaded = False

    async def load(self) -> None:
        """Restore the saved sessions. If they cannot be read, there are none: this is logged, and nothing is raised."""
        try:
            sessions, bearers = await self._database.read(self._read, "the sessions")
            self._invitations.restore(sessions)
            self._invitations.bearers.restore(bearers)
        except StoreError as error:
            logger.warning("could not restore the sessions; their visitors need new links: %s", error)
        except Exception:
            logger.exception("could not restore the sessions; their visitors need new links")
        self._is_loaded = True
        self._invitations.watch_saved(self.save_soon)
        self.save_soon()  # what was not restored must not come back later

    async def run(self) -> None:
        """Save how much time the sessions have left, until cancelled."""
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            if self._invitations.saved():
                self.save_soon()

    def save_soon(self) -> None:
        """Save the sessions as they are, without waiting; it is retried until the disk takes it.

        Before `load` this does nothing: a program that is ended while it starts must not delete what it has not read.
        """
        if not self._is_loaded:
            return
        self._database.write_latest(KEY, self._write_of_now(), "the sessions")

    async def save(self) -> None:
        """Return once no session that has ended can come back; raises StoreError if one may."""
        self.save_soon()  # replaces an older state that still waits, and is retried if the next fails
        try:
            await self._database.write(self._write_of_now(), "the sessions")
        except StoreError as error:
            if not error.is_lasting:  # nothing is ever read again from a file that is damaged or of another program
                raise

    def _read(self, connection: sqlite3.Connection) -> tuple[list[SavedSession], list[SavedBearer]]:
        return load_sessions(connection, self._path), load_bearers(connection, self._path)

    def _write_of_now(self) -> Callable[[sqlite3.Connection], None]:
        return functools.partial(_write, sessions=self._invitations.saved(), bearers=self._invitations.bearers.saved())


def _write(connection: sqlite3.Connection, sessions: list[SavedSession], bearers: list[SavedBearer]) -> None:
    """Save both in one transaction: no bearer outlives its session."""
    save_sessions(connection, sessions)
    save_bearers(connection, bearers)
