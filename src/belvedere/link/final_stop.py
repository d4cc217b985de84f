"""Seeks a unit that may be turning once more before the program ends: nobody is left to stop it later."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from belvedere.errors import LinkError
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from belvedere.link.connection import Connection

log = logging.getLogger(__name__)


async def find_and_stop(
    new_connection: Callable[[], Connection],
    close: Callable[[], Awaitable[None]],
    *,
    for_s: float,
    rest_s: float,
    clock: Callable[[], float],
) -> bool:
    """Connect and tell the unit to stop, again and again for at most `for_s`, with `rest_s` between two attempts.

    Each connection is closed with `close`. Returns whether the unit took a stop; raises no LinkError.
    """
    deadline_at = clock() + for_s
    while clock() < deadline_at:
        connection = new_connection()
        try:
            async with timeout(deadline_at - clock()):
                await connection.open(lambda: None)
                await connection.stop_and_verify()
        except (LinkError, TimeoutError) as error:
            log.debug("not yet told to stop: %s", error)
            await asyncio.sleep(rest_s)
        else:
            return True
        finally:
            connection.cancel()
            await close()
    return False
