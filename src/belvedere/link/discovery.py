"""Looks for devices by one adapter: makes the scanners for its scan, and reports each device that they see."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bleak import BleakAdapter, BleakScanner

from belvedere.errors import LinkError, LinkReason
from belvedere.link.adapters import resolve_adapter
from belvedere.link.bleak_errors import link_errors
from belvedere.link.pending_calls import PendingCalls, outcome
from belvedere.link.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from bleak.backends.adapter import BaseBleakAdapter
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

    from belvedere.link.adapters import BluezAdapter
    from belvedere.link.scan import Scanner

logger = logging.getLogger(__name__)

LIST_CONNECTED_S = 2.0  # BlueZ answers at once; a call that hangs must not block the other unit
EVERY_UNIT_HAS = (
    "1800",
    "1801",
)  # Generic Access and Generic Attribute: every GATT server has both, and BlueZ reports at least one


class DiscoveredDevice(NamedTuple):
    """A device that was seen advertising, or that was connected already."""

    device: BLEDevice
    name: str
    rssi_dbm: int | None  # None for a device that was connected already


class Discovery:
    """What one adapter sees. `scan` is its scan, and `adapter_name` its BlueZ name when the last one started.

    Args:
        scanner_backend, adapter_backend: classes for bleak to use instead of the platform's own.
        adapter: the adapter's BlueZ name or address; None for the first that is powered.
        ask_adapters: returns the adapters, each time that a scan starts; None if `adapter` is a name for good.
        lists_connected: whether devices that are connected already are reported as well.
        is_wanted: whether to scan; call `scan.update` when this may have changed.
        on_seen: called with each device seen and the UUIDs of its services.
        on_failure, on_ended, wait_until_gone: see `Scan`.
    """

    def __init__(
        self,
        scanner_backend: type[BaseBleakScanner] | None,
        adapter_backend: type[BaseBleakAdapter] | None,
        adapter: str | None,
        *,
        ask_adapters: Callable[[], Coroutine[None, None, Sequence[BluezAdapter]]] | None,
        lists_connected: bool,
        is_wanted: Callable[[], bool],
        on_seen: Callable[[DiscoveredDevice, list[str]], None],
        on_failure: Callable[[LinkError], None],
        on_ended: Callable[[LinkError | None], None],
        wait_until_gone: Callable[[], Coroutine[None, None, None]] | None,
    ) -> None:
        self.adapter_name: str | None = None
        self.scan = Scan(
            self._new_scanner,
            is_wanted,
            on_started=self._report_connected,
            on_failure=on_failure,
            on_ended=on_ended,
            wait_until_gone=wait_until_gone,
        )
        self._scanner_backend = scanner_backend
        self._adapter_backend = adapter_backend
        self._adapter = adapter
        self._ask_adapters = ask_adapters
        self._lists_connected = lists_connected
        self._on_seen = on_seen
        self._calls = PendingCalls()

    def _new_scanner(self) -> Scanner:
        if self._adapter is None:
            return BleakScanner(self._receive, backend=self._scanner_backend)
        return _DeferredScanner(partial(self._scanner_of, self._adapter))

    async def _scanner_of(self, adapter: str) -> Scanner:
        self.adapter_name = (
            adapter if self._ask_adapters is None else resolve_adapter(adapter, await self._ask_adapters())
        )
        return BleakScanner(self._receive, backend=self._scanner_backend, bluez={"adapter": self.adapter_name})

    async def _report_connected(self) -> None:
        if not self._lists_connected:
            return
        listing = self._calls.begin(_connected(self._adapter_backend, self.adapter_name))
        try:
            for device in await outcome(listing, LIST_CONNECTED_S):
                self._on_seen(DiscoveredDevice(device, device.name or "", None), _services_of(device))
        except LinkError as error:
            logger.debug("could not list connected devices: %s", error)

    def _receive(self, device: BLEDevice, seen: AdvertisementData) -> None:
        name = seen.local_name or device.name or ""
        self._on_seen(DiscoveredDevice(device, name, seen.rssi), seen.service_uuids)


class _DeferredScanner:
    """A scanner for a configured adapter, whose current BlueZ name is resolved each time that a scan starts."""

    def __init__(self, make: Callable[[], Coroutine[None, None, Scanner]]) -> None:
        self._make = make

    async def start(self) -> None:
        self._scanner = await self._make()
        await self._scanner.start()

    async def stop(self) -> None:
        await self._scanner.stop()


async def _connected(backend: type[BaseBleakAdapter] | None, adapter: str | None) -> list[BLEDevice]:
    with link_errors(LinkReason.CONNECT_FAILED):
        asked = await BleakAdapter.get(bluez={} if adapter is None else {"adapter": adapter}, backend=backend)
        return await asked.get_connected_devices(list(EVERY_UNIT_HAS))


def _services_of(device: BLEDevice) -> list[str]:
    """The service UUIDs that BlueZ knows of a connected unit; empty on other platforms."""
    details = device.details
    return list(details.get("props", {}).get("UUIDs", [])) if isinstance(details, dict) else []
