"""Every check of the doctor, put together from the configuration."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from belvedere.errors import LinkError
from belvedere.head.axes import AXES
from belvedere.lab.doctor.adapters import adapter, bluez_version
from belvedere.lab.doctor.bluez import BluezSnapshot, query_bluez
from belvedere.lab.doctor.camera import camera_picture
from belvedere.lab.doctor.check import Check, CheckResult, CheckState, in_worker_thread
from belvedere.lab.doctor.computer import clock, disk, memory, port, temperature
from belvedere.lab.doctor.encoder import encoder
from belvedere.lab.doctor.guardian import guardian
from belvedere.lab.doctor.links import CheckedUnit, LinkTester, presence
from belvedere.lab.doctor.picture_way import picture_way
from belvedere.lab.doctor.service import service
from belvedere.lab.doctor.video import cameras
from belvedere.lab.doctor.way_in import way_in
from belvedere.lab.messages import message_for
from belvedere.lab.scan import ScanResults, scan
from belvedere.link.ble import conflicting_unit, is_unit
from belvedere.link.pending_calls import PendingCalls, outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from pathlib import Path

    from belvedere.head.profile import HeadProfile
    from belvedere.lab.adapter import Adapter
    from belvedere.lab.camera_trial import CameraReport
    from belvedere.lab.doctor.service import InstalledService
    from belvedere.lab.scan import ScannedDevice
    from belvedere.stage.direct.server_trial import ServerTrial
    from belvedere.stage.options import StageOptions

SCAN_S = 6.0
QUERY_TIMEOUT_S = 8.0  # twice what the query itself allows D-Bus; a Raspberry Pi that is booting is slow
BLUETOOTH_TIMEOUT_S = 10.0
UNITS_TIMEOUT_S = 120.0  # a scan, and for each unit: connect, write stops, disconnect
ENCODER_TIMEOUT_S = 30.0
SERVERS_TIMEOUT_S = 15.0  # each server's own time-out, and credentials from Cloudflare before that
CAMERA_TIMEOUT_S = 40.0  # until the first picture, and as long as the trial takes


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """What the checks need to know.

    Attributes:
        profile: the head as configured.
        adapter: the Bluetooth adapter.
        stage: size and rate of the video.
        host, port: where the server is to listen.
        folder: where the store keeps its file.
        query: how BlueZ is queried.
        wants_units: whether to look for units at all.
        has_guardian: whether the guardian is enabled; None where no real head is driven.
        has_camera: whether a real camera is configured.
        camera_trial: turns that camera on and measures what comes; None if the owner did not ask for it.
        service: the service that this computer may have.
        names: under which the server may be reached.
        trusted_proxies: addresses of proxies in front of it.
        try_servers: asks the STUN and TURN servers of the settings.
    """

    profile: HeadProfile
    adapter: Adapter
    stage: StageOptions
    host: str
    port: int
    folder: Path
    query: Callable[[], Coroutine[Any, Any, BluezSnapshot]] = field(default=query_bluez)
    wants_units: bool = True
    has_guardian: bool | None = None
    has_camera: bool = False
    camera_trial: Callable[[], CameraReport] | None = None
    service: InstalledService | None = None
    names: Sequence[str] = ()
    trusted_proxies: Sequence[str] = ()
    try_servers: Callable[[], Awaitable[Sequence[ServerTrial]]] | None = None


def checks(context: CheckContext) -> list[Check]:
    """All checks, for `check.run_checks`."""
    bluez = _SharedQuery(context.query)
    bluetooth = [
        Check("Bluetooth service", lambda: _service(bluez), BLUETOOTH_TIMEOUT_S),
        Check("BlueZ", bluez_version),
        Check("adapter", lambda: _adapter(bluez, context), BLUETOOTH_TIMEOUT_S),
    ]
    units = [Check("units", lambda: _units(bluez, context), UNITS_TIMEOUT_S)] if context.wants_units else []
    guardians = []
    if (is_enabled := context.has_guardian) is not None:
        guardians.append(Check("guardian", lambda: guardian(is_enabled=is_enabled), BLUETOOTH_TIMEOUT_S))
    pictures = []
    if context.has_camera:
        trial = context.camera_trial
        pictures.append(Check("camera picture", in_worker_thread(lambda: camera_picture(trial)), CAMERA_TIMEOUT_S))
    services = []
    if (installed := context.service) is not None:
        services.append(Check("service", in_worker_thread(lambda: service(installed))))
    ways = [Check("way in", in_worker_thread(lambda: way_in(context.host, context.names, context.trusted_proxies)))]
    if (try_servers := context.try_servers) is not None:
        ways.append(Check("picture's way out", lambda: picture_way(try_servers), SERVERS_TIMEOUT_S))
    return [
        *services,
        *bluetooth,
        *guardians,
        *units,
        Check("camera", in_worker_thread(lambda: cameras(context.stage))),
        *pictures,
        Check("encoder", in_worker_thread(lambda: encoder(context.stage)), ENCODER_TIMEOUT_S),
        Check(f"port {context.port}", in_worker_thread(lambda: port(context.host, context.port))),
        *ways,
        Check("clock", in_worker_thread(clock)),
        Check("disk", in_worker_thread(lambda: disk(context.folder))),
        Check("memory", in_worker_thread(memory)),
        Check("temperature", in_worker_thread(temperature)),
    ]


class _SharedQuery:
    """Queries BlueZ once for several checks; a check that times out does not cancel the query for the others."""

    def __init__(self, query: Callable[[], Coroutine[Any, Any, BluezSnapshot]]) -> None:
        self._query = query
        self._pending: asyncio.Future[BluezSnapshot] | None = None

    async def __call__(self) -> BluezSnapshot:
        if self._pending is None:
            self._pending = asyncio.ensure_future(self._run_query())
        return await asyncio.shield(self._pending)

    async def _run_query(self) -> BluezSnapshot:
        query = PendingCalls().begin(self._query())
        try:
            return await outcome(query, QUERY_TIMEOUT_S)
        except LinkError:
            fix = "sudo systemctl restart dbus bluetooth"
            return BluezSnapshot(
                CheckResult("Bluetooth service", CheckState.UNKNOWN, f"no answer within {QUERY_TIMEOUT_S:g} s", fix)
            )


async def _service(bluez: _SharedQuery) -> list[CheckResult]:
    return [(await bluez()).result]


async def _adapter(bluez: _SharedQuery, context: CheckContext) -> list[CheckResult]:
    return adapter(await bluez(), context.adapter.name)


async def _units(bluez: _SharedQuery, context: CheckContext) -> list[CheckResult]:
    """Whether each unit is there; then their links, one after the other, because there is one radio."""
    described = [(axis, context.profile.unit(axis)) for axis in AXES]
    units = [
        CheckedUnit(axis=axis, unit=unit, layout=context.profile.frame) for axis, unit in described if unit is not None
    ]
    nearby = ScanResults([context.profile])
    try:
        await scan(nearby, context.adapter, asyncio.Event(), duration_s=SCAN_S)
    except LinkError as error:
        return [CheckResult(f"{unit.axis} unit", CheckState.UNKNOWN, message_for(error)) for unit in units]
    snapshot = await bluez()
    devices = {unit.axis: _device(unit, units, nearby.devices) for unit in units}
    found = [presence(unit, devices[unit.axis], snapshot) for unit in units]
    present = [(unit, device) for unit in units if (device := devices[unit.axis]) is not None]
    if not present:
        return found
    links = LinkTester(context.adapter, snapshot)
    found.append(await links.request_short_intervals([device for _unit, device in present]))
    for unit, device in present:
        found += await links.measure(unit, device)
    return found


def _device(unit: CheckedUnit, units: Sequence[CheckedUnit], devices: Sequence[ScannedDevice]) -> ScannedDevice | None:
    """The device with the strongest signal that may be this unit and none of the others."""
    others = [other.unit for other in units if other is not unit]
    for one in devices:
        advertised = one.address, one.name, one.services
        if is_unit(unit.unit, *advertised) and conflicting_unit(unit.unit, others, *advertised) is None:
            return one
    return None
