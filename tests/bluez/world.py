"""Virtual units within reach of a virtual controller of the kernel, below a real BlueZ and bleak's own backend."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from bumble.transport import open_transport
from tests.bluez.daemons import LOGS, Daemons, power
from tests.bluez.deadlines import Stretch
from tests.bluez.faulty_controller import FaultyController
from tests.bluez.responsiveness import stalls_logged
from tests.support.link.unit_rig import supervised

from belvedere.head.axes import AXES, Axis
from belvedere.head.frames import stop_frame
from belvedere.head.profile import shipped_profile
from belvedere.link.ble import BleUnit
from belvedere.link.options import LinkOptions
from belvedere.link.radio import Radio
from belvedere.sim.head import VirtualHead
from belvedere.sim.radio import INTERVAL_UNIT_S
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.link.unit_rig import UnitRig

    from belvedere.head.profile import UnitProfile, WriteMode
    from belvedere.link.port import UnitLink
    from belvedere.link.supervisor import UnitSupervisor
    from belvedere.sim.unit import ReceivedFrame, VirtualUnit

ADAPTER_ADDRESS = "C0:DE:00:00:00:01"
PROFILE = shipped_profile("zeapon-pons-pt")
STOP = stop_frame(PROFILE.frame)
KERNEL = Path("/sys/kernel/debug/bluetooth/hci0")
MAX_CONNECT_S, MAX_SEARCH_S = 30.0, 30.0  # the largest that an owner may set
KERNEL_S = 0.050  # the longest interval that the kernel asks for by itself
SCENARIO_S = 1800.0  # the longest takes about 80 s on an idle computer; every wait in it has a shorter limit


class World:
    """One computer with Bluetooth, and one head in reach.

    Attributes:
        head: its units and their faults; its own radio is not used, because BlueZ is there.
        chip: the controller that BlueZ uses instead.
        radio: Belvedere's, over bleak's own backend.
    """

    chip: FaultyController
    radio: Radio

    def __init__(self, daemons: Daemons, order: tuple[Axis, ...], interval_s: float | None) -> None:
        self.daemons = daemons
        self.head = VirtualHead(PROFILE)
        self._order = order
        self._interval_s = interval_s
        self._supervisors: list[UnitSupervisor] = []

    def unit(self, axis: Axis) -> VirtualUnit:
        """A unit of the head."""
        return self.head.unit(axis)

    def profile(self, axis: Axis) -> UnitProfile:
        """Its part of the shipped profile."""
        described = PROFILE.unit(axis)
        assert described is not None
        return described

    def profile_writing(self, axis: Axis, mode: WriteMode) -> UnitProfile:
        """The same with this write mode."""
        return msgspec.structs.replace(self.profile(axis), write=mode)

    @property
    def now(self) -> float:
        """The loop's time, as on the frames."""
        return asyncio.get_running_loop().time()

    def interval_s(self, axis: Axis) -> float:
        """The connection interval that this unit was given."""
        (connection,) = self.unit(axis).connections
        return connection.parameters.connection_interval / 1000

    def link(self, axis: Axis) -> OverheardUnit:
        """A new link to it, not open yet."""
        return OverheardUnit(self.profile(axis), self.radio)

    @asynccontextmanager
    async def reach(
        self,
        axis: Axis,
        *,
        link: UnitLink | None = None,
        profile: UnitProfile | None = None,
    ) -> AsyncIterator[UnitRig]:
        """A supervisor that keeps it connected, ended afterwards."""
        profile = profile or self.profile(axis)
        link = link or OverheardUnit(profile, self.radio)
        async with supervised(link, profile, self._options, axis) as rig:
            self._supervisors.append(rig.supervisor)
            yield rig

    def _switch_on(self, options: LinkOptions) -> None:
        self._options = options
        self.radio = Radio(options=options, takes_over=True, may_end_links=self._may_end_links)

    def _may_end_links(self) -> bool:
        return not any(supervisor.needs_its_link for supervisor in self._supervisors)

    async def _plug_in(self) -> None:
        for axis in self._order:  # before there is a chip, which would not answer meanwhile
            await self.unit(axis).start()
        self._link = await open_transport("vhci")
        self.chip = FaultyController(
            "adapter",
            host_source=self._link.source,
            host_sink=self._link.sink,
            link=self.head.medium,
            public_address=ADAPTER_ADDRESS,
        )
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
    """The frames that arrive at a unit from now on, including those that it reads later."""

    def __init__(self, unit: VirtualUnit) -> None:
        self._unit = unit
        self._since_s = asyncio.get_running_loop().time()

    @property
    def received(self) -> list[ReceivedFrame]:
        """Everything, oldest first."""
        return [frame for frame in self._unit.frames if frame.came_s > self._since_s]

    @property
    def frames(self) -> list[bytes]:
        """Their bytes only."""
        return [received.frame for received in self.received]


class WrittenFrame(NamedTuple):
    """One frame that was passed to BlueZ, and when."""

    at_s: float
    frame: bytes
    response: bool


class OverheardUnit(BleUnit):
    """A unit's link that records what was passed to BlueZ."""

    def __init__(self, profile: UnitProfile, radio: Radio) -> None:
        super().__init__(profile, radio)
        self.written: list[WrittenFrame] = []

    async def write(self, frame: bytes, *, response: bool) -> None:
        """Record it, and pass it on."""
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


def _slowed(options: LinkOptions, slowness: float) -> LinkOptions:
    """The options with timeouts that are longer by this factor."""
    connect_timeout_s = min(options.connect_timeout_s * slowness, MAX_CONNECT_S)
    search_s = min(options.search_s * slowness, MAX_SEARCH_S)
    return msgspec.structs.replace(
        options,
        search_s=search_s,
        connect_timeout_s=connect_timeout_s,
        open_timeout_s=max(options.open_timeout_s, search_s + 2 * connect_timeout_s),
    )


@asynccontextmanager
async def bluez_world(
    order: tuple[Axis, ...] = AXES, interval_s: float | None = None, options: LinkOptions | None = None
) -> AsyncIterator[World]:
    """A computer and a head for one scenario, from power on to power off.

    `order` is the order in which the units are switched on; `interval_s` is the connection interval that the kernel
    asks for instead of its 30 to 50 ms. Timeouts are longer where the machine has to wait for processors.
    """
    daemons = Daemons()
    world = World(daemons, order, interval_s)
    stretch = Stretch()
    with stalls_logged(LOGS / "chip.log"):
        async with timeout(SCENARIO_S):
            await daemons.start()
            try:
                await world._plug_in()
                try:
                    world._switch_on(_slowed(options or LinkOptions(), stretch.slowness))
                    yield world
                finally:
                    await world._pull_out()
            finally:
                daemons.kill()
