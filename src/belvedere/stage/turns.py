"""Lets what takes long begin one after the other, a while apart, so that the event loop looks after others between."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Turns:
    """Turns in the order in which they were asked for, each `apart_s` or more after the one before."""

    def __init__(self, apart_s: float) -> None:
        self._apart_s = apart_s
        self._waiting = asyncio.Lock()  # it is given to whoever asked first
        self._next_at = -math.inf

    async def take(self, is_wanted: Callable[[], bool]) -> bool:
        """Wait for a turn; False, and nobody waits longer for it, where it is not wanted any more by then."""
        async with self._waiting:
            if not is_wanted():
                return False
            now = asyncio.get_running_loop().time
            await asyncio.sleep(max(0.0, self._next_at - now()))
            if not is_wanted():
                return False
            self._next_at = now() + self._apart_s
            return True
