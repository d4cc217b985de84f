"""Scans for advertising devices: their names, services and signal strength, and which units of a profile they match."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from bleak import BleakScanner

from belvedere.errors import LinkReason
from belvedere.lab.profiles import UnitMatch, find_matches
from belvedere.link.bleak_errors import scan_errors
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bleak.args.bluez import BlueZScannerArgs
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

    from belvedere.head.profile import HeadProfile
    from belvedere.lab.adapter import Adapter

SMOOTHING = 0.3  # weight of a new RSSI: single readings jump by 10 dB, and a table that keeps re-sorting is unreadable
START_STOP_TIMEOUT_S = 5.0  # starting or stopping a scan takes milliseconds unless BlueZ hangs
REPORT_DUPLICATES: BlueZScannerArgs = {"filters": {"DuplicateData": True}}
"""Without this, BlueZ reports an advertisement only if it differs from the device's last one."""


class ScannedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """One device, as known from its advertisements so far.

    Attributes:
        name: "" while none was received.
        services: full UUIDs that it advertises; it may have more.
        rssi_dbm: signal strength, smoothed.
        matches: units of profiles that it matches.
        seen_at_s: when its last advertisement was received, on the scanner's clock.
        count: how many advertisements were received.
    """

    address: str
    name: str
    services: tuple[str, ...]
    rssi_dbm: int
    matches: tuple[UnitMatch, ...]
    seen_at_s: float
    count: int = 1


class ScanResults:
    """All devices found so far, each accumulated from its advertisements. Pure."""

    def __init__(self, profiles: Sequence[HeadProfile]) -> None:
        self._profiles = profiles
        self._devices: dict[str, ScannedDevice] = {}
        self._signals_dbm: dict[str, float] = {}

    def receive(self, address: str, name: str, services: Sequence[str], rssi_dbm: int, now: float) -> bool:
        """An advertisement was received; True if its device is new."""
        known = self._devices.get(address)
        signal_dbm = self._signals_dbm.get(address, rssi_dbm)
        signal_dbm += SMOOTHING * (rssi_dbm - signal_dbm)
        self._signals_dbm[address] = signal_dbm
        name = name or (known.name if known else "")
        all_services = tuple(sorted({*services, *(known.services if known else ())}))
        self._devices[address] = ScannedDevice(
            address=address,
            name=name,
            services=all_services,
            rssi_dbm=round(signal_dbm),
            matches=find_matches(self._profiles, address, name, all_services),
            seen_at_s=now,
            count=known.count + 1 if known else 1,
        )
        return known is None

    def device(self, address: str) -> ScannedDevice:
        """The device at this address. Raises KeyError if it was not found yet."""
        return self._devices[address]

    @property
    def devices(self) -> list[ScannedDevice]:
        """Devices that match a profile first, then by signal strength."""
        return sorted(
            self._devices.values(),
            key=lambda device: (not device.matches, -device.rssi_dbm, device.name, device.address),
        )


async def scan(
    results: ScanResults,
    adapter: Adapter,
    done: asyncio.Event,
    *,
    duration_s: float | None = None,
    on_advertisement: Callable[[ScannedDevice, bool], None] = lambda _device, _is_new: None,
) -> None:
    """Scan for `duration_s` seconds, or until `done` is set.

    `on_advertisement` receives the device of every advertisement, and whether it is new. Raises LinkError where the
    adapter cannot scan.
    """

    def receive(device: BLEDevice, advertisement: AdvertisementData) -> None:
        name = advertisement.local_name or device.name or ""
        is_new = results.receive(
            device.address, name, advertisement.service_uuids, advertisement.rssi, asyncio.get_running_loop().time()
        )
        on_advertisement(results.device(device.address), is_new)

    name = await adapter.bluez_name()
    options: BlueZScannerArgs = REPORT_DUPLICATES if name is None else {**REPORT_DUPLICATES, "adapter": name}
    scanner = BleakScanner(receive, backend=adapter.scanner_backend, bluez=options)
    with scan_errors(LinkReason.ADAPTER_OFF):
        async with timeout(START_STOP_TIMEOUT_S):
            await scanner.start()
        try:
            await _until(done, duration_s)
        finally:
            async with timeout(START_STOP_TIMEOUT_S):
                await scanner.stop()


async def _until(done: asyncio.Event, duration_s: float | None) -> None:
    if duration_s is None:
        await done.wait()
        return
    try:
        async with timeout(duration_s):
            await done.wait()
    except TimeoutError:
        return
