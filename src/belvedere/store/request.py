"""A call that a coroutine waits for, and that the store's thread does once or not at all.

    OPEN -> COMMITTING -> done      the function has returned and the transaction is being committed
    OPEN -> WITHDRAWN               the waiter was cancelled or timed out; the transaction is rolled back

Both threads change the state under one lock, so a waiter knows for certain which of the two happened.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import threading
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from belvedere.errors import StoreError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from belvedere.store.sqlite_file import SqliteFile

logger = logging.getLogger(__name__)

T = TypeVar("T")

STEPS_BETWEEN_CHECKS = 10_000  # instructions of SQLite's virtual machine; many checks a second at no noticeable cost


class RequestState(enum.Enum):
    """The progress of a request; it can be withdrawn only while it is open."""

    OPEN = enum.auto()  # it waits, or its function runs in a transaction that can still be rolled back
    COMMITTING = enum.auto()  # the commit has begun; whether it succeeds is not known yet
    WITHDRAWN = enum.auto()  # its caller does not wait any more; none of it is done


class _WithdrawnError(Exception):
    """Rolls the transaction back."""


class Request(Generic[T]):
    """A function for the store's thread, and its result for the coroutine that waits.

    Attributes:
        what: its name in messages.
        is_write: whether it may change the file.
    """

    def __init__(self, function: Callable[[sqlite3.Connection], T], what: str, *, is_write: bool) -> None:
        self.what = what
        self.is_write = is_write
        self._function = function
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._lock = threading.Lock()
        self._state = RequestState.OPEN
        self._is_abandoned = False
        self._result: T | None = None
        self._error: Exception | None = None

    async def result(self, timeout_s: float) -> T:
        """Wait for the result. After a timeout or cancellation the function is not started any more.

        Raises StoreError after the timeout, with `may_be_done` if the commit had begun.
        """
        try:
            await asyncio.wait([self._over], timeout=timeout_s)
        finally:
            is_withdrawn = self._withdraw()
            self._is_abandoned = not is_withdrawn and not self._over.done()
        if not self._over.done():
            problem = "was not done" if is_withdrawn else "may have been done, or not"
            late = f"{self.what}: {problem}: the disk did not answer within {timeout_s:g} s"
            raise StoreError(late, may_be_done=not is_withdrawn)
        if self._error is not None:
            raise self._error
        return cast("T", self._result)

    def run(self, file: SqliteFile) -> None:
        """Call the function, in the thread; if the request is withdrawn, its transaction is rolled back."""
        try:
            self._result = file.write(self._confirmed) if self.is_write else file.read(self._bounded)
        except _WithdrawnError:
            return
        except Exception as error:  # noqa: BLE001 - raised in `result`
            self._error = error
        self._end()

    def fail(self, error: StoreError) -> None:
        """End the request with this error; from any thread."""
        self._error = error
        self._end()

    def _bounded(self, connection: sqlite3.Connection) -> T:
        """Make SQLite interrupt a statement whose caller has stopped waiting, because others wait for the thread."""
        connection.set_progress_handler(lambda: self._state is RequestState.WITHDRAWN, STEPS_BETWEEN_CHECKS)
        try:
            return self._function(connection)
        finally:
            connection.set_progress_handler(None, 0)

    def _confirmed(self, connection: sqlite3.Connection) -> T:
        result = self._bounded(connection)
        with self._lock:
            if self._state is RequestState.WITHDRAWN:
                raise _WithdrawnError
            self._state = RequestState.COMMITTING
        return result

    def _withdraw(self) -> bool:
        with self._lock:
            if self._state is RequestState.OPEN:
                self._state = RequestState.WITHDRAWN
            return self._state is RequestState.WITHDRAWN

    def _end(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._receive_end)
        except RuntimeError:  # the loop is closed, so nothing waits for this
            logger.debug("%s ended after the event loop was closed", self.what)

    def _receive_end(self) -> None:
        if self._is_abandoned:
            outcome = "was done" if self._error is None else f"failed ({self._error})"
            logger.warning("%s: %s after its caller had stopped waiting", self.what, outcome)
        if not self._over.done():
            self._over.set_result(None)
