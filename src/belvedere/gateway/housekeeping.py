"""Takes back, every few seconds, what belongs to visits that are over."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from belvedere.errors import BelvedereError
from belvedere.patience import within

if TYPE_CHECKING:
    from belvedere.gateway.parts import Parts
    from belvedere.gateway.scripts import Scripts

EVERY_S = 5.0  # a visit's end is not a matter of seconds; its sockets end on time by themselves
END_WITHIN_S = 5.0  # longer than the stage takes to say goodbye

logger = logging.getLogger(__name__)


async def keep_house(parts: Parts, scripts: Scripts) -> None:
    """Run until cancelled; a visit that cannot be cleared up is logged and left."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await clear_up(parts, scripts)
        except (BelvedereError, TimeoutError):
            logger.warning("a visit that is over could not be cleared up", exc_info=True)


async def clear_up(parts: Parts, scripts: Scripts) -> None:
    """End the pictures of sessions that ended, and the scripts that left."""
    scripts.tick(parts.clock())
    for session in parts.door.tick():
        async with within(END_WITHIN_S):
            await parts.stage.end_all_of(session.id)
