"""Keeps where the head stands: whenever an axis starts to move, whenever it comes to rest, and at the end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from belvedere.engine.status import EngineStatus
from belvedere.errors import OwnerError
from belvedere.head.axes import AXES
from belvedere.store.positions import Position

if TYPE_CHECKING:
    from belvedere.engine.bus import Bus
    from belvedere.store.positions import Positions

logger = logging.getLogger(__name__)


class Keeper:
    """Listens to the engine and writes to the store, in a thread; a store that fails never touches the driving."""

    def __init__(self, bus: Bus, positions: Positions) -> None:
        self._heard = bus.subscribe("status")
        self._positions = positions
        self._kept: dict[str, Position] = {}

    async def run(self) -> None:
        """Keep until cancelled."""
        try:
            async for _topic, status in self._heard:
                if isinstance(status, EngineStatus):
                    await self.keep(status)
        finally:
            self._heard.close()

    async def keep(self, status: EngineStatus) -> None:
        """Write what is worth writing: a position at rest, or that there is none to rely on."""
        news = {axis: kept for axis, kept in _positions_of(status).items() if self._is_news(axis, kept)}
        if not news:
            return
        self._kept.update(news)
        try:
            await asyncio.to_thread(self._positions.keep, news)
        except OwnerError as error:
            logger.warning("where the head stands is not kept: %s", error)

    async def close(self, status: EngineStatus) -> None:
        """Keep the last state of all, and give the file back."""
        await self.keep(status)
        await asyncio.to_thread(self._positions.close)

    def _is_news(self, axis: str, now: Position) -> bool:
        """While an axis moves its position is not sure, and one line says so for the whole of the way."""
        before = self._kept.get(axis)
        is_same_way = before is not None and not before.is_sure and not now.is_sure
        return now != before and not is_same_way


def _positions_of(status: EngineStatus) -> dict[str, Position]:
    states = ((axis.value, getattr(status, axis)) for axis in AXES)
    return {
        axis: Position(state.position_deg, is_sure=state.is_at_rest and state.is_position_sure)
        for axis, state in states
        if state.position_deg is not None
    }
