"""The turns of those who connect by one adapter: one at a time, never during a scan, and nobody for longer than usual.

BlueZ refuses a second attempt to connect from the same process, and connecting is slow during a scan.

    FREE (the adapter may scan) ──────> STOPPING_SCAN ─────────────> TAKEN
      ^             first in the queue        │     it has stopped     │
      └──────────── cancelled ────────────────┴──────── over ──────────┘

An attempt that hangs ends its turn at the timeout that its unit has (`connect_timeout`), and runs on without one.
"""

from __future__ import annotations

import asyncio
import enum
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from belvedere.errors import LinkReason
from belvedere.link.connect_timeout import ConnectTimeout
from belvedere.link.pending_calls import bluetooth_outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from belvedere.link.scan import Scan

T = TypeVar("T")


class TurnState(enum.Enum):
    """Who may use the adapter: the scan while it is FREE, only the holder of the turn while it is TAKEN."""

    FREE = enum.auto()
    STOPPING_SCAN = enum.auto()
    TAKEN = enum.auto()


class ConnectTurns:
    """The turns of one adapter. `scan` must be wanted only while `may_scan`; `longest_s` bounds any attempt."""

    def __init__(self, scan: Scan, longest_s: float) -> None:
        self.state = TurnState.FREE
        self._scan = scan
        self._longest_s = longest_s
        self._timeouts: dict[str, ConnectTimeout] = {}  # by address
        self._queue = asyncio.Lock()

    @property
    def may_scan(self) -> bool:
        """Whether nobody has the turn."""
        return self.state is TurnState.FREE

    @property
    def is_taken(self) -> bool:
        """Whether somebody who asked now would have to wait."""
        return self._queue.locked()

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for the turn and for the end of the scan; the turn is over when the block is left, in whatever way."""
        async with self._queue:
            self._enter(TurnState.STOPPING_SCAN)
            try:
                await self._scan.wait_until_stopped()
                self.state = TurnState.TAKEN
                yield
            finally:
                self._enter(TurnState.FREE)

    async def result_of(self, attempt: asyncio.Task[T], address: str) -> T:
        """Return the result of an attempt to connect to the unit at this address, which has just begun.

        Raises what it raised, or LinkError (CONNECT_FAILED) once it has taken longer than its unit's timeout. Then, and
        when the caller is cancelled, the attempt is cancelled and not waited for. How long it took counts for the next.
        """
        time = asyncio.get_running_loop().time
        timeout = self._timeouts.setdefault(address, ConnectTimeout(self._longest_s))
        began = time()
        try:
            result = await bluetooth_outcome(attempt, timeout.limit_s, LinkReason.CONNECT_FAILED)
        except BaseException:
            if not attempt.done():
                timeout.receive_late()
            raise
        timeout.receive_connected(time() - began)
        return result

    def _enter(self, state: TurnState) -> None:
        self.state = state
        self._scan.update()
