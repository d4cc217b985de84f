"""Bounded waits: a timeout that also works in a task that is being cancelled, and the wait for a deadline or an event.

Debian 12's Python is 3.11.2. There `asyncio.timeout` raises CancelledError instead of TimeoutError once the task has
been cancelled or a task group in it has failed (fixed in 3.11.4), and `asyncio.wait_for` may lose a cancellation that
arrives at the moment the awaited future completes (fixed in 3.12). Neither may happen to the stop that is written
during shutdown, in a task that has been cancelled already.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

SHORTEST_TIMER_S = 0.001  # uvloop rounds to milliseconds: a shorter timer would fire early, and its loop would spin


class Timeout:
    """The asynchronous context manager that `timeout` returns; for one use."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._is_expired = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - an asynchronous block runs in a task only
        self._task = task
        self._cancelled_before = task.cancelling()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if not self._is_expired:
            return
        # Our own `cancel` is taken back. If more requests than before the block are left, another caller has cancelled
        # the task in the meantime, and CancelledError must propagate.
        is_cancelled_by_others = self._task.uncancel() > self._cancelled_before
        if kind is asyncio.CancelledError and not is_cancelled_by_others:
            raise TimeoutError from error

    def _end(self) -> None:
        self._is_expired = True
        self._task.cancel()


def timeout(seconds: float) -> Timeout:
    """Limit an `async with` block to this time. The block raises TimeoutError if it takes longer.

    A cancellation from outside raises CancelledError as usual, even if it comes at the same moment as the timeout.
    """
    return Timeout(seconds)


async def wait_until(event: asyncio.Event, deadline: float | None, clock: Callable[[], float]) -> None:
    """Wait until `event` is set or `deadline` has passed on `clock`; None waits for the event alone.

    Returns at once if the event is set already. The deadline, too, sets the event: the caller must look at what is due,
    not at what woke it. It takes SHORTEST_TIMER_S at least, so that a loop with a clock that stands still lets others
    run. A cancellation always raises CancelledError, and no timer or task is left behind.

    To miss no event, clear it before looking at what it announces: what comes after that look ends the next wait.
    """
    if deadline is None:
        await event.wait()
        return
    timer = asyncio.get_running_loop().call_later(max(SHORTEST_TIMER_S, deadline - clock()), event.set)
    try:
        await event.wait()
    finally:
        timer.cancel()
