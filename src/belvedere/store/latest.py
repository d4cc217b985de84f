"""Waiting writes of which only the newest of each name counts, and when to retry failed ones. No I/O."""

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
MAX_DOUBLINGS = 10  # the longest time is reached by then; avoids overflow
TIMER_TOLERANCE_S = 0.001  # a timer may fire this much early
LATE_S = 5.0  # writes that wait longer count as not saved
MAX_WAITING = 512  # names of one kind, more than there are sessions; above it the oldest is dropped


class Retry:
    """When to retry: soon at first, then at doubling intervals, and never after an error that is permanent.

    Attributes:
        error: the last error; None after a success.
    """

    def __init__(self) -> None:
        self.error: StoreError | None = None
        self._failures = 0
        self._at_s = -math.inf

    @property
    def is_hopeless(self) -> bool:
        """Whether retrying is useless, because the error is permanent."""
        return self.error is not None and self.error.is_lasting

    def is_due(self, now: float) -> bool:
        """Whether to try now."""
        return not self.is_hopeless and now >= self._at_s - TIMER_TOLERANCE_S

    def wait_s(self, now: float) -> float:
        """Seconds until the next try; infinite if there is none."""
        return math.inf if self.is_hopeless else max(0.0, self._at_s - now)

    def receive_error(self, error: StoreError, now: float) -> bool:
        """Record a failure; returns whether it is the first one since a success."""
        doublings = min(self._failures, MAX_DOUBLINGS)
        self._at_s = now + min(RETRY_FIRST_S * 2.0**doublings, RETRY_LONGEST_S)
        self._failures += 1
        is_first, self.error = self.error is None, error
        return is_first

    def receive_success(self) -> bool:
        """Record a success; returns whether there was an error before."""
        is_recovery, self.error = self.error is not None, None
        self._failures, self._at_s = 0, -math.inf
        return is_recovery


class LatestWrite(NamedTuple):
    """A write, and its name in messages."""

    what: str
    write: Callable[[sqlite3.Connection], object]


class LatestWrites:
    """The newest writes of one kind, by name.

    Attributes:
        retry: when to try again.
        waiting: the writes that are not on the disk yet.
    """

    def __init__(self) -> None:
        self.retry = Retry()
        self.waiting: dict[str, LatestWrite] = {}
        self._since_s = math.inf

    def put(self, name: str, write: LatestWrite, now: float) -> None:
        """Add a write, in place of the waiting one of this name."""
        if name not in self.waiting and len(self.waiting) >= MAX_WAITING:
            del self.waiting[next(iter(self.waiting))]
        self.waiting[name] = write
        self._since_s = min(self._since_s, now)

    def receive_saved(self, saved: Sequence[tuple[str, LatestWrite]], now: float) -> bool:
        """Remove writes that are done, unless newer ones replaced them; returns whether there was an error before."""
        for name, write in saved:
            if self.waiting.get(name) is write:
                del self.waiting[name]
        self._since_s = now if self.waiting else math.inf
        return self.retry.receive_success()

    def is_saving(self, now: float) -> bool:
        """Whether all writes are on the disk, or will be within seconds."""
        return self.retry.error is None and now - self._since_s <= LATE_S


def is_of_the_disk(error: Exception) -> bool:
    """Whether the disk may have caused the error, so that a retry may succeed."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorname", "").startswith(tuple(EXPLANATIONS))
    return isinstance(error, (StoreError, MemoryError))
