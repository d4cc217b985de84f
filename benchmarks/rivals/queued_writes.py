"""Two simple servers that write every setpoint to the radio, a common way to build remote heads.

`awaiting` keeps them in a queue and writes one after the other with response; `firing` writes each at once without
response, and leaves the rest to the operating system. Both seem to work at a low rate of setpoints.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Literal

from belvedere.head.axes import AXES, Axis
from belvedere.head.frames import pack
from belvedere.link.ble import BleUnit
from belvedere.link.radio import Radio

if TYPE_CHECKING:
    from belvedere.head.profile import HeadProfile
    from belvedere.sim.head import VirtualHead


class QueuedWrites:
    """Writes every setpoint of the stick."""

    def __init__(self, profile: HeadProfile, head: VirtualHead, way: Literal["awaiting", "firing"]) -> None:
        radio = Radio(client_backend=head.client_backend, scanner_backend=head.scanner_backend)
        self._layout = profile.frame
        self._links: dict[Axis, BleUnit] = {}
        for axis in AXES:
            unit = profile.unit(axis)
            if unit is not None:
                self._links[axis] = BleUnit(unit, radio)
        self._queues: dict[Axis, asyncio.Queue[bytes]] = {axis: asyncio.Queue() for axis in AXES}
        self._wants_response = way == "awaiting"
        self._workers: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect both units."""
        for link in self._links.values():
            await link.open(lambda: None, lambda: None)
        self._workers = [asyncio.create_task(self._work(axis)) for axis in self._links]

    def drive(self, pan: float, tilt: float) -> None:
        """A setpoint came."""
        self._queues[Axis.PAN].put_nowait(pack(self._layout, pan))
        self._queues[Axis.TILT].put_nowait(pack(self._layout, tilt))

    def release(self) -> None:
        """The stick was released."""
        self.drive(0, 0)

    async def close(self) -> None:
        """Leave both units."""
        for worker in self._workers:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker
        for link in self._links.values():
            await link.close()

    async def _work(self, axis: Axis) -> None:
        while True:
            frame = await self._queues[axis].get()
            await self._links[axis].write(frame, response=self._wants_response)
