"""The doctor's rounds: every check there is, put together from what the owner's file says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from belvedere.errors import LinkError
from belvedere.head.axes import AXES
from belvedere.lab.doctor.adapters import adapter, bluez_version
from belvedere.lab.doctor.bluez import Bluez, ask_bluez
from belvedere.lab.doctor.check import Check, Finding, State, threaded
from belvedere.lab.doctor.computer import clock, disk, heat, memory, port
from belvedere.lab.doctor.encoder import encoder
from belvedere.lab.doctor.guardian import guardian
from belvedere.lab.doctor.links import Links, Unit, seen
from belvedere.lab.doctor.video import cameras
from belvedere.lab.scan import Neighbourhood, scan
from belvedere.lab.trouble import words_for
from belvedere.link.ble import is_unit, rival_of
from belvedere.link.calls import Calls, outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from belvedere.head.profile import HeadProfile
    from belvedere.lab.adapter import Adapter
    from belvedere.lab.scan import Device
    from belvedere.stage.options import StageOptions

SCAN_S = 6.0
ASK_S = 8.0  # twice what D-Bus is given; a Raspberry Pi that boots is slow
BLUETOOTH_S = 10.0
UNITS_S = 120.0  # a scan, and for each unit a connection, its stops and a goodbye
ENCODER_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the doctor needs to know of the house.

    Attributes:
        profile: the head as the owner's file describes it.
        adapter: the Bluetooth adapter.
        stage: the picture.
        host, port: where the door opens.
        folder: where is kept what must survive a restart.
        ask: how BlueZ is asked.
        wants_units: whether to look for units at all.
        has_guardian: whether one shall watch over the head; None where there is nothing to guard.
    """

    profile: HeadProfile
    adapter: Adapter
    stage: StageOptions
    host: str
    port: int
    folder: Path
    ask: Callable[[], Coroutine[Any, Any, Bluez]] = field(default=ask_bluez)
    wants_units: bool = True
    has_guardian: bool | None = None


def checks(house: House) -> list[Check]:
    """Everything to look at, for `check.examine`."""
    known = _Once(house.ask)
    bluetooth = [
        Check("Bluetooth service", lambda: _service(known), BLUETOOTH_S),
        Check("BlueZ", bluez_version),
        Check("adapter", lambda: _adapter(known, house), BLUETOOTH_S),
    ]
    units = [Check("units", lambda: _units(known, house), UNITS_S)] if house.wants_units else []
    guarding = []
    if (is_enabled := house.has_guardian) is not None:
        guarding.append(Check("guardian", lambda: guardian(is_enabled=is_enabled), BLUETOOTH_S))
    return [
        *bluetooth,
        *guarding,
        *units,
        Check("camera", threaded(cameras)),
        Check("encoder", threaded(lambda: encoder(house.stage)), ENCODER_S),
        Check(f"port {house.port}", threaded(lambda: port(house.host, house.port))),
        Check("clock", threaded(clock)),
        Check("disk", threaded(lambda: disk(house.folder))),
        Check("memory", threaded(memory)),
        Check("temperature", threaded(heat)),
    ]


class _Once:
    """Asks BlueZ once for all who want to know; whoever gives up does not take the answer from the others."""

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, Bluez]]) -> None:
        self._ask = ask
        self._asked: asyncio.Future[Bluez] | None = None

    async def __call__(self) -> Bluez:
        if self._asked is None:
            self._asked = asyncio.ensure_future(self._answer())
        return await asyncio.shield(self._asked)

    async def _answer(self) -> Bluez:
        asking = Calls().begin(self._ask())
        try:
            return await outcome(asking, ASK_S)
        except LinkError:
            cure = "sudo systemctl restart dbus bluetooth"
            return Bluez(Finding("Bluetooth service", State.UNKNOWN, f"no answer within {ASK_S:g} s", cure))


async def _service(known: _Once) -> list[Finding]:
    return [(await known()).finding]


async def _adapter(known: _Once, house: House) -> list[Finding]:
    return adapter(await known(), house.adapter.name)


async def _units(known: _Once, house: House) -> list[Finding]:
    """Whether each unit is seen; then their links, one after the other, because there is one radio."""
    described = [(axis, house.profile.unit(axis)) for axis in AXES]
    units = [Unit(axis=axis, unit=unit, layout=house.profile.frame) for axis, unit in described if unit is not None]
    around = Neighbourhood([house.profile])
    try:
        await scan(around, house.adapter, asyncio.Event(), for_s=SCAN_S)
    except LinkError as error:
        return [Finding(f"{unit.axis} unit", State.UNKNOWN, words_for(error)) for unit in units]
    bluez = await known()
    devices = {unit.axis: _device(unit, units, around.devices) for unit in units}
    found = [seen(unit, devices[unit.axis], bluez) for unit in units]
    present = [(unit, device) for unit in units if (device := devices[unit.axis]) is not None]
    if not present:
        return found
    links = Links(house.adapter, bluez)
    found.append(await links.quick([device for _unit, device in present]))
    for unit, device in present:
        found += await links.measure(unit, device)
    return found


def _device(unit: Unit, units: Sequence[Unit], devices: Sequence[Device]) -> Device | None:
    """The device that is heard best of those that may be this unit, and none of the others."""
    others = [other.unit for other in units if other is not unit]
    for one in devices:
        seen = one.address, one.name, one.services
        if is_unit(unit.unit, *seen) and rival_of(unit.unit, others, *seen) is None:
            return one
    return None
