"""A last attempt to stop an unreachable unit before the program ends: afterwards nothing could stop it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from belvedere.errors import LinkError
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from belvedere.link.connection import Connection

logger = logging.getLogger(__name__)


async def find_and_stop(
    new_connection: Callable[[], Connection],
    close: Callable[[], Awaitable[None]],
    *,
    for_s: float,
    rest_s: float,
    clock: Callable[[], float],
) -> bool:
    """Try for at most `for_s` to connect and stop the unit, with `rest_s` between two attempts.

    Calls `close` after each attempt. Returns whether the unit has a stop. Raises no LinkError.
    """
    deadline_at = clock() + for_s
    while clock() < deadline_at:
        connection = new_connection()
        try:
            async with timeout(deadline_at - clock()):
                await connection.open(lambda: None)
                await connection.stop_and_verify()
        except (LinkError, TimeoutError) as error:
            logger.debug("final stop failed, trying again: %s", error)
            await asyncio.sleep(rest_s)
        else:
            return True
        finally:
            connection.cancel()
            await close()
    return False
