"""Who is on the air: every device that advertises itself, how well it is heard, and whether a profile knows it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from bleak import BleakScanner

from belvedere.errors import LinkReason
from belvedere.lab.profiles import UnitMatch, find_matches
from belvedere.link.refusals import mapped
from belvedere.patience import within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bleak.args.bluez import BlueZScannerArgs
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

    from belvedere.head.profile import HeadProfile
    from belvedere.lab.adapter import Adapter

SMOOTHING = 0.3  # of a new strength: single readings jump by 10 dB, and a table that jumps cannot be read
START_STOP_TIMEOUT_S = 5.0  # starting or ending a scan takes milliseconds; whoever hangs is told of, and left behind
REPORT_DUPLICATES: BlueZScannerArgs = {"filters": {"DuplicateData": True}}
"""BlueZ tells of a device that says nothing new only if asked to."""


class ScannedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """One device, as it has told of itself so far.

    Attributes:
        name: "" while it has not told one.
        services: full UUIDs that it advertises; it may have more.
        rssi_dbm: how well it is heard, smoothed.
        matches: units of profiles that it may be.
        seen_at_s: when it was heard last, on the clock of whoever hears it.
        count: how often it was heard.
    """

    address: str
    name: str
    services: tuple[str, ...]
    rssi_dbm: int
    matches: tuple[UnitMatch, ...]
    seen_at_s: float
    count: int = 1


class ScanResults:
    """All devices that were heard, put together from what each advertisement tells. Pure."""

    def __init__(self, profiles: Sequence[HeadProfile]) -> None:
        self._profiles = profiles
        self._devices: dict[str, ScannedDevice] = {}
        self._signals_dbm: dict[str, float] = {}

    def receive(self, address: str, name: str, services: Sequence[str], rssi_dbm: int, now: float) -> bool:
        """Take in one advertisement; True if the device was not known before."""
        known = self._devices.get(address)
        signal_dbm = self._signals_dbm.get(address, rssi_dbm)
        signal_dbm += SMOOTHING * (rssi_dbm - signal_dbm)
        self._signals_dbm[address] = signal_dbm
        name = name or (known.name if known else "")
        everything = tuple(sorted({*services, *(known.services if known else ())}))
        self._devices[address] = ScannedDevice(
            address=address,
            name=name,
            services=everything,
            rssi_dbm=round(signal_dbm),
            matches=find_matches(self._profiles, address, name, everything),
            seen_at_s=now,
            count=known.count + 1 if known else 1,
        )
        return known is None

    def device(self, address: str) -> ScannedDevice:
        """The device at this address, which was heard. Raises KeyError."""
        return self._devices[address]

    @property
    def devices(self) -> list[ScannedDevice]:
        """Those that a profile knows first, then those that are heard best."""
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
    """Listen for `duration_s` seconds, or until `done`.

    `on_advertisement` is told of every advertisement, and whether its device is new. Raises LinkError where the adapter does
    not scan.
    """

    def receive(device: BLEDevice, seen: AdvertisementData) -> None:
        name = seen.local_name or device.name or ""
        is_new = results.receive(device.address, name, seen.service_uuids, seen.rssi, asyncio.get_running_loop().time())
        on_advertisement(results.device(device.address), is_new)

    name = await adapter.bluez_name()
    options: BlueZScannerArgs = REPORT_DUPLICATES if name is None else {**REPORT_DUPLICATES, "adapter": name}
    scanner = BleakScanner(receive, backend=adapter.scanner_backend, bluez=options)
    with mapped(LinkReason.ADAPTER_OFF):
        async with within(START_STOP_TIMEOUT_S):
            await scanner.start()
        try:
            await _until(done, duration_s)
        finally:
            async with within(START_STOP_TIMEOUT_S):
                await scanner.stop()


async def _until(done: asyncio.Event, duration_s: float | None) -> None:
    if duration_s is None:
        await done.wait()
        return
    try:
        async with within(duration_s):
            await done.wait()
    except TimeoutError:
        return
