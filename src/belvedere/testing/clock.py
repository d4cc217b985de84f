"""An event loop in virtual time: sleeping takes no real time, and every run takes the same path.

Whenever nothing is ready to run, the loop's clock jumps to the next timer. Real sockets are polled first, without
waiting. Threads and child processes are not waited for, so tests that need them run on the real clock instead.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class FakeClock:
    """A clock that moves only by `advance`; call it to read the time in seconds."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now

    def advance(self, seconds: float) -> float:
        """Move the clock by `seconds`, which may be negative, and return the new time."""
        self.now += seconds
        return self.now


class StalledError(AssertionError):
    """No task is ready and no timer is set, so that nothing can wake the loop again."""


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that counts the time it would have waited, instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None:
            raise StalledError("deadlock: every task is waiting and no timer is set")
        self.skipped += timeout
        return ready


class AutojumpLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop whose `time()` starts at 1000 s and skips every wait."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """The virtual time in seconds."""
        return 1000.0 + self._jumping.skipped


def run_in_virtual_time(main: Coroutine[object, object, T]) -> T:
    """Run a coroutine on an `AutojumpLoop` and return its result; cancels remaining tasks, as asyncio.run does."""
    with asyncio.Runner(loop_factory=AutojumpLoop) as runner:
        return runner.run(main)
