"""Decides when people, invitations and sessions are saved, and brings them back at the start.

What is saved is always all of them, so the newest write is the truth and no order among writes matters.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import TYPE_CHECKING, Final

from belvedere.errors import StoreError
from belvedere.store.access import load_access, save_access
from belvedere.store.database import LatestKey

if TYPE_CHECKING:
    from pathlib import Path

    from belvedere.access.invitations import Invitations
    from belvedere.store.database import Database

logger = logging.getLogger(__name__)

KEY: Final = LatestKey("access", "all")
WHAT: Final = "the people and their sessions"
LOAD_AGAIN_S: Final = 5.0
SAVE_EVERY_S: Final = 600.0  # a session may last this much longer for each kill whose clock starts in the past


class AccessRecorder:
    """Saves whenever a person, an invitation or a session is added, changes or ends, and now and then.

    The latter saves how much time each session has left, which a restart with a wrong clock cannot know otherwise.
    """

    def __init__(self, database: Database, path: Path, invitations: Invitations) -> None:
        self._database = database
        self._path = path
        self._invitations = invitations
        self._is_loaded = False
        self._was_tried = asyncio.Event()

    async def load(self) -> None:
        """Restore what was saved. Nothing is raised: what fails is logged.

        From a file that is damaged nothing is ever read, so then there is nobody. A disk that is slow or locked is read
        again by `run`; until then nobody can come in, and nothing is saved: that would delete whoever was not read.
        """
        read = functools.partial(load_access, path=self._path)
        try:
            self._invitations.restore(await self._database.read(read, WHAT))
        except StoreError as error:
            if not error.is_lasting:
                level = logging.DEBUG if self._was_tried.is_set() else logging.WARNING
                logger.log(level, "could not read %s; nobody can come in until that succeeds: %s", WHAT, error)
                self._was_tried.set()
                return
            logger.warning("could not restore %s; everybody needs a new link: %s", WHAT, error)
        except Exception:
            logger.exception("could not restore %s; everybody needs a new link", WHAT)
        self._is_loaded = True
        self._was_tried.set()
        self._invitations.watch_saved(self.save_soon)
        self.save_soon()  # what was not restored must not come back later

    async def run(self) -> None:
        """Read again what could not be read, then save how much time the sessions have left, until cancelled."""
        await self._was_tried.wait()
        while not self._is_loaded:
            await asyncio.sleep(LOAD_AGAIN_S)
            await self.load()
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            if self._invitations.saved().sessions:
                self.save_soon()

    def save_soon(self) -> None:
        """Save all as it is, without waiting; it is retried until the disk takes it.

        Before `load` this does nothing: a program that is ended while it starts must not delete what it has not read.
        """
        if not self._is_loaded:
            return
        save = functools.partial(save_access, saved=self._invitations.saved())
        self._database.write_latest(KEY, save, WHAT)

    async def save(self) -> None:
        """Return once all is on the disk as it is, so nothing that ended can come back; raises StoreError if not."""
        if not self._is_loaded:
            raise StoreError(f"{WHAT} have not been read yet")
        self.save_soon()  # replaces an older state that still waits, and is retried if the next fails
        save = functools.partial(save_access, saved=self._invitations.saved())
        try:
            await self._database.write(save, WHAT)
        except StoreError as error:
            if not error.is_lasting:  # nothing is ever read again from a file that is damaged or of another program
                raise
