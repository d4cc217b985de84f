"""Virtual units behind a virtual HCI chip, below a real kernel, BlueZ and bleak's own backend."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from bumble.transport import open_transport
from tests.bluez.daemons import Daemons, power
from tests.support.link.unit_rig import supervised

from belvedere.head.axes import AXES, Axis
from belvedere.head.frames import stop_frame
from belvedere.head.profile import shipped_profile
from belvedere.link.ble import BleUnit
from belvedere.link.options import LinkOptions
from belvedere.link.radio import Radio
from belvedere.sim.controller import VirtualController
from belvedere.sim.head import VirtualHead
from belvedere.sim.radio import INTERVAL_UNIT_S
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from tests.support.link.unit_rig import UnitRig

    from belvedere.head.profile import UnitProfile, WriteMode
    from belvedere.link.port import UnitLink
    from belvedere.sim.unit import ReceivedFrame, VirtualUnit

ADAPTER_ADDRESS = "C0:DE:00:00:00:01"
PROFILE = shipped_profile("zeapon-pons-pt")
STOP = stop_frame(PROFILE.frame)
KERNEL = Path("/sys/kernel/debug/bluetooth/hci0")
KERNEL_S = 0.050  # the longest interval that the kernel asks for by itself
SCENARIO_S = 400.0  # the longest takes about 80 s


class World:
    """A computer with Bluetooth and a head within its reach.

    Attributes:
        head: its units and their faults; its own radio is not used, because BlueZ is.
        radio: Belvedere's, over bleak's own backend.
    """

    def __init__(
        self, daemons: Daemons, order: tuple[Axis, ...], interval_s: float | None, options: LinkOptions
    ) -> None:
        self.daemons = daemons
        self.head = VirtualHead(PROFILE)
        self.radio = Radio(options=options, takes_over=True)
        self._options = options
        self._order = order
        self._interval_s = interval_s

    def unit(self, axis: Axis) -> VirtualUnit:
        """A unit of the head."""
        return self.head.unit(axis)

    def profile(self, axis: Axis) -> UnitProfile:
        """The unit in the shipped profile."""
        described = PROFILE.unit(axis)
        assert described is not None
        return described

    def profile_writing(self, axis: Axis, mode: WriteMode) -> UnitProfile:
        """The same with another write mode."""
        return msgspec.structs.replace(self.profile(axis), write=mode)

    @property
    def now(self) -> float:
        """The loop's time, as on the frames."""
        return asyncio.get_running_loop().time()

    def interval_s(self, axis: Axis) -> float:
        """The connection interval that this unit was given."""
        (connection,) = self.unit(axis).connections
        return connection.parameters.connection_interval / 1000

    def link(self, axis: Axis) -> RecordedUnit:
        """A link to it that is not open."""
        return RecordedUnit(self.profile(axis), self.radio)

    def reach(
        self,
        axis: Axis,
        *,
        link: UnitLink | None = None,
        profile: UnitProfile | None = None,
    ) -> AbstractAsyncContextManager[UnitRig]:
        """Run a supervisor for it."""
        profile = profile or self.profile(axis)
        return supervised(link or RecordedUnit(profile, self.radio), profile, self._options, axis)

    async def _plug_in(self) -> None:
        self._link = await open_transport("vhci")
        self.chip = VirtualController(
            "adapter",
            host_source=self._link.source,
            host_sink=self._link.sink,
            link=self.head.medium,
            public_address=ADAPTER_ADDRESS,
        )
        for axis in self._order:
            await self.unit(axis).start()
        await power(on=True)
        if self._interval_s is not None:
            await asyncio.to_thread(_ask_for_interval, self._interval_s)

    async def _pull_out(self) -> None:
        for axis in self._order:
            await self.unit(axis).close()
        await self._link.close()
        self.head.medium.remove_controller(self.chip)
        self.head.medium.close()


class Watch:
    """What a unit receives from now on."""

    def __init__(self, unit: VirtualUnit) -> None:
        self._unit = unit
        self._since_s = asyncio.get_running_loop().time()

    @property
    def received(self) -> list[ReceivedFrame]:
        """Everything, oldest first."""
        return [frame for frame in self._unit.frames if frame.came_s > self._since_s]

    @property
    def frames(self) -> list[bytes]:
        """The bytes alone."""
        return [received.frame for received in self.received]


class WrittenFrame(NamedTuple):
    """One frame that was written to BlueZ, and when."""

    at_s: float
    frame: bytes
    response: bool


class RecordedUnit(BleUnit):
    """A unit's link that records what was written to BlueZ."""

    def __init__(self, profile: UnitProfile, radio: Radio) -> None:
        super().__init__(profile, radio)
        self.written: list[WrittenFrame] = []

    async def write(self, frame: bytes, *, response: bool) -> None:
        """Record it and write it."""
        self.written.append(WrittenFrame(asyncio.get_running_loop().time(), frame, response))
        await super().write(frame, response=response)


def _ask_for_interval(interval_s: float) -> None:
    units = str(round(interval_s / INTERVAL_UNIT_S))
    for end in (
        ("conn_max_interval", "conn_min_interval")
        if interval_s > KERNEL_S
        else ("conn_min_interval", "conn_max_interval")
    ):
        (KERNEL / end).write_text(units, encoding="ascii")


@asynccontextmanager
async def bluez_world(
    order: tuple[Axis, ...] = AXES, interval_s: float | None = None, options: LinkOptions | None = None
) -> AsyncIterator[World]:
    """A computer and a head for one scenario, from power on to power off.

    `order` is the order in which the units start; `interval_s` replaces the kernel's 30 to 50 ms.
    """
    daemons = Daemons()
    world = World(daemons, order, interval_s, options or LinkOptions())
    async with timeout(SCENARIO_S):
        await daemons.start()
        try:
            await world._plug_in()
            try:
                yield world
            finally:
                await world._pull_out()
        finally:
            daemons.kill()
