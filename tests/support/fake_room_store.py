"""A store of a room's decisions in memory, which can fail and take its time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from belvedere.errors import StoreError

if TYPE_CHECKING:
    from belvedere.privacy.state import RoomState


class FakeRoomStore:
    """Set `failure` to make it fail, and clear `is_fast` to keep saves waiting; a restart would know `saved`."""

    survives_restart = True

    def __init__(self, saved: RoomState | None = None) -> None:
        self.saved = saved
        self.failure: str | None = None
        self.is_fast = asyncio.Event()
        self.is_fast.set()

    async def load(self) -> RoomState | None:
        """What was saved. Raises StoreError with `failure`."""
        self._fail_if_told()
        return self.saved

    async def save(self, state: RoomState) -> None:
        """Save it, once `is_fast` is set. Raises StoreError with `failure`."""
        await self.is_fast.wait()
        self._fail_if_told()
        self.saved = state

    def _fail_if_told(self) -> None:
        if self.failure is not None:
            raise StoreError(self.failure)
