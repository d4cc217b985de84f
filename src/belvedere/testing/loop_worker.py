"""A store worker on the event loop instead of in a thread, for a real SQLite file in virtual time."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class LoopWorker:
    """A `belvedere.store.worker.Worker` that runs as callbacks of the event loop, so that its waits are virtual.

    Pass it to a `Database` as `worker`, with the loop's `time` as `clock`.
    """

    def __init__(self, work: Callable[[], float | None]) -> None:
        self._work = work
        self._handle: asyncio.Handle | None = None
        self._is_working = False

    def start(self) -> None:
        """Work at once: starting the store waits for the first attempt."""
        self._is_working = True
        self._step()

    def wake(self) -> None:
        """Work in the next iteration of the loop."""
        if self._is_working:
            self._cancel()
            self._handle = asyncio.get_running_loop().call_soon(self._step)

    def _step(self) -> None:
        self._cancel()
        if not self._is_working:
            return
        wait_s = self._work()
        if wait_s is None:
            self._is_working = False
        elif not math.isinf(wait_s):
            self._handle = asyncio.get_running_loop().call_later(wait_s, self._step)

    def _cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
