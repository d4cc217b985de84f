"""Ends sessions on time, and the pictures of those that ended; without sessions it sleeps until one begins."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from belvedere.access.rights import Right
from belvedere.timeouts import timeout, wait_until

if TYPE_CHECKING:
    from belvedere.access.session_events import SessionChange
    from belvedere.engine.timed_drive import TimedDrive
    from belvedere.gateway.dependencies import Dependencies, Picture

END_TIMEOUT_S = 5.0  # longer than the stage takes to close its connections

logger = logging.getLogger(__name__)


async def expire_sessions(dependencies: Dependencies, timed_drive: TimedDrive) -> None:
    """End sessions and HTTP drive clients when their time is over, until cancelled."""
    wake = asyncio.Event()
    dependencies.invitations.watch(wake.set)
    timed_drive.watch(wake.set)
    dependencies.tokens.watch(wake.set)
    while True:
        wake.clear()
        ends = [end for end in _deadlines(dependencies, timed_drive) if end is not None]
        if ends and min(ends) <= dependencies.clock():
            end_expired(dependencies, timed_drive)
            await asyncio.sleep(0)  # where the clock does not advance, this must not block the loop
            continue
        await wait_until(wake, min(ends, default=None), dependencies.clock)


def _deadlines(dependencies: Dependencies, timed_drive: TimedDrive) -> tuple[float | None, ...]:
    return dependencies.invitations.deadline(), timed_drive.deadline(), dependencies.tokens.deadline()


def end_expired(dependencies: Dependencies, timed_drive: TimedDrive) -> None:
    """End the sessions and the HTTP drive clients whose time is over; a failure of the latter is logged."""
    dependencies.invitations.tick()
    dependencies.tokens.tick()
    try:
        timed_drive.tick(dependencies.clock())
    except Exception:
        logger.exception("could not end the HTTP drive clients whose time is over")


def end_driving(timed_drive: TimedDrive, change: SessionChange) -> None:
    """Stop what a session drives over HTTP, within this call, where it may not drive any more."""
    if change.takes(Right.DRIVE):
        timed_drive.receive_client_ended(change.session.id)


class ViewerCleanup:
    """Ends the viewers of sessions that ended or may not look any more.

    Each session's are ended in their own task: one that hangs delays no other.
    """

    def __init__(self, stage: Picture) -> None:
        self._stage = stage
        self._endings: set[asyncio.Task[None]] = set()

    def receive_session_change(self, change: SessionChange) -> None:
        """Start to end the session's viewers; what cannot be ended is logged and left to the stage's shutdown."""
        if not change.takes(Right.LOOK):
            return
        ending = asyncio.get_running_loop().create_task(self._end_all_of(change.session.id), name="end viewers")
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def close(self) -> None:
        """Cancel what still runs; the stage's shutdown ends all viewers."""
        for ending in self._endings:
            ending.cancel()
        if self._endings:
            await asyncio.wait(self._endings)

    async def _end_all_of(self, session_id: str) -> None:
        try:
            async with timeout(END_TIMEOUT_S):
                await self._stage.end_all_of(session_id)
        except Exception:
            logger.exception("could not end the viewers of session %s, which may not look any more", session_id)
