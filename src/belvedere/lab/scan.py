"""Who is on the air: every device that advertises itself, how well it is heard, and whether a profile knows it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from bleak import BleakScanner

from belvedere.errors import LinkReason
from belvedere.lab.profiles import Fit, fits_of
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
SWITCH_S = 5.0  # starting or ending a scan takes milliseconds; whoever hangs is told of, and left behind
LIVE: BlueZScannerArgs = {"filters": {"DuplicateData": True}}
"""BlueZ tells of a device that says nothing new only if asked to."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One device, as it has told of itself so far.

    Attributes:
        name: "" while it has not told one.
        services: full UUIDs that it advertises; it may have more.
        rssi_dbm: how well it is heard, smoothed.
        fits: units of profiles that it may be.
        seen_at_s: when it was heard last, on the clock of whoever hears it.
        count: how often it was heard.
    """

    address: str
    name: str
    services: tuple[str, ...]
    rssi_dbm: int
    fits: tuple[Fit, ...]
    seen_at_s: float
    count: int = 1


class Neighbourhood:
    """All devices that were heard, put together from what each advertisement tells. Pure."""

    def __init__(self, profiles: Sequence[HeadProfile]) -> None:
        self._profiles = profiles
        self._devices: dict[str, Device] = {}
        self._strengths: dict[str, float] = {}

    def receive(self, address: str, name: str, services: Sequence[str], rssi_dbm: int, now: float) -> bool:
        """Take in one advertisement; True if the device was not known before."""
        known = self._devices.get(address)
        strength_dbm = self._strengths.get(address, rssi_dbm)
        strength_dbm += SMOOTHING * (rssi_dbm - strength_dbm)
        self._strengths[address] = strength_dbm
        name = name or (known.name if known else "")
        everything = tuple(sorted({*services, *(known.services if known else ())}))
        self._devices[address] = Device(
            address=address,
            name=name,
            services=everything,
            rssi_dbm=round(strength_dbm),
            fits=fits_of(self._profiles, address, name, everything),
            seen_at_s=now,
            count=known.count + 1 if known else 1,
        )
        return known is None

    def device(self, address: str) -> Device:
        """The device at this address, which was heard. Raises KeyError."""
        return self._devices[address]

    @property
    def devices(self) -> list[Device]:
        """Those that a profile knows first, then those that are heard best."""
        return sorted(
            self._devices.values(), key=lambda device: (not device.fits, -device.rssi_dbm, device.name, device.address)
        )


async def scan(
    neighbourhood: Neighbourhood,
    adapter: Adapter,
    ending: asyncio.Event,
    *,
    for_s: float | None = None,
    on_heard: Callable[[Device, bool], None] = lambda _device, _is_new: None,
) -> None:
    """Listen for `for_s` seconds, or until `ending`.

    `on_heard` is told of every advertisement, and whether its device is new. Raises LinkError where the adapter does
    not scan.
    """

    def receive(device: BLEDevice, seen: AdvertisementData) -> None:
        name = seen.local_name or device.name or ""
        is_new = neighbourhood.receive(
            device.address, name, seen.service_uuids, seen.rssi, asyncio.get_running_loop().time()
        )
        on_heard(neighbourhood.device(device.address), is_new)

    name = await adapter.bluez_name()
    options: BlueZScannerArgs = LIVE if name is None else {**LIVE, "adapter": name}
    scanner = BleakScanner(receive, backend=adapter.scanner_backend, bluez=options)
    with mapped(LinkReason.ADAPTER_OFF):
        async with within(SWITCH_S):
            await scanner.start()
        try:
            await _until(ending, for_s)
        finally:
            async with within(SWITCH_S):
                await scanner.stop()


async def _until(ending: asyncio.Event, for_s: float | None) -> None:
    if for_s is None:
        await ending.wait()
        return
    try:
        async with within(for_s):
            await ending.wait()
    except TimeoutError:
        return
