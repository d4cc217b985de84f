"""The last check before the radio: only stops pass, unless a trial is open, and every trial has an end."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING

from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.link.port import LinkDetails, UnitLink


class Gate:
    """A link (`link.port.UnitLink`) between a supervisor and the unit's own link.

    The supervisor gives two commands only, rest and motion. Motion is written as the frame of the open trial; if none
    is open, or its time is over, as a stop.

    Args:
        link: the unit's own link.
        stop: the frame that stops the unit.
        clock: seconds, monotonic.
        on_link: called with True when the link is open, and with False when it was dropped on purpose.
    """

    def __init__(
        self, link: UnitLink, stop: bytes, clock: Callable[[], float], on_link: Callable[[bool], None]
    ) -> None:
        self._link = link
        self._stop = stop
        self._clock = clock
        self._on_link = on_link
        self._frame = stop
        self._until = -math.inf
        self._may_open = asyncio.Event()
        self._may_open.set()
        self._dropping: asyncio.Task[None] | None = None
        self._receive_lost: Callable[[], None] = lambda: None

    @property
    def is_shut(self) -> bool:
        """Whether only stops pass now."""
        return self._clock() >= self._until

    def allow(self, frame: bytes, until_s: float) -> None:
        """Open a trial: write this frame for motion, until that time."""
        self._frame, self._until = frame, until_s

    def forbid(self) -> None:
        """End the trial: only stops pass."""
        self._frame, self._until = self._stop, -math.inf

    def shut(self) -> None:
        """End the trial, and end a deliberate drop: the link may be opened."""
        self.forbid()
        self._may_open.set()

    def drop(self, down_s: float) -> None:
        """Close the link without the supervisor's knowledge, and keep it down for `down_s`, or until `shut`."""
        self.forbid()
        if self._dropping is None:
            self._may_open.clear()
            self._dropping = asyncio.create_task(self._drop(down_s))

    async def open(self, on_lost: Callable[[], None], on_found: Callable[[], None]) -> LinkDetails:
        """See the port; waits while the link is kept down."""
        await self._may_open.wait()
        self._receive_lost = on_lost
        details = await self._link.open(on_lost, on_found)
        self._on_link(True)
        return details

    async def write(self, frame: bytes, *, response: bool) -> None:
        """See the port. The frame is chosen only now: a write that waited must not move the unit after its trial."""
        is_trial = frame != self._stop and not self.is_shut
        await self._link.write(self._frame if is_trial else self._stop, response=response)

    async def keep_alive(self) -> bool:
        """See the port."""
        return await self._link.keep_alive()

    async def close(self) -> None:
        """See the port."""
        await self._link.close()

    async def end(self) -> None:
        """Shut, and wait for a drop that is under way."""
        self.shut()
        if self._dropping is not None:
            await asyncio.wait({self._dropping})

    async def _drop(self, down_s: float) -> None:
        try:
            await self._link.close()
            self._on_link(False)
            self._receive_lost()
            with contextlib.suppress(TimeoutError):
                async with timeout(down_s):
                    await self._may_open.wait()
        finally:
            self._may_open.set()
            self._dropping = None
