"""A bound on waiting that holds in a task that is being cancelled, too.

Debian 12's Python is 3.11.2, where `asyncio.timeout` lets CancelledError out instead of raising TimeoutError once the
task has been cancelled or has seen a task group fail (mended in 3.11.4), and where `asyncio.wait_for` may swallow a
cancellation that comes as the awaited thing ends (mended in 3.12). A stop that is written while everything ends needs
neither to happen.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class Timeout:
    """What `timeout` returns: an asynchronous context manager, for one use."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._is_over = False

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
        if not self._is_over:
            return
        is_cancelled_by_others = self._task.uncancel() > self._cancelled_before
        if kind is asyncio.CancelledError and not is_cancelled_by_others:
            raise TimeoutError from error

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()


def timeout(seconds: float) -> Timeout:
    """Bound an `async with` block: TimeoutError where it takes longer; a cancellation from outside comes through."""
    return Timeout(seconds)
