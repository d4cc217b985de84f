"""Waits on the event loop for a call that blocks, in a thread that never delays the program's end."""

from __future__ import annotations

import asyncio
import functools
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from belvedere.stage.direct.renewed import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

logger = logging.getLogger(__name__)


async def blocking_call(
    call: Callable[[], T],
    give_back: Callable[[T], None] | None = None,
    *,
    start: Callable[[Callable[[], None]], None] = start_thread,
) -> T:
    """Return what `call` returns, or raise what it raises.

    Whoever is cancelled does not wait for it; what it returns after that is passed to `give_back`, in its thread.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def receive(value: T) -> None:
        if not result.done():
            result.set_result(value)
        elif give_back is not None:
            try:
                start(lambda: _give_back(give_back, value))
            except Exception as error:  # noqa: BLE001 - nobody waits for it any more
                logger.debug("could not give back what came too late: %r", error)

    def receive_error(error: BaseException) -> None:
        if not result.done():
            result.set_exception(error)

    def run() -> None:
        try:
            report = functools.partial(receive, call())
        except BaseException as error:  # noqa: BLE001 - whatever it is, whoever waits gets it
            report = functools.partial(receive_error, error)
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(report)

    start(run)
    return await result


def _give_back(give_back: Callable[[T], None], value: T) -> None:
    try:
        give_back(value)
    except Exception as error:  # noqa: BLE001 - nobody waits for it any more
        logger.debug("could not give back what came too late: %r", error)
