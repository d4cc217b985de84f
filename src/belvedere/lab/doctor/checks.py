"""The doctor's rounds: every check there is, put together from what the owner's file says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from belvedere.errors import LinkError
from belvedere.head.axes import AXES
from belvedere.lab.doctor.adapters import adapter, bluez_version
from belvedere.lab.doctor.bluez import BluezSnapshot, query_bluez
from belvedere.lab.doctor.check import Check, CheckResult, CheckState, in_worker_thread
from belvedere.lab.doctor.computer import clock, disk, memory, port, temperature
from belvedere.lab.doctor.encoder import encoder
from belvedere.lab.doctor.guardian import guardian
from belvedere.lab.doctor.links import CheckedUnit, LinkTester, presence
from belvedere.lab.doctor.video import cameras
from belvedere.lab.messages import message_for
from belvedere.lab.scan import ScanResults, scan
from belvedere.link.ble import is_unit, rival_of
from belvedere.link.calls import Calls, outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from belvedere.head.profile import HeadProfile
    from belvedere.lab.adapter import Adapter
    from belvedere.lab.scan import ScannedDevice
    from belvedere.stage.options import StageOptions

SCAN_S = 6.0
ASK_S = 8.0  # twice what D-Bus is given; a Raspberry Pi that boots is slow
BLUETOOTH_S = 10.0
UNITS_S = 120.0  # a scan, and for each unit a connection, its stops and a goodbye
ENCODER_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
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
    ask: Callable[[], Coroutine[Any, Any, BluezSnapshot]] = field(default=query_bluez)
    wants_units: bool = True
    has_guardian: bool | None = None


def checks(context: CheckContext) -> list[Check]:
    """Everything to look at, for `check.run_checks`."""
    known = _SharedQuery(context.ask)
    bluetooth = [
        Check("Bluetooth service", lambda: _service(known), BLUETOOTH_S),
        Check("BlueZ", bluez_version),
        Check("adapter", lambda: _adapter(known, context), BLUETOOTH_S),
    ]
    units = [Check("units", lambda: _units(known, context), UNITS_S)] if context.wants_units else []
    guarding = []
    if (is_enabled := context.has_guardian) is not None:
        guarding.append(Check("guardian", lambda: guardian(is_enabled=is_enabled), BLUETOOTH_S))
    return [
        *bluetooth,
        *guarding,
        *units,
        Check("camera", in_worker_thread(cameras)),
        Check("encoder", in_worker_thread(lambda: encoder(context.stage)), ENCODER_S),
        Check(f"port {context.port}", in_worker_thread(lambda: port(context.host, context.port))),
        Check("clock", in_worker_thread(clock)),
        Check("disk", in_worker_thread(lambda: disk(context.folder))),
        Check("memory", in_worker_thread(memory)),
        Check("temperature", in_worker_thread(temperature)),
    ]


class _SharedQuery:
    """Asks BlueZ once for all who want to know; whoever gives up does not take the answer from the others."""

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, BluezSnapshot]]) -> None:
        self._ask = ask
        self._asked: asyncio.Future[BluezSnapshot] | None = None

    async def __call__(self) -> BluezSnapshot:
        if self._asked is None:
            self._asked = asyncio.ensure_future(self._answer())
        return await asyncio.shield(self._asked)

    async def _answer(self) -> BluezSnapshot:
        asking = Calls().begin(self._ask())
        try:
            return await outcome(asking, ASK_S)
        except LinkError:
            fix = "sudo systemctl restart dbus bluetooth"
            return BluezSnapshot(
                CheckResult("Bluetooth service", CheckState.UNKNOWN, f"no answer within {ASK_S:g} s", fix)
            )


async def _service(known: _SharedQuery) -> list[CheckResult]:
    return [(await known()).result]


async def _adapter(known: _SharedQuery, context: CheckContext) -> list[CheckResult]:
    return adapter(await known(), context.adapter.name)


async def _units(known: _SharedQuery, context: CheckContext) -> list[CheckResult]:
    """Whether each unit is seen; then their links, one after the other, because there is one radio."""
    described = [(axis, context.profile.unit(axis)) for axis in AXES]
    units = [
        CheckedUnit(axis=axis, unit=unit, layout=context.profile.frame) for axis, unit in described if unit is not None
    ]
    around = ScanResults([context.profile])
    try:
        await scan(around, context.adapter, asyncio.Event(), duration_s=SCAN_S)
    except LinkError as error:
        return [CheckResult(f"{unit.axis} unit", CheckState.UNKNOWN, message_for(error)) for unit in units]
    bluez = await known()
    devices = {unit.axis: _device(unit, units, around.devices) for unit in units}
    found = [presence(unit, devices[unit.axis], bluez) for unit in units]
    present = [(unit, device) for unit in units if (device := devices[unit.axis]) is not None]
    if not present:
        return found
    links = LinkTester(context.adapter, bluez)
    found.append(await links.request_short_intervals([device for _unit, device in present]))
    for unit, device in present:
        found += await links.measure(unit, device)
    return found


def _device(unit: CheckedUnit, units: Sequence[CheckedUnit], devices: Sequence[ScannedDevice]) -> ScannedDevice | None:
    """The device that is heard best of those that may be this unit, and none of the others."""
    others = [other.unit for other in units if other is not unit]
    for one in devices:
        presence = one.address, one.name, one.services
        if is_unit(unit.unit, *presence) and rival_of(unit.unit, others, *presence) is None:
            return one
    return None
