"""The database, for code on the event loop. A thread does all disk access, so the event loop never waits for a disk.

    await database.write(function)        done once, in order, or an error: for data that must not be lost
    database.write_latest(key, function)  never waits; the newest write of each key is retried until it succeeds
    await database.read(function)

The thread calls each function with a `sqlite3.Connection`, inside a transaction: its changes are committed all or not
at all. Writes of `write_latest` come before requests, because "this position is not sure" must be on the disk before
the head has moved far. Between the two kinds of write there is no order.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from belvedere.errors import StoreError
from belvedere.store.copies import LOOK_EVERY_S, delete_expired_copies
from belvedere.store.latest import LatestWrite, LatestWrites, Retry, is_of_the_disk
from belvedere.store.request import Request
from belvedere.store.schema import MIGRATIONS
from belvedere.store.sqlite_file import SqliteFile
from belvedere.store.worker import Worker, WorkerThread

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from belvedere.store.schema import Migration

logger = logging.getLogger(__name__)

T = TypeVar("T")

OPEN_TIMEOUT_S = 2.0  # longer than a file may be locked; but the first stop to the units waits for it
TIMEOUT_S = 5.0  # a person waits for it; three times as long as another program may lock the file
CLOSE_TIMEOUT_S = 3.0  # writes that take longer at shutdown are lost
MAX_REQUESTS = 256  # waiting at a time, far more than people cause; bounds the memory together with the timeout


class LatestKey(NamedTuple):
    """A write replaces an earlier one with the same `kind` and `name`, such as `LatestKey("positions", "pan")`."""

    kind: str
    name: str


class Database:
    """The store's file and its thread. All methods are called on the event loop, and none but `open` blocks it.

    `migrations`, `open_file`, `worker`, `clock` and `utc` are replaced in tests.
    """

    def __init__(
        self,
        path: Path,
        migrations: Sequence[Migration] = MIGRATIONS,
        *,
        open_file: Callable[[Path, Sequence[Migration]], SqliteFile] = SqliteFile,
        worker: Callable[[Callable[[], float | None]], Worker] = WorkerThread,
        clock: Callable[[], float] = time.monotonic,
        utc: Callable[[], float] = time.time,
    ) -> None:
        self._utc = utc
        self._path = path
        self._migrations = migrations
        self._open_file = open_file
        self._clock = clock
        self._worker = worker(self._work)
        self._on_opened: list[Callable[[SqliteFile], None]] = []
        self._was_tried = threading.Event()
        self._file: SqliteFile | None = None  # used by the thread only, as are the next three
        self._was_closing = False
        self._copied_version: int | None = None
        self._look_at = -math.inf  # for copies that have expired
        self._lock = threading.Lock()  # guards the attributes below; never held during disk access
        self._requests: deque[Request[Any]] = deque()
        self._current: Request[Any] | None = None
        self._opening = Retry()
        self._latest: dict[str, LatestWrites] = {}
        self._is_closing = False
        self._is_closed = False
        self._on_closed: Callable[[], None] = _ignore

    def on_opened(self, use: Callable[[SqliteFile], None]) -> None:
        """Call `use` in the thread each time the file was opened, before the migrations to the newest version.

        The file has at least version 1 by then, and may remain at it if the disk is full. `use` may read and write the
        file; if it raises, the file is closed and opened again later.
        """
        self._on_opened.append(use)

    def open(self, timeout_s: float = OPEN_TIMEOUT_S) -> None:
        """Start the thread and block until it has tried to open the file; for the start of the program only."""
        self._worker.start()
        if not self._was_tried.wait(timeout_s):
            logger.warning("%s: could not open the store within %g s; starting without it", self._path, timeout_s)

    async def write(self, write: Callable[[sqlite3.Connection], T], what: str, timeout_s: float = TIMEOUT_S) -> T:
        """Do this once, after earlier calls of `write`; on return it is on the disk.

        `what` names it in messages, as in "the session of Ann". Raises StoreError if it was not done, or with
        `may_be_done` if the commit had begun and did not end in time. Other exceptions of `write` are passed on, and
        nothing is written. Cancelling the caller cancels the write, unless the commit has begun.
        """
        return await self._requested(Request(write, what, is_write=True), timeout_s)

    async def read(self, read: Callable[[sqlite3.Connection], T], what: str, timeout_s: float = TIMEOUT_S) -> T:
        """Return the result of `read`, called after earlier calls of `write`. Raises StoreError as `write` does."""
        return await self._requested(Request(read, what, is_write=False), timeout_s)

    def write_latest(self, key: LatestKey, write: Callable[[sqlite3.Connection], object], what: str) -> None:
        """Do this as soon as possible, in place of the waiting write of this key; it is retried until it succeeds.

        `what` names it and its value in messages. `write` may be called several times. If it raises an error that the
        disk did not cause, this is logged and the write is dropped. The kinds are few and named in the code; each has
        its own transaction and its own limit (MAX_WAITING).
        """
        with self._lock:
            latest = self._latest.setdefault(key.kind, LatestWrites())
            latest.put(key.name, LatestWrite(what, write), self._clock())
            is_closed = self._is_closed
        if is_closed:
            logger.error("could not save %s: %s is closed", what, self._path)
        self._worker.wake()

    def is_saving(self, kind: str) -> bool:
        """Whether all writes of this kind given to `write_latest` are on the disk, or will be within seconds."""
        with self._lock:
            latest = self._latest.get(kind)
            return self._opening.error is None and (latest is None or latest.is_saving(self._clock()))

    async def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Try the remaining writes once, then close the file; log what was not saved, and raise it in waiting calls."""
        loop = asyncio.get_running_loop()
        closed: asyncio.Future[None] = loop.create_future()
        with self._lock:
            self._is_closing = True
            self._on_closed = lambda: _call_in(loop, lambda: closed.set_result(None))
            if self._is_closed:
                return
        self._worker.wake()
        await asyncio.wait([closed], timeout=timeout_s)
        self._fail_remaining()

    async def _requested(self, request: Request[T], timeout_s: float) -> T:
        with self._lock:
            if self._is_closing:
                raise StoreError(f"{request.what}: was not done: {self._path} is closed")
            if len(self._requests) >= MAX_REQUESTS:
                raise StoreError(f"{request.what}: was not done: {MAX_REQUESTS} others wait for {self._path}")
            self._requests.append(request)
        self._worker.wake()
        try:
            return await request.result(timeout_s)
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._requests.remove(request)

    def _fail_remaining(self) -> None:
        """Log the writes that were not done, and raise StoreError in the callers that wait."""
        no_answer = StoreError(f"{self._path}: the disk does not answer")
        with self._lock:
            left = [
                (write.what, self._opening.error or latest.retry.error or no_answer)
                for latest in self._latest.values()
                for write in latest.waiting.values()
            ]
            why = self._opening.error or no_answer
            requests = [*self._requests]
            self._requests.clear()
            left += [(each.what, why) for each in (self._current, *requests) if each is not None and each.is_write]
        for what, error in left:
            logger.error("could not save %s: %s", what, error)
        for request in requests:
            _fail(request, why)

    # Called in the thread.

    def _work(self) -> float | None:
        """Do what is due. Returns the seconds until the next call, unless woken before; None at the end."""
        with self._lock:
            is_closing = self._is_closing
            request = self._current = self._requests.popleft() if self._requests else None
        is_last_try = is_closing and not self._was_closing  # the first round after `close`: everything is tried once
        self._was_closing = is_closing
        if self._file is None and self._is_open_due(is_last_try=is_last_try, is_asked=request is not None):
            self._open()
        self._was_tried.set()
        if self._file is not None:
            self._write_latest(self._file, is_last_try=is_last_try)
        if request is not None:
            self._serve(request)
        if self._file is not None:
            self._delete_copies()
        with self._lock:
            self._current = None
            if self._requests or is_closing != self._is_closing:
                return 0.0
            if not is_closing:
                return self._wait_s()
            self._is_closed = True
        if self._file is not None:
            self._file.close()
        self._on_closed()
        return None

    def _is_open_due(self, *, is_last_try: bool, is_asked: bool) -> bool:
        """Whether to open the file now: for a request, for a retry, or at the end if there is something to write."""
        with self._lock:
            is_left = is_last_try and any(latest.waiting for latest in self._latest.values())
        if is_asked or is_left:
            return not self._opening.is_hopeless
        return not self._was_closing and self._opening.is_due(self._clock())

    def _open(self) -> None:
        file: SqliteFile | None = None
        try:
            file = self._open_file(self._path, self._migrations)
            if file.version == 0:
                file.migrate(1)
            for use in self._on_opened:
                use(file)
            self._migrate(file)
        except Exception as error:  # noqa: BLE001 - the thread must survive any error
            if file is not None:
                file.close()
            self._receive_error(self._opening, "anything", error)
        else:
            self._file = file
            with self._lock:
                is_recovery = self._opening.receive_success()
            if is_recovery:
                logger.info("%s: opened after earlier failures", self._path)

    def _migrate(self, file: SqliteFile) -> None:
        """Migrate to the newest version, after a copy; a migration that fails again and again is copied for once."""
        if file.version != self._copied_version:
            file.keep_copy()
            self._copied_version = file.version
        file.migrate()

    def _delete_copies(self) -> None:
        """Also a server that is not restarted for months deletes them: once a day, when it does something anyway."""
        now = self._clock()
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            delete_expired_copies(self._path, self._utc())

    def _write_latest(self, file: SqliteFile, *, is_last_try: bool) -> None:
        """Write each kind in its own transaction: if the disk has no room for one, the others are written."""
        with self._lock:
            now = self._clock()
            kinds = [(kind, each) for kind, each in self._latest.items() if is_last_try or each.retry.is_due(now)]
            due = [(kind, latest, [*latest.waiting.items()]) for kind, latest in kinds if latest.waiting]
        for kind, latest, writes in due:
            try:
                file.write(functools.partial(_write_each, writes=[write for _, write in writes]))
            except Exception as error:  # noqa: BLE001 - the thread must survive any error
                self._receive_error(latest.retry, kind, error)
            else:
                with self._lock:
                    is_recovery = latest.receive_saved(writes, self._clock())
                if is_recovery:
                    logger.info("%s: saving %s works again", self._path, kind)

    def _wait_s(self) -> float:
        now = self._clock()
        if self._file is None:
            return self._opening.wait_s(now)
        return min((latest.retry.wait_s(now) for latest in self._latest.values() if latest.waiting), default=math.inf)

    def _serve(self, request: Request[Any]) -> None:
        if self._file is not None:
            request.run(self._file)
        else:
            _fail(request, self._opening.error or StoreError(f"{self._path}: is not open"))

    def _receive_error(self, retry: Retry, what: str, error: Exception) -> None:
        """Schedule a retry. Only the first of several failures in a row is logged as a warning."""
        bug = None if isinstance(error, StoreError) else error
        reason = error if isinstance(error, StoreError) else StoreError(f"{self._path}: cannot be used ({error!r})")
        with self._lock:
            is_first = retry.receive_error(reason, self._clock())
        level = logging.WARNING if is_first else logging.DEBUG
        logger.log(level, "could not save %s: %s", what, reason, exc_info=bug)


def _write_each(connection: sqlite3.Connection, writes: Sequence[LatestWrite]) -> None:
    """Do the writes in one transaction; one that can never succeed is dropped and does not affect the others."""
    for what, write in writes:
        connection.execute("SAVEPOINT one")
        try:
            write(connection)
        except Exception as error:
            if is_of_the_disk(error):
                raise
            logger.exception("could not save %s; it is not retried", what)
            connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")


def _fail(request: Request[Any], reason: StoreError) -> None:
    """Fail a request with a new error: raising one object repeatedly would collect a traceback each time."""
    problem = f"{request.what}: was not done: {reason}"
    request.fail(StoreError(problem, is_lasting=reason.is_lasting))


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    """Call on the event loop, from the store's thread."""
    try:
        loop.call_soon_threadsafe(function)
    except RuntimeError:  # the loop is closed, so nothing waits for this
        logger.debug("the store was closed after the event loop")


def _ignore() -> None:
    """Do nothing: `close` has not been called."""
