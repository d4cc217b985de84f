"""Takes back what belongs to visits that are over, as soon as they are; while nobody is there it does not even wake."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from belvedere.patience import within

if TYPE_CHECKING:
    from belvedere.gateway.parts import Parts
    from belvedere.gateway.scripts import Scripts

END_WITHIN_S = 5.0  # longer than the stage takes to say goodbye

logger = logging.getLogger(__name__)


async def keep_house(parts: Parts, scripts: Scripts) -> None:
    """Run until cancelled; a visit that cannot be cleared up is logged and left."""
    wake = asyncio.Event()
    parts.door.watch(wake.set)
    scripts.watch(wake.set)
    while True:
        wake.clear()
        ends = [end for end in (parts.door.deadline(), scripts.deadline()) if end is not None]
        if ends and min(ends) <= parts.clock():
            await clear_up(parts, scripts)
            continue
        timer = asyncio.get_running_loop().call_later(min(ends) - parts.clock(), wake.set) if ends else None
        try:
            await wake.wait()
        finally:
            if timer is not None:
                timer.cancel()


async def clear_up(parts: Parts, scripts: Scripts) -> None:
    """End the scripts that left and the pictures of sessions that ended; the trouble of one is not another's."""
    try:
        scripts.tick(parts.clock())
    except Exception:
        logger.exception("a program that left could not be cleared up")
    for session in parts.door.tick():
        try:
            async with within(END_WITHIN_S):
                await parts.stage.end_all_of(session.id)
        except Exception:
            logger.exception("a visit that is over could not be cleared up")
