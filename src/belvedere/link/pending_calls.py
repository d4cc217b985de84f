"""Calls that may never return: each runs in a task of its own, is awaited with a timeout, and abandoned after it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeVar

from belvedere.errors import LinkError, LinkReason

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

logger = logging.getLogger(__name__)


class PendingCalls:
    """Holds a reference to every call until it ends: asyncio itself would let an abandoned task be collected."""

    def __init__(self) -> None:
        self._unfinished: set[asyncio.Task[Any]] = set()

    def begin(self, call: Coroutine[Any, Any, T], on_ended: Callable[[], None] = lambda: None) -> asyncio.Task[T]:
        """Start the call as a task; `on_ended` is called from the loop when it has ended, in whatever way."""
        task = asyncio.create_task(call)
        self._unfinished.add(task)
        task.add_done_callback(self._receive_ended)
        task.add_done_callback(lambda _task: on_ended())
        return task

    def _receive_ended(self, task: asyncio.Task[Any]) -> None:
        self._unfinished.discard(task)
        if (
            not task.cancelled() and task.exception() is not None
        ):  # reading it keeps asyncio from logging "never retrieved"
            logger.debug("a link call failed: %r", task.exception())


async def outcome(task: asyncio.Task[T], timeout_s: float) -> T:
    """Return the call's result. A call that takes longer than `timeout_s` is cancelled and abandoned.

    Raises what the call raised, or LinkError: UNANSWERED after the timeout, LOST if a library cancelled the call.
    """
    # Not asyncio.wait_for: it waits until the cancelled task has ended, and a call into BlueZ may never do so.
    try:
        await asyncio.wait({task}, timeout=max(0.0, timeout_s))
    finally:
        is_late = not task.done()
        task.cancel()  # no effect on a task that has ended
    if is_late:
        raise LinkError(LinkReason.UNANSWERED, "a call was not answered in time")
    return result(task)


def result(task: asyncio.Task[T]) -> T:
    """Return the result of an ended call. Raises what it raised, or LinkError LOST if a library cancelled it."""
    if task.cancelled():
        # When a connection is lost, bumble cancels the calls that wait on it. Passed on, that CancelledError would look
        # like a cancellation of our own task.
        raise LinkError(LinkReason.LOST, "the Bluetooth library cancelled the call")
    return task.result()


async def bluetooth_outcome(task: asyncio.Task[T], timeout_s: float, late: LinkReason) -> T:
    """Return the result of a call that occupies the adapter, as `outcome` does; being late has the reason `late`."""
    try:
        return await outcome(task, timeout_s)
    except LinkError as error:
        if error.reason is not LinkReason.UNANSWERED:
            raise
        raise LinkError(late, "Bluetooth did not answer in time") from error
