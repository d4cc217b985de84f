"""Spaces out the starts of expensive operations, so that the event loop can run other tasks in between."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class SetupQueue:
    """Grants turns in the order of the requests, at least `apart_s` seconds apart."""

    def __init__(self, apart_s: float) -> None:
        self._apart_s = apart_s
        self._waiting = asyncio.Lock()  # asyncio grants it in the order of the requests
        self._next_at = -math.inf

    async def take(self, is_wanted: Callable[[], bool]) -> bool:
        """Wait for a turn; returns False, without using one up, if `is_wanted` is false by then."""
        async with self._waiting:
            if not is_wanted():
                return False
            now = asyncio.get_running_loop().time
            await asyncio.sleep(max(0.0, self._next_at - now()))
            if not is_wanted():
                return False
            self._next_at = now() + self._apart_s
            return True
