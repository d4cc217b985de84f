"""Decides when a position is saved: sure once an axis has rested and nobody is about to move it, else not."""

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

REST_S = (
    2.0  # after this long at rest a position is sure; in a row of short presses the file says "not sure" throughout
)
TIMER_S = 0.001  # a timer may be early by so much


class PositionRecorder:
    """Listens to the engine and puts what is worth keeping into the store.

    The file must say "not sure" before an axis moves. That is put as soon as somebody becomes the driver, or an axis is
    told to move, whichever comes first; a drive never waits until the disk has taken it.
    """

    def __init__(self, bus: Bus, saved: SavedPositions) -> None:
        self._heard = bus.subscribe("status")
        self._saved = saved
        self._seen: dict[str, Position] = {}
        self._put: dict[str, Position] = {}
        self._driver: tuple[int, str | None] | None = None
        self._changed_at = 0.0
        self._settling: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Keep until cancelled."""
        try:
            async for _topic, status in self._heard:
                if isinstance(status, EngineStatus):
                    self.receive(status)
        finally:
            self._heard.close()
            self._stop_settling()

    def receive(self, status: EngineStatus) -> None:
        """What was kept is not sure from now on if anything has changed; what stays as it is will be kept soon."""
        positions, driver = _positions_of(status), (status.lease.epoch, status.lease.session)
        if positions == self._seen and driver == self._driver:
            return
        self._seen, self._driver = positions, driver
        self._write({axis: now.doubted for axis, now in positions.items() if self._put.get(axis, ORIGIN).is_sure})
        loop = asyncio.get_running_loop()
        self._changed_at = loop.time()
        if self._settling is None:  # one timer for the whole of a drive, not one for each of its statuses
            self._settling = loop.call_later(REST_S, self._settle)

    def receive_end(self, status: EngineStatus) -> None:
        """Put the last state of all; the database is closed after this."""
        self._stop_settling()
        last = _positions_of(status)
        self._write({axis: position for axis, position in last.items() if self._put.get(axis) != position})

    def _settle(self) -> None:
        """Put what has stayed as it is for long enough."""
        loop = asyncio.get_running_loop()
        left_s = self._changed_at + REST_S - loop.time()
        if left_s > TIMER_S:
            self._settling = loop.call_later(left_s, self._settle)
            return
        self._settling = None
        self._write({axis: seen for axis, seen in self._seen.items() if self._put.get(axis) != seen})

    def _stop_settling(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None

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
