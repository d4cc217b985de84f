"""An event loop on virtual time: sleeping costs nothing, and every run takes the same path.

Whenever nothing is ready to run, the loop's clock jumps to the next timer. Real sockets are looked at first, without
waiting; threads and child processes are not waited for, so tests that need them run on the real clock instead.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class FakeClock:
    """A clock that moves only when told; call it to read it (seconds)."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now

    def advance(self, seconds: float) -> float:
        """Move the clock (backwards too, for tests of just that) and return the new time."""
        self.now += seconds
        return self.now


class StalledError(AssertionError):
    """Nothing is ready, no timer is set, and nothing can ever wake the loop again."""


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that, instead of waiting, tells its loop how far to jump."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None:
            raise StalledError("every task waits for something that will never happen")
        self.skipped += timeout
        return ready


class AutojumpLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose `time()` starts at 1000 s and jumps over every wait."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """The virtual time in seconds."""
        return 1000.0 + self._jumping.skipped


def run_in_virtual_time(main: Coroutine[object, object, T]) -> T:
    """Run a coroutine to its end on an `AutojumpLoop`; its left-over tasks are cancelled, as by asyncio.run."""
    with asyncio.Runner(loop_factory=AutojumpLoop) as runner:
        return runner.run(main)
