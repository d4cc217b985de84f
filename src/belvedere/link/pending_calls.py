"""Calls into a link that may never end: they run on their own, are waited for in bounds, and are let go of."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeVar

from belvedere.errors import LinkError, LinkReason

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

log = logging.getLogger(__name__)


class PendingCalls:
    """Keeps every call that was begun until it ends, be it long after anybody waits for it."""

    def __init__(self) -> None:
        self._unfinished: set[asyncio.Task[Any]] = set()

    def begin(self, call: Coroutine[Any, Any, T], on_ended: Callable[[], None] = lambda: None) -> asyncio.Task[T]:
        """Run the call; `on_ended` is called from the loop when it ended, however it did."""
        task = asyncio.create_task(call)
        self._unfinished.add(task)
        task.add_done_callback(self._receive_ended)
        task.add_done_callback(lambda _task: on_ended())
        return task

    def _receive_ended(self, task: asyncio.Task[Any]) -> None:
        self._unfinished.discard(task)
        if not task.cancelled() and task.exception() is not None:  # asked for here, so that asyncio does not complain
            log.debug("a call into a link failed: %r", task.exception())


async def outcome(task: asyncio.Task[T], timeout_s: float) -> T:
    """What a call comes to within `timeout_s`; a call that takes longer is cancelled and let go of, not awaited.

    Raises LinkError: UNANSWERED when it took too long, LOST when it was cancelled by somebody else, and what it raised.
    """
    try:
        await asyncio.wait({task}, timeout=max(0.0, timeout_s))
    finally:
        is_late = not task.done()
        task.cancel()  # does nothing to one that has ended
    if is_late:
        raise LinkError(LinkReason.UNANSWERED, "a call was not answered in time")
    return result(task)


def result(task: asyncio.Task[T]) -> T:
    """What an ended call came to. Raises what it raised; LinkError LOST if something below cancelled it."""
    if task.cancelled():
        # bumble does this to whoever waits when a connection is lost
        raise LinkError(LinkReason.LOST, "the call was cancelled from below")
    return task.result()
