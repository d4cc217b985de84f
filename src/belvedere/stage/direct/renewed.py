"""A value from a call that may block, such as a look-up or a request: kept, and renewed in a thread when it is used."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

FIRST_RETRY_S = 5.0  # after a failure; doubled by each further one
MAX_RETRY_S = 300.0

logger = logging.getLogger(__name__)


def start_thread(run: Callable[[], None]) -> None:
    """Run a function in a thread that never delays the program's end."""
    threading.Thread(target=run, name="renewal", daemon=True).start()


class Renewed(Generic[T]):
    """What `call` last returned. It is called in a thread, at most once at a time, and only while the value is used.

    A call that fails is repeated later each time; one that never returns is never repeated. Meanwhile the old value is
    used for as long as it is valid.

    Args:
        what: names the value in log lines.
        call: returns the value; may block, and raise anything.
        renew_s: how old a value is when it is asked for anew.
        valid_s: how old a value may be.
        clock: seconds, monotonic.
        start: runs a function in a thread.
    """

    def __init__(
        self,
        what: str,
        call: Callable[[], T],
        *,
        renew_s: float,
        valid_s: float = math.inf,
        clock: Callable[[], float],
        start: Callable[[Callable[[], None]], None] = start_thread,
    ) -> None:
        self._what = what
        self._call = call
        self._renew_s = renew_s
        self._valid_s = valid_s
        self._clock = clock
        self._start = start
        self._value: T | None = None
        self._valid_until = self._due_at = -math.inf
        self._failures = 0
        self._pending: asyncio.Future[None] | None = None

    def newest(self) -> T | None:
        """The value, or None where there is none that is valid. Never waits; begins a renewal that is due."""
        now = self._clock()
        if self._pending is None and now >= self._due_at:
            loop = asyncio.get_running_loop()
            self._pending = loop.create_future()
            self._start(lambda: self._run(loop, now))
        return self._value if now < self._valid_until else None

    async def get(self, timeout_s: float) -> T | None:
        """The value; where there is none that is valid, wait for one, at most this long."""
        value = self.newest()
        if value is None and self._pending is not None:
            with suppress(TimeoutError):
                async with timeout(timeout_s):
                    await asyncio.shield(self._pending)
        return self.newest()

    def _run(self, loop: asyncio.AbstractEventLoop, began_at: float) -> None:
        try:
            value, error = self._call(), None
        except Exception as raised:  # noqa: BLE001 - whatever it is, it is logged, and the call repeated
            value, error = None, raised
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(self._receive, value, error, began_at)

    def _receive(self, value: T | None, error: Exception | None, began_at: float) -> None:
        pending, self._pending = self._pending, None
        if error is None:
            if self._failures:
                logger.info("%s: works again", self._what)
            self._failures = 0
            self._value, self._valid_until = value, began_at + self._valid_s
            self._due_at = began_at + self._renew_s
        else:
            retry_s = min(FIRST_RETRY_S * 2**self._failures, MAX_RETRY_S)
            level = logging.DEBUG if self._failures else logging.WARNING
            logger.log(level, "%s failed, next attempt in %g s: %s", self._what, retry_s, error)
            self._failures = min(self._failures + 1, 16)
            self._due_at = self._clock() + retry_s
        if pending is not None and not pending.done():
            pending.set_result(None)
