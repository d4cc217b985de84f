"""The thread in which the store works: it sleeps until it is woken or something is due, and ends with the process."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Worker(Protocol):
    """Calls `work` when it is woken, and again after as many seconds as it returned; after None never again."""

    def start(self) -> None:
        """Call `work` for the first time."""

    def wake(self) -> None:
        """Call `work` soon, from any thread; once for all who wake it meanwhile."""


class WorkerThread:
    """A worker in a thread of its own, which ends with the process however long `work` takes."""

    def __init__(self, work: Callable[[], float | None]) -> None:
        self._work = work
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="store")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Never blocks."""
        self._woken.set()

    def _run(self) -> None:
        while (wait_s := self._work()) is not None:
            self._woken.wait(None if math.isinf(wait_s) else wait_s)
            self._woken.clear()  # before `work`, which then sees whatever there was to wake it for
