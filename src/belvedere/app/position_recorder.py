"""Decides when positions are saved, and whether as sure: only after a time at rest, with no new driver."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from belvedere.engine.status import EngineStatus
from belvedere.head.axes import AXES
from belvedere.store.positions import MAX_DEG, ORIGIN, UNKNOWN, Position

if TYPE_CHECKING:
    from belvedere.engine.bus import Bus
    from belvedere.store.positions import SavedPositions

REST_S = 2.0  # at rest until a position is saved as sure, so that a series of short presses causes one write
TIMER_TOLERANCE_S = 0.001  # a timer may fire this much early


class PositionRecorder:
    """Follows the engine's status and saves positions in the store.

    The file must say "not sure" before an axis moves. That is written as soon as somebody becomes the driver or an axis
    is commanded to move, whichever comes first; driving never waits for the disk.
    """

    def __init__(self, bus: Bus, saved: SavedPositions) -> None:
        self._statuses = bus.subscribe("status")
        self._saved = saved
        self._seen: dict[str, Position] = {}
        self._put: dict[str, Position] = {}
        self._driver: tuple[int, str | None] | None = None
        self._changed_at = 0.0
        self._rest_timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Save positions until cancelled."""
        try:
            async for _topic, status in self._statuses:
                if isinstance(status, EngineStatus):
                    self.receive(status)
        finally:
            self._statuses.close()
            self._cancel_timer()

    def receive(self, status: EngineStatus) -> None:
        """Process a status: after a change, mark the saved positions "not sure", and save the new ones at rest."""
        positions, driver = _positions_of(status), (status.lease.epoch, status.lease.session)
        if positions == self._seen and driver == self._driver:
            return
        self._seen, self._driver = positions, driver
        self._write({axis: now.doubted for axis, now in positions.items() if self._put.get(axis, ORIGIN).is_sure})
        loop = asyncio.get_running_loop()
        self._changed_at = loop.time()
        if self._rest_timer is None:  # one timer for a whole drive, not one for each status
            self._rest_timer = loop.call_later(REST_S, self._save_if_at_rest)

    def receive_end(self, status: EngineStatus) -> None:
        """Save the final positions; call it before the database is closed."""
        self._cancel_timer()
        last = _positions_of(status)
        self._write({axis: position for axis, position in last.items() if self._put.get(axis) != position})

    def _save_if_at_rest(self) -> None:
        """Save positions that have not changed for REST_S; if they have, wait for the rest of that time."""
        loop = asyncio.get_running_loop()
        left_s = self._changed_at + REST_S - loop.time()
        if left_s > TIMER_TOLERANCE_S:
            self._rest_timer = loop.call_later(left_s, self._save_if_at_rest)
            return
        self._rest_timer = None
        self._write({axis: seen for axis, seen in self._seen.items() if self._put.get(axis) != seen})

    def _cancel_timer(self) -> None:
        if self._rest_timer is not None:
            self._rest_timer.cancel()
            self._rest_timer = None

    def _write(self, positions: dict[str, Position]) -> None:
        self._put.update(positions)
        if positions:
            self._saved.put(positions)


def _positions_of(status: EngineStatus) -> dict[str, Position]:
    states = ((axis.value, getattr(status, axis)) for axis in AXES)
    return {
        axis: _position(state.position_deg, is_sure=state.is_at_rest and state.is_position_sure)
        for axis, state in states
        if state.position_deg is not None
    }


def _position(deg: float, *, is_sure: bool) -> Position:
    return Position(deg, is_sure=is_sure) if math.isfinite(deg) and abs(deg) <= MAX_DEG else UNKNOWN
