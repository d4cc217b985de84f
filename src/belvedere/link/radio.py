"""One Bluetooth adapter, shared by all units: one scan for everyone who seeks, one connect at a time.

BlueZ refuses a second scan and a second connect from one process, and a scan makes connecting slow, so it pauses.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from bleak import BleakScanner
from bleak_retry_connector import BleakClientWithServiceCache, establish_connection

from belvedere.errors import LinkError, LinkReason
from belvedere.link.options import LinkOptions
from belvedere.link.refusals import mapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from bleak.backends.client import BaseBleakClient
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

SWITCH_S = 2.0  # starting or ending a scan takes milliseconds; one that hangs must not keep the other unit waiting


class Sighting(NamedTuple):
    """A unit that was seen on the air."""

    device: BLEDevice
    name: str
    rssi_dbm: int


class _Seeker:
    """Somebody who waits for an advertisement."""

    def __init__(self, is_wanted: Callable[[str, str, list[str]], bool]) -> None:
        self.is_wanted = is_wanted
        self.found: asyncio.Future[Sighting] = asyncio.get_running_loop().create_future()


class Radio:
    """An adapter.

    Args:
        client_backend, scanner_backend: classes for bleak to use instead of the system's own.
        adapter: BlueZ's name of it (`hci1`), or None for the first.
        options: how long a search and a connect may take.
    """

    def __init__(
        self,
        client_backend: type[BaseBleakClient] | None = None,
        scanner_backend: type[BaseBleakScanner] | None = None,
        adapter: str | None = None,
        options: LinkOptions | None = None,
    ) -> None:
        self._options = options or LinkOptions()
        self._client_backend = client_backend
        self._scanner_backend = scanner_backend
        self._adapter = adapter
        self._seekers: set[_Seeker] = set()
        self._taken: set[str] = set()
        self._scanner: BleakScanner | None = None
        self._scan_turn = asyncio.Lock()
        self._connect_turn = asyncio.Lock()
        self._is_connecting = False

    async def find(self, is_wanted: Callable[[str, str, list[str]], bool]) -> Sighting:
        """The first unit seen for which `is_wanted(address, name, services)`, but for those in use.

        Raises LinkError (NOT_FOUND, ADAPTER_OFF, NO_PERMISSION).
        """
        seeker = _Seeker(is_wanted)
        self._seekers.add(seeker)
        try:
            await self._switch_scan()
            async with asyncio.timeout(self._options.search_s):
                return await seeker.found
        except TimeoutError as error:
            raise LinkError(LinkReason.NOT_FOUND, "the unit was not seen") from error
        finally:
            self._seekers.discard(seeker)
            await self._switch_scan()

    async def connect(
        self, sighting: Sighting, on_disconnect: Callable[[BleakClientWithServiceCache], None]
    ) -> BleakClientWithServiceCache:
        """Connect to a unit and discover what it has. Raises LinkError."""
        async with self._connect_turn:
            self._is_connecting = True
            try:
                await self._switch_scan()
                with mapped(LinkReason.CONNECT_FAILED):
                    async with asyncio.timeout(self._options.connect_timeout_s):
                        client = await self._establish(sighting, on_disconnect)
            finally:
                self._is_connecting = False
                await self._switch_scan()
        self._taken.add(sighting.device.address)
        return client

    def release(self, address: str) -> None:
        """The unit at this address is in use no longer, and may be found again."""
        self._taken.discard(address)

    async def _establish(
        self, sighting: Sighting, on_disconnect: Callable[[BleakClientWithServiceCache], None]
    ) -> BleakClientWithServiceCache:
        """One attempt: when to try again is the supervisor's to say, and a failed one needs a new scan anyway."""
        options: dict[str, Any] = {} if self._client_backend is None else {"backend": self._client_backend}
        if self._adapter is not None:
            options["bluez"] = {"adapter": self._adapter}
        return await establish_connection(
            BleakClientWithServiceCache,
            sighting.device,
            sighting.name,
            disconnected_callback=on_disconnect,
            max_attempts=1,
            **options,
        )

    async def _switch_scan(self) -> None:
        """Scan exactly while somebody seeks and nobody connects. Raises LinkError."""
        async with self._scan_turn:
            wanted = bool(self._seekers) and not self._is_connecting
            with mapped(LinkReason.CONNECT_FAILED):
                async with asyncio.timeout(SWITCH_S):
                    if wanted and self._scanner is None:
                        scanner = self._new_scanner()
                        await scanner.start()
                        self._scanner = scanner
                    elif not wanted and self._scanner is not None:
                        scanner, self._scanner = self._scanner, None
                        await scanner.stop()

    def _new_scanner(self) -> BleakScanner:
        if self._adapter is None:
            return BleakScanner(self._receive, backend=self._scanner_backend)
        return BleakScanner(self._receive, backend=self._scanner_backend, bluez={"adapter": self._adapter})

    def _receive(self, device: BLEDevice, seen: AdvertisementData) -> None:
        if device.address in self._taken:
            return
        name = seen.local_name or device.name or ""
        for seeker in self._seekers:
            if not seeker.found.done() and seeker.is_wanted(device.address, name, seen.service_uuids):
                seeker.found.set_result(Sighting(device, name, seen.rssi))
