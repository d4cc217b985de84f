"""Runs calls that block in threads, so many at a time, so that AWS never holds the event loop or the shutdown."""

from __future__ import annotations

import asyncio
import functools
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

from belvedere.errors import IvsError, IvsReason
from belvedere.stage.direct.renewed import start_thread
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

CALL_TIMEOUT_S: Final = 10.0  # boto3's own limits are shorter, but looking a name up has none
MAX_CALLS: Final = 4  # at a time, those included whose caller has given up


class AwsCalls:
    """Makes calls, at most MAX_CALLS at a time; a call that never returns keeps its place.

    Args:
        start: runs a function in a thread.
    """

    def __init__(self, start: Callable[[Callable[[], None]], None] = start_thread) -> None:
        self._start = start
        self._places = asyncio.Semaphore(MAX_CALLS)

    async def call(self, function: Callable[[], T], doing: str, timeout_s: float = CALL_TIMEOUT_S) -> T:
        """What `function` returns or raises. Raises IvsError (UNREACHABLE) where it takes longer, or has to wait so."""
        try:
            async with timeout(timeout_s):
                await self._places.acquire()
                return await self._started(function)
        except TimeoutError as error:
            raise IvsError(IvsReason.UNREACHABLE, f"{doing}: AWS did not answer within {timeout_s:g} s") from error

    def _started(self, function: Callable[[], T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()

        def receive(finish: Callable[[], None]) -> None:
            self._places.release()
            if not result.done():  # else the caller has given up
                finish()

        def run() -> None:
            try:
                value = function()
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets it
                finish = functools.partial(result.set_exception, error)
            else:
                finish = functools.partial(result.set_result, value)
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                loop.call_soon_threadsafe(receive, finish)

        try:
            self._start(run)
        except BaseException:
            self._places.release()
            raise
        return result
