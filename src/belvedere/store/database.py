"""The one database, for code on the event loop: a thread of its own does all the work, and nobody waits for a disk.

    await database.write(function)        done once, in order, or an error: for what must not be lost
    database.write_latest(key, function)  never waits; the newest of its key is tried until the disk takes it
    await database.read(function)

Each function is called in that thread with a `sqlite3.Connection`, inside a transaction: what it does is all done or
not at all. What is newest goes first, because "this position is not sure" must be on the disk before the head has
moved far; there is no order between the two kinds of write.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import sqlite3
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from belvedere.errors import StoreError
from belvedere.store.request import Request
from belvedere.store.schema import MIGRATIONS
from belvedere.store.sqlite_file import SqliteFile
from belvedere.store.worker import Worker, WorkerThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from belvedere.store.schema import Migration

logger = logging.getLogger(__name__)

T = TypeVar("T")

OPEN_S = 2.0  # longer than a file may be locked; units that turn wait for their first stop meanwhile
LATE_S = 5.0  # a write that takes longer is told of
TIMEOUT_S = 5.0  # a person waits for the answer; three times as long as another program may lock the file
CLOSE_S = 3.0  # a disk that takes longer does not get what it is given at the end
RETRY_FIRST_S = 0.5
RETRY_LONGEST_S = 30.0  # the disk may be full for weeks
MAX_DOUBLINGS = 10  # by then the longest is reached
TIMER_S = 0.001  # a timer may be early by so much
MAX_REQUESTS = 256  # as many as 256 people who press a button at once; with the timeout, a bound on what waits
MAX_OF_A_KIND = 512  # above the sessions of one household; the oldest gives way
DISK_ERRORS = (
    sqlite3.OperationalError,
    sqlite3.DatabaseError,
)  # exactly these: the subclasses say that a call is wrong


class LatestKey(NamedTuple):
    """What a write replaces: the same `name` of the same `kind`, such as `LatestKey("position", "pan")`."""

    kind: str
    name: str


class _LatestWrite(NamedTuple):
    what: str
    write: Callable[[sqlite3.Connection], object]


class Database:
    """The store's file and its thread; its methods are called on the event loop, and never block it but for `open`.

    `migrations`, `open_file`, `worker` and `clock` are for tests.
    """

    def __init__(
        self,
        path: Path,
        migrations: Sequence[Migration] = MIGRATIONS,
        *,
        open_file: Callable[[Path, Sequence[Migration]], SqliteFile] = SqliteFile,
        worker: Callable[[Callable[[], float | None]], Worker] = WorkerThread,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._migrations = migrations
        self._open_file = open_file
        self._clock = clock
        self._worker = worker(self._work)
        self._on_opened: list[Callable[[SqliteFile], None]] = []
        self._was_tried = threading.Event()
        self._file: SqliteFile | None = None  # this and the next three are the thread's alone
        self._failures = 0
        self._retry_at_s = -math.inf
        self._was_last = False
        self._lock = threading.Lock()  # for what follows; never held while a disk is waited for
        self._requests: deque[Request[Any]] = deque()
        self._current: Request[Any] | None = None
        self._latest: dict[LatestKey, _LatestWrite] = {}
        self._waiting_since_s: float | None = None
        self._trouble: StoreError | None = None
        self._is_closing = False
        self._is_closed = False
        self._on_closed: Callable[[], None] = _ignore

    def on_opened(self, use: Callable[[SqliteFile], None]) -> None:
        """Have this called in the thread each time the file is opened, before it is brought to the newest version.

        By then it has version 1 at least, and it may stay at that if the disk is full. `use` may read and write the
        file; if it raises, the file is closed and opened again later.
        """
        self._on_opened.append(use)

    def open(self, within_s: float = OPEN_S) -> None:
        """Begin, and wait (at the start of the program only) until the file was tried for the first time."""
        self._worker.start()
        if not self._was_tried.wait(within_s):
            logger.warning("%s: the disk did not answer within %g s; going on without", self._path, within_s)

    async def write(self, write: Callable[[sqlite3.Connection], T], what: str, timeout_s: float = TIMEOUT_S) -> T:
        """Do this once, after the writes that came before; on return it is on the disk.

        `what` names it for people, as in "the session of Ann". Raises StoreError where it was not done; with
        `may_be_done` if the disk had been told and did not answer in time. Whatever else `write` raises comes through,
        and nothing is written. Who is cancelled takes the write back, unless the disk had been told.
        """
        return await self._requested(Request(write, what, is_write=True), timeout_s)

    async def read(self, read: Callable[[sqlite3.Connection], T], what: str, timeout_s: float = TIMEOUT_S) -> T:
        """What `read` finds, after the writes that came before. Raises StoreError as `write` does."""
        return await self._requested(Request(read, what, is_write=False), timeout_s)

    def write_latest(self, key: LatestKey, write: Callable[[sqlite3.Connection], object], what: str) -> None:
        """Do this as soon as the disk can, instead of what waits under this key; it is tried until it is done.

        `what` names it and its value for people. `write` may be called several times. If it raises what is not the
        disk's fault, that is logged and it is given up. Only the newest MAX_OF_A_KIND wait.
        """
        with self._lock:
            if key not in self._latest:
                self._make_room(key.kind)
            self._latest[key] = _LatestWrite(what, write)
            if self._waiting_since_s is None:
                self._waiting_since_s = self._clock()
            is_closed = self._is_closed
        if is_closed:
            logger.error("not saved: %s: %s is closed", what, self._path)
        self._worker.wake()

    @property
    def is_saving(self) -> bool:
        """Whether what was put into `write_latest` is on the disk, or will be in a moment."""
        with self._lock:
            is_late = self._waiting_since_s is not None and self._clock() - self._waiting_since_s > LATE_S
            return self._trouble is None and not is_late

    async def close(self, within_s: float = CLOSE_S) -> None:
        """Write what is left, once, and give the file back; log what was not saved, and tell those who wait for it."""
        loop = asyncio.get_running_loop()
        closed: asyncio.Future[None] = loop.create_future()
        with self._lock:
            self._is_closing = True
            self._on_closed = lambda: _call_in(loop, lambda: closed.set_result(None))
            if self._is_closed:
                return
        self._worker.wake()
        await asyncio.wait([closed], timeout=within_s)
        self._give_up()

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

    def _make_room(self, kind: str) -> None:
        same_kind = [key for key in self._latest if key.kind == kind]
        if len(same_kind) >= MAX_OF_A_KIND:
            del self._latest[same_kind[0]]

    def _give_up(self) -> None:
        """Tell, in the log and whoever waits, what the disk has not taken."""
        with self._lock:
            trouble = self._trouble or StoreError(f"{self._path}: the disk does not answer")
            requests = [*self._requests]
            self._requests.clear()
            writes = [request.what for request in (self._current, *requests) if request and request.is_write]
            left = [*(write.what for write in self._latest.values()), *writes]
        for what in left:
            logger.error("not saved: %s: %s", what, trouble)
        for request in requests:
            _fail(request, trouble)

    # in the thread

    def _work(self) -> float | None:
        """Do what is due; returns after how many seconds there is more, unless the worker is woken before."""
        with self._lock:
            is_last = self._is_closing
            request = self._current = self._requests.popleft() if self._requests else None
        if self._is_due(is_last=is_last, is_asked=request is not None):
            self._save()
        self._was_tried.set()
        if request is not None:
            self._serve(request)
        with self._lock:
            self._current = None
            if self._requests or is_last != self._is_closing:
                return 0.0
            if not is_last:
                return self._wait_s()
            self._is_closed = True
        if self._file is not None:
            self._file.close()
        self._on_closed()
        return None

    def _is_due(self, *, is_last: bool, is_asked: bool) -> bool:
        """Whether to open the file, or to write what is newest; at the end once more, and only if something is left."""
        if self._is_hopeless():
            return False
        if self._file is None and is_asked:
            return True
        if is_last:
            was_last, self._was_last = self._was_last, True
            return bool(self._latest) and not was_last
        return (self._file is None or bool(self._latest)) and self._clock() >= self._retry_at_s - TIMER_S

    def _is_hopeless(self) -> bool:
        return self._trouble is not None and self._trouble.is_lasting

    def _wait_s(self) -> float:
        if self._is_hopeless() or (self._file is not None and not self._latest):
            return math.inf
        return max(0.0, self._retry_at_s - self._clock())

    def _serve(self, request: Request[Any]) -> None:
        if self._file is not None:
            request.run(self._file)
        else:
            _fail(request, self._trouble or StoreError(f"{self._path}: is not open"))

    def _save(self) -> None:
        try:
            self._write_what_is_newest(self._opened())
        except Exception as error:  # noqa: BLE001 - the thread must go on, whatever else is wrong
            self._receive_trouble(error)
        else:
            self._receive_success()

    def _opened(self) -> SqliteFile:
        if self._file is not None:
            return self._file
        file = self._open_file(self._path, self._migrations)
        try:
            if file.version == 0:
                file.migrate(1)
            for use in self._on_opened:
                use(file)
            file.migrate()
        except BaseException:
            file.close()
            raise
        self._file = file
        return file

    def _write_what_is_newest(self, file: SqliteFile) -> None:
        with self._lock:
            writes = dict(self._latest)
        if not writes:
            return
        file.write(lambda connection: _write_each(connection, writes.values()))
        with self._lock:
            for key, write in writes.items():
                if self._latest.get(key) is write:  # and nothing newer has come
                    del self._latest[key]
            self._waiting_since_s = self._clock() if self._latest else None

    def _receive_trouble(self, error: Exception) -> None:
        """Tell it once, until all is well again."""
        bug = None if isinstance(error, StoreError) else error
        trouble = error if isinstance(error, StoreError) else StoreError(f"{self._path}: cannot be used ({error!r})")
        self._failures += 1
        doublings = min(self._failures - 1, MAX_DOUBLINGS)
        self._retry_at_s = self._clock() + min(RETRY_FIRST_S * 2.0**doublings, RETRY_LONGEST_S)
        with self._lock:
            is_known, self._trouble = self._trouble is not None, trouble
        level = logging.DEBUG if is_known else logging.WARNING
        logger.log(level, "could not save what must survive a restart: %s", trouble, exc_info=bug)

    def _receive_success(self) -> None:
        self._failures, self._retry_at_s = 0, -math.inf
        with self._lock:
            had_trouble, self._trouble = self._trouble is not None, None
        if had_trouble:
            logger.info("%s: saving works again", self._path)


def _write_each(connection: sqlite3.Connection, writes: Iterable[_LatestWrite]) -> None:
    """One after the other in one transaction; one that can never succeed keeps none of the others from it."""
    for what, write in writes:
        connection.execute("SAVEPOINT one")
        try:
            write(connection)
        except Exception as error:
            if type(error) in DISK_ERRORS:
                raise
            logger.exception("not saved, and given up: %s", what)
            connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")


def _fail(request: Request[Any], trouble: StoreError) -> None:
    """With an error of its own: one that is raised again and again would keep every traceback."""
    problem = f"{request.what}: was not done: {trouble}"
    request.fail(StoreError(problem, is_lasting=trouble.is_lasting))


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    """From the store's thread."""
    try:
        loop.call_soon_threadsafe(function)
    except RuntimeError:  # the loop has ended; nobody waits any more
        logger.debug("the store closed after the end of the program")


def _ignore() -> None:
    """Nobody needs to know."""
