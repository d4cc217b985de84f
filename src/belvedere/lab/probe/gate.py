"""The last thing before the radio: nothing but stops goes through, unless a try is open; and every try has an end."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING

from belvedere.patience import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.link.port import LinkDetails, UnitLink


class Gate:
    """A link (`link.port.UnitLink`) that stands between a supervisor and the unit's own link.

    The supervisor knows two commands, rest and motion. What motion means for the unit is the frame of the try that is
    open; where none is open, or its time is over, it means stop.

    Args:
        link: the unit's own link.
        stop: the frame that stops it.
        clock: seconds, monotonic.
        on_link: told True when the link is open, and False when it is down on purpose.
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
        """Whether nothing but stops goes through now."""
        return self._clock() >= self._until

    def allow(self, frame: bytes, until_s: float) -> None:
        """Let this frame through until that time."""
        self._frame, self._until = frame, until_s

    def forbid(self) -> None:
        """Let nothing through but stops."""
        self._frame, self._until = self._stop, -math.inf

    def shut(self) -> None:
        """Let nothing through but stops; and whoever waits for the link may have it."""
        self.forbid()
        self._may_open.set()

    def drop(self, down_s: float) -> None:
        """Close the link under the supervisor, and keep it down for `down_s`, or until `shut`."""
        self.forbid()
        if self._dropping is None:
            self._may_open.clear()
            self._dropping = asyncio.create_task(self._drop(down_s))

    async def open(self, on_lost: Callable[[], None], on_found: Callable[[], None]) -> LinkDetails:
        """See the port; waits while the link is to stay down."""
        await self._may_open.wait()
        self._receive_lost = on_lost
        details = await self._link.open(on_lost, on_found)
        self._on_link(True)
        return details

    async def write(self, frame: bytes, *, response: bool) -> None:
        """See the port; decides at the last moment what goes out."""
        is_try = frame != self._stop and not self.is_shut
        await self._link.write(self._frame if is_try else self._stop, response=response)

    async def probe(self) -> bool:
        """See the port."""
        return await self._link.probe()

    async def close(self) -> None:
        """See the port."""
        await self._link.close()

    async def end(self) -> None:
        """Wait until nothing that was begun here is left."""
        self.shut()
        if self._dropping is not None:
            await asyncio.wait({self._dropping})

    async def _drop(self, down_s: float) -> None:
        try:
            await self._link.close()
            self._on_link(False)
            self._receive_lost()
            with contextlib.suppress(TimeoutError):
                async with within(down_s):
                    await self._may_open.wait()
        finally:
            self._may_open.set()
            self._dropping = None
