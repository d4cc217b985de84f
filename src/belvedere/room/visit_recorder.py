"""Writes the visit book into the store, and reads, deletes and exports it for the room.

A visit is saved when it begins, when anything about it changes, and every SAVE_EVERY_S while it goes on. So whatever
ends the program costs at most that much of its length.
"""

from __future__ import annotations

import asyncio
import enum
import functools
import time
from typing import TYPE_CHECKING, Final

from belvedere.access.sessions import new_id
from belvedere.room.visit_book import VisitBook
from belvedere.store import visits as rows
from belvedere.store.database import LatestKey
from belvedere.store.visits import VisitPage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from belvedere.events import Event
    from belvedere.store.database import Database
    from belvedere.store.visits import SavedVisit

KIND: Final = "visits"
PRUNING: Final = LatestKey(KIND, "pruning")
SAVE_EVERY_S: Final = 60.0
PRUNE_EVERY_S: Final = 3600.0
EXPORT_TIMEOUT_S: Final = 30.0
DAY_S: Final = 86_400
FOR_EVER_S: Final = rows.MAX_S + 1


class ExportFormat(enum.StrEnum):
    """How the visit book is exported; the values are media types."""

    JSON = "application/json"
    CSV = "text/csv"


class VisitRecorder:
    """Receives every event, and has the visit book.

    Args:
        database: None keeps no book: only the visits that go on are known.
        keep_days: how long a visit is kept; 0 keeps none, as without a database.
        name_of: see `VisitBook`.
        clock: seconds, monotonic.
        utc: seconds since 1970, wall-clock time.
        on_arrival: called when somebody comes who was not here before.
    """

    def __init__(
        self,
        database: Database | None,
        keep_days: int,
        *,
        name_of: Callable[[str], str],
        clock: Callable[[], float],
        utc: Callable[[], float] = time.time,
        on_arrival: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._keep_days = keep_days
        self._clock = clock
        self._utc = utc
        self._on_arrival = on_arrival
        self._book = VisitBook(name_of, new_id)

    @property
    def is_kept(self) -> bool:
        """Whether visits are written down."""
        return self._database is not None and self._keep_days > 0

    @property
    def is_saving(self) -> bool:
        """Whether what is written down is on the disk, or will be within seconds."""
        return self._database is None or self._database.is_saving(KIND)

    @property
    def is_watched(self) -> bool:
        """Whether anybody has a picture."""
        return self._book.is_watched

    def receive(self, event: Event) -> None:
        """Take note of an event, which happens now. Never blocks."""
        changes = self._book.receive(event, self._clock(), self._utc())
        self._save(changes.rows)
        if changes.has_arrived:
            self._on_arrival()

    async def run(self) -> None:
        """Save how long the visits last, and delete what is too old, until cancelled."""
        prune_at = self._clock()
        while True:
            if self._clock() >= prune_at:
                self._prune()
                prune_at = self._clock() + PRUNE_EVERY_S
            self.save_running()
            await asyncio.sleep(SAVE_EVERY_S)

    def save_running(self) -> None:
        """Save the visits that go on, as they are now."""
        self._save(self._book.tick(self._clock(), self._utc()))

    async def page(self, limit: int, before: str | None = None) -> VisitPage:
        """The newest visits, or the newest of those before this one. Raises StoreError."""
        running = {each.id: each for each in self._book.rows(self._clock())}
        if self._database is None or not self.is_kept:
            return VisitPage([] if before is not None else [*reversed(running.values())], has_more=False)
        saved = await self._database.read(functools.partial(rows.load_visits, limit=limit, before=before), "the visits")
        known = {each.id for each in saved.visits}
        unsaved = [] if before is not None else [each for each in reversed(running.values()) if each.id not in known]
        return VisitPage([*unsaved, *(running.get(each.id, each) for each in saved.visits)], saved.has_more)

    async def delete(self, visit_id: str) -> bool:
        """Delete a visit; returns whether there was one. Of one that goes on nothing more is written down.

        Raises StoreError.
        """
        is_running = any(each.id == visit_id for each in self._book.rows(self._clock()))
        self._book.delete(visit_id)
        if self._database is None or not self.is_kept:
            return is_running
        what = f"the deletion of visit {visit_id}"
        if not is_running and not await self._database.read(functools.partial(rows.has_visit, visit_id=visit_id), what):
            return False
        delete = functools.partial(rows.delete_visit, visit_id=visit_id)
        self._database.write_latest(LatestKey(KIND, visit_id), delete, what)  # in place of a row that still waits
        await self._database.write(delete, what)
        return True

    async def export(self, export_format: ExportFormat) -> bytes:
        """The whole book; without one, the visits that go on. Raises StoreError."""
        encode = rows.encode_json if export_format is ExportFormat.JSON else rows.encode_csv
        if self._database is None or not self.is_kept:
            return encode(self._book.rows(self._clock()))
        self.save_running()
        load = functools.partial(rows.export_visits, encode=encode)  # in the store's thread: it may be thousands
        return await self._database.read(load, "the visits", EXPORT_TIMEOUT_S)

    def _save(self, changed: Iterable[SavedVisit]) -> None:
        if self._database is None or not self.is_kept:
            return
        for each in changed:
            write = functools.partial(rows.save_visit, visit=each)
            self._database.write_latest(LatestKey(KIND, each.id), write, f"the visit of {each.name}")

    def _prune(self) -> None:
        if self._database is None:
            return
        before_utc_s = int(self._utc()) - self._keep_days * DAY_S if self.is_kept else FOR_EVER_S
        prune = functools.partial(rows.prune_visits, before_utc_s=before_utc_s)
        self._database.write_latest(PRUNING, prune, "the deletion of old visits")
