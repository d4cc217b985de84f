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
import functools
import logging
import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from belvedere.errors import StoreError
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

OPEN_S = 2.0  # longer than a file may be locked; units that turn wait for their first stop meanwhile
TIMEOUT_S = 5.0  # a person waits for the answer; three times as long as another program may lock the file
CLOSE_S = 3.0  # a disk that takes longer does not get what it is given at the end
MAX_REQUESTS = 256  # as many as 256 people who press a button at once; with the timeout, a bound on what waits


class LatestKey(NamedTuple):
    """What a write replaces: the same `name` of the same `kind`, such as `LatestKey("positions", "pan")`."""

    kind: str
    name: str


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
        self._file: SqliteFile | None = None  # the thread's alone, as is the next
        self._was_closing = False
        self._lock = threading.Lock()  # for what follows; never held while a disk is waited for
        self._requests: deque[Request[Any]] = deque()
        self._current: Request[Any] | None = None
        self._opening = Retry()
        self._latest: dict[str, LatestWrites] = {}
        self._is_closing = False
        self._is_closed = False
        self._on_closed: Callable[[], None] = _ignore

    def on_opened(self, use: Callable[[SqliteFile], None]) -> None:
        """Have this called in the thread each time the file is opened, before it is brought to the newest version.

        By then it has version 1 at least, and it may stay at that if the disk is full. `use` may read and write the
        file; if it raises, the file is closed and opened again later.
        """
        self._on_opened.append(use)

    def open(self, timeout_s: float = OPEN_S) -> None:
        """Begin, and wait (at the start of the program only) until the file was tried for the first time."""
        self._worker.start()
        if not self._was_tried.wait(timeout_s):
            logger.warning("%s: the disk did not answer within %g s; going on without", self._path, timeout_s)

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
        disk's fault, that is logged and it is given up. Kinds are few and named in the code; each has a transaction and
        a bound of its own (MAX_WAITING).
        """
        with self._lock:
            latest = self._latest.setdefault(key.kind, LatestWrites())
            latest.put(key.name, LatestWrite(what, write), self._clock())
            is_closed = self._is_closed
        if is_closed:
            logger.error("not saved: %s: %s is closed", what, self._path)
        self._worker.wake()

    def is_saving(self, kind: str) -> bool:
        """Whether what was put into `write_latest` of this kind is on the disk, or will be in a moment."""
        with self._lock:
            latest = self._latest.get(kind)
            return self._opening.trouble is None and (latest is None or latest.is_saving(self._clock()))

    async def close(self, timeout_s: float = CLOSE_S) -> None:
        """Write what is left, once, and give the file back; log what was not saved, and tell those who wait for it."""
        loop = asyncio.get_running_loop()
        closed: asyncio.Future[None] = loop.create_future()
        with self._lock:
            self._is_closing = True
            self._on_closed = lambda: _call_in(loop, lambda: closed.set_result(None))
            if self._is_closed:
                return
        self._worker.wake()
        await asyncio.wait([closed], timeout=timeout_s)
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

    def _give_up(self) -> None:
        """Tell, in the log and whoever waits, what the disk has not taken."""
        silence = StoreError(f"{self._path}: the disk does not answer")
        with self._lock:
            left = [
                (write.what, self._opening.trouble or latest.retry.trouble or silence)
                for latest in self._latest.values()
                for write in latest.waiting.values()
            ]
            why = self._opening.trouble or silence
            requests = [*self._requests]
            self._requests.clear()
            left += [(each.what, why) for each in (self._current, *requests) if each is not None and each.is_write]
        for what, trouble in left:
            logger.error("not saved: %s: %s", what, trouble)
        for request in requests:
            _fail(request, why)

    # in the thread

    def _work(self) -> float | None:
        """Do what is due; returns after how many seconds there is more, unless the worker is woken before."""
        with self._lock:
            is_closing = self._is_closing
            request = self._current = self._requests.popleft() if self._requests else None
        is_last_try = is_closing and not self._was_closing
        self._was_closing = is_closing
        if self._file is None and self._is_open_due(is_last_try=is_last_try, is_asked=request is not None):
            self._open()
        self._was_tried.set()
        if self._file is not None:
            self._write_latest(self._file, is_last_try=is_last_try)
        if request is not None:
            self._serve(request)
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
        """As soon as somebody asks; else when it is time to try again, and at the end if something is left."""
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
            file.migrate()
        except Exception as error:  # noqa: BLE001 - the thread must go on, whatever is wrong
            if file is not None:
                file.close()
            self._receive_trouble(self._opening, "anything", error)
        else:
            self._file = file
            with self._lock:
                is_news = self._opening.receive_success()
            if is_news:
                logger.info("%s: is open now", self._path)

    def _write_latest(self, file: SqliteFile, *, is_last_try: bool) -> None:
        """Each kind in a transaction of its own: one that the disk has no room for keeps no other from it."""
        with self._lock:
            now = self._clock()
            kinds = [(kind, each) for kind, each in self._latest.items() if is_last_try or each.retry.is_due(now)]
            due = [(kind, latest, [*latest.waiting.items()]) for kind, latest in kinds if latest.waiting]
        for kind, latest, writes in due:
            try:
                file.write(functools.partial(_write_each, writes=[write for _, write in writes]))
            except Exception as error:  # noqa: BLE001 - likewise
                self._receive_trouble(latest.retry, kind, error)
            else:
                with self._lock:
                    is_news = latest.receive_saved(writes, self._clock())
                if is_news:
                    logger.info("%s: takes %s again", self._path, kind)

    def _wait_s(self) -> float:
        now = self._clock()
        if self._file is None:
            return self._opening.wait_s(now)
        return min((latest.retry.wait_s(now) for latest in self._latest.values() if latest.waiting), default=math.inf)

    def _serve(self, request: Request[Any]) -> None:
        if self._file is not None:
            request.run(self._file)
        else:
            _fail(request, self._opening.trouble or StoreError(f"{self._path}: is not open"))

    def _receive_trouble(self, retry: Retry, what: str, error: Exception) -> None:
        """Tell it once, until all is well again."""
        bug = None if isinstance(error, StoreError) else error
        trouble = error if isinstance(error, StoreError) else StoreError(f"{self._path}: cannot be used ({error!r})")
        with self._lock:
            is_news = retry.receive_trouble(trouble, self._clock())
        level = logging.WARNING if is_news else logging.DEBUG
        logger.log(level, "could not save %s: %s", what, trouble, exc_info=bug)


def _write_each(connection: sqlite3.Connection, writes: Sequence[LatestWrite]) -> None:
    """One after the other in one transaction; one that can never succeed keeps none of the others from it."""
    for what, write in writes:
        connection.execute("SAVEPOINT one")
        try:
            write(connection)
        except Exception as error:
            if is_of_the_disk(error):
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
