"""What waits to be written of which only the newest counts, and when to try again what a disk did not take; no I/O."""

from __future__ import annotations

import math
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from belvedere.errors import StoreError
from belvedere.store.sqlite_file import EXPLANATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RETRY_FIRST_S = 0.5
RETRY_LONGEST_S = 30.0  # the disk may be full for weeks
MAX_DOUBLINGS = 10  # by then the longest is reached
TIMER_S = 0.001  # a timer may be early by so much
LATE_S = 5.0  # what is not on the disk by then counts as not saved
MAX_WAITING = 512  # above the sessions of one household; the oldest gives way


class Retry:
    """Soon at first, then less and less often, and never after a trouble that lasts."""

    def __init__(self) -> None:
        self.trouble: StoreError | None = None
        self._failures = 0
        self._at_s = -math.inf

    @property
    def is_hopeless(self) -> bool:
        """Whether it is of no use to try again."""
        return self.trouble is not None and self.trouble.is_lasting

    def is_due(self, now: float) -> bool:
        """Whether to try."""
        return not self.is_hopeless and now >= self._at_s - TIMER_S

    def wait_s(self, now: float) -> float:
        """How long to wait until it is due."""
        return math.inf if self.is_hopeless else max(0.0, self._at_s - now)

    def receive_trouble(self, error: StoreError, now: float) -> bool:
        """It failed; whether that is news."""
        doublings = min(self._failures, MAX_DOUBLINGS)
        self._at_s = now + min(RETRY_FIRST_S * 2.0**doublings, RETRY_LONGEST_S)
        self._failures += 1
        is_news, self.trouble = self.trouble is None, error
        return is_news

    def receive_success(self) -> bool:
        """It went well; whether that is news."""
        is_news, self.trouble = self.trouble is not None, None
        self._failures, self._at_s = 0, -math.inf
        return is_news


class LatestWrite(NamedTuple):
    """A write and its name for people."""

    what: str
    write: Callable[[sqlite3.Connection], object]


class LatestWrites:
    """The newest writes of one kind, by name."""

    def __init__(self) -> None:
        self.retry = Retry()
        self.waiting: dict[str, LatestWrite] = {}
        self._since_s = math.inf

    def put(self, name: str, write: LatestWrite, now: float) -> None:
        """Replace what waits under this name."""
        if name not in self.waiting and len(self.waiting) >= MAX_WAITING:
            del self.waiting[next(iter(self.waiting))]
        self.waiting[name] = write
        self._since_s = min(self._since_s, now)

    def receive_saved(self, saved: Sequence[tuple[str, LatestWrite]], now: float) -> bool:
        """These are on the disk; whether it is news that it takes any. What is newer goes on waiting."""
        for name, write in saved:
            if self.waiting.get(name) is write:
                del self.waiting[name]
        self._since_s = now if self.waiting else math.inf
        return self.retry.receive_success()

    def is_saving(self, now: float) -> bool:
        """Whether all is on the disk, or will be in a moment."""
        return self.retry.trouble is None and now - self._since_s <= LATE_S


def is_of_the_disk(error: Exception) -> bool:
    """Whether the disk may be at fault, so that the same call may succeed later."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorname", "").startswith(tuple(EXPLANATIONS))
    return isinstance(error, (StoreError, MemoryError))
