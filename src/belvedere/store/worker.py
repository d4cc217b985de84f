"""The store's thread, which sleeps until it is woken or something is due."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Worker(Protocol):
    """Calls `work` when woken, or after the number of seconds that `work` returned; None ends it."""

    def start(self) -> None:
        """Call `work` for the first time."""

    def wake(self) -> None:
        """Call `work` soon; from any thread. Several wakes before that count as one."""


class WorkerThread:
    """A worker in a daemon thread: it does not keep the process from exiting, however long `work` takes."""

    def __init__(self, work: Callable[[], float | None]) -> None:
        self._work = work
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="store")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Wake the thread; never blocks."""
        self._woken.set()

    def _run(self) -> None:
        while (wait_s := self._work()) is not None:
            self._woken.wait(None if math.isinf(wait_s) else wait_s)
            self._woken.clear()  # before `work`, which then sees everything that was added before the wake
