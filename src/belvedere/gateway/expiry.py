"""Sees to it that visits end on time, and takes back what they leave; while nobody is there it does not even wake."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from belvedere.access.sessions import EndedSession
    from belvedere.engine.timed_drive import TimedDrive
    from belvedere.gateway.dependencies import Dependencies, Picture

END_TIMEOUT_S = 5.0  # longer than the stage takes to say goodbye

logger = logging.getLogger(__name__)


async def expire_sessions(dependencies: Dependencies, timed_drive: TimedDrive) -> None:
    """Run until cancelled: end sessions and let programs go when their time is over."""
    wake = asyncio.Event()
    dependencies.invitations.watch(wake.set)
    timed_drive.watch(wake.set)
    while True:
        wake.clear()
        ends = [end for end in (dependencies.invitations.deadline(), timed_drive.deadline()) if end is not None]
        if ends and min(ends) <= dependencies.clock():
            end_expired(dependencies, timed_drive)
            await asyncio.sleep(0)  # a clock that stands still must not hold everyone up
            continue
        timer = asyncio.get_running_loop().call_later(min(ends) - dependencies.clock(), wake.set) if ends else None
        try:
            await wake.wait()
        finally:
            if timer is not None:
                timer.cancel()


def end_expired(dependencies: Dependencies, timed_drive: TimedDrive) -> None:
    """End the sessions whose time is over, and the programs that left; the trouble of one is not the other's."""
    dependencies.invitations.tick()
    try:
        timed_drive.tick(dependencies.clock())
    except Exception:
        logger.exception("a program that left could not be cleared up")


class Pictures:
    """Ends the pictures of sessions that ended, each session's in a task of its own: one that hangs holds up nobody."""

    def __init__(self, stage: Picture) -> None:
        self._stage = stage
        self._endings: set[asyncio.Task[None]] = set()

    def receive_session_ended(self, ended: EndedSession) -> None:
        """Begin to end all that it watches; what cannot be ended is logged and left."""
        ending = asyncio.get_running_loop().create_task(self._end_all_of(ended.session.id), name="end of pictures")
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def close(self) -> None:
        """Leave whatever hangs to the stage's own end."""
        for ending in self._endings:
            ending.cancel()
        if self._endings:
            await asyncio.wait(self._endings)

    async def _end_all_of(self, session_id: str) -> None:
        try:
            async with timeout(END_TIMEOUT_S):
                await self._stage.end_all_of(session_id)
        except Exception:
            logger.exception("the pictures of session %s, which ended, could not be ended", session_id)
