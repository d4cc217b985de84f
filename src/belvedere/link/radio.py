"""One Bluetooth adapter, shared by all units: one scan serves all searches, and only one unit connects at a time.

BlueZ refuses a second scan and a second connection attempt from the same process, and connecting is slow during a scan.
So a scan is on while there are searches and no attempt, and an attempt first waits until the scan has stopped. A unit:

              find(): seen by a search            connect(): one at a time, no scan
    FREE ──────────────────────────────> CLAIMED ───────────────────────────────────> CONNECTED
     ^                                      │                                             │
     ├── attempt failed, and BlueZ is done ─┘                                             │
     └── lost, or disconnect() is done ───────────────────────────────────────────────────┘

A claimed unit is not found again, so that two searches that match the same devices get one each. Claims are numbered: a
late callback of an old attempt must not release a newer claim on the same address. When BlueZ itself exits, bleak
reports no disconnect, so BlueZ's presence on D-Bus is watched while a link is open.

Any call into BlueZ may hang, even when cancelled. Each has a timeout here, so that one unit cannot block the radio for
the other one indefinitely.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from bleak import BleakAdapter, BleakScanner
from bleak.exc import BleakDeviceNotFoundError
from bleak_retry_connector import BleakClientWithServiceCache, establish_connection

from belvedere.errors import LinkError, LinkReason
from belvedere.link.adapters import resolve_adapter
from belvedere.link.bleak_errors import link_errors, reason_of
from belvedere.link.connect_timeout import ConnectTimeout
from belvedere.link.half_open_detector import HalfOpenDetector
from belvedere.link.options import LinkOptions
from belvedere.link.pending_calls import PendingCalls, outcome
from belvedere.link.scan import Scan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence

    from bleak.backends.adapter import BaseBleakAdapter
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

    from belvedere.link.adapters import BluezAdapter
    from belvedere.link.scan import Scanner

logger = logging.getLogger(__name__)

LIST_CONNECTED_S = 2.0  # BlueZ answers at once; a call that hangs must not block the other unit
DISCONNECT_S = 5.0  # BlueZ takes two; shorter than `final_search_s`, so that the final search can still find the unit
RESET_S = 20.0  # more than BlueZ takes at its slowest; `reset` has shorter timeouts of its own
EVERY_UNIT_HAS = (
    "1800",
    "1801",
)  # Generic Access and Generic Attribute: every GATT server has both, and BlueZ reports at least one

T = TypeVar("T")
Reset: TypeAlias = "Callable[[str, Collection[str], Callable[[], bool]], Coroutine[None, None, None]]"


class _Client(BleakClientWithServiceCache):
    """bleak's client. Converts errors that need a new search, which bleak_retry_connector would retry nine times."""

    async def connect(self, **options: Any) -> None:  # noqa: ANN401 - bleak's own
        try:
            await super().connect(**options)
        except (BleakDeviceNotFoundError, EOFError, BrokenPipeError) as error:
            reason = reason_of(error, LinkReason.CONNECT_FAILED)
            raise LinkError(reason, f"{type(error).__name__}: {error}") from error


class DiscoveredDevice(NamedTuple):
    """A device that was seen advertising, or that was connected already."""

    device: BLEDevice
    name: str
    rssi_dbm: int | None  # None for a device that was connected already


class _DeviceSearch:
    """One call of `find` that waits for a matching device."""

    def __init__(self, is_wanted: Callable[[str, str, list[str]], bool]) -> None:
        self.is_wanted = is_wanted
        self.found: asyncio.Future[DiscoveredDevice] = asyncio.get_running_loop().create_future()


class _DeferredScanner:
    """A scanner for a configured adapter, whose current BlueZ name is resolved each time that a scan starts."""

    def __init__(self, make: Callable[[], Coroutine[None, None, Scanner]]) -> None:
        self._make = make

    async def start(self) -> None:
        self._scanner = await self._make()
        await self._scanner.start()

    async def stop(self) -> None:
        await self._scanner.stop()


class Radio:
    """A Bluetooth adapter.

    Args:
        client_backend, scanner_backend, adapter_backend: classes for bleak to use instead of the platform's own.
        adapter: its BlueZ name (`hci1`) or address; None for the first that is powered.
        options: timeouts of a search and a connection attempt.
        ask_adapters: returns the adapters, each time that a scan starts; by default BlueZ is asked where bleak uses it.
        wait_until_gone: returns when the Bluetooth service has exited and with it every link, as when BlueZ is
            restarted; by default BlueZ's presence on D-Bus is watched where bleak uses it.
        takes_over: whether `find` also returns units that are connected already. BlueZ keeps the links of a process
            that was killed, and connected units do not advertise. Only for the process that drives the head, because it
            may take a unit away from another process.
        reset: resets an adapter for a unit whose connection is half open (see `half_open_detector`). Its arguments are
            the adapter's BlueZ object, the addresses of our connected units, and a function to call at the last moment,
            which returns whether the links may be ended now. Raises LinkError. By default BlueZ is asked, and only
            where `takes_over`.
        may_end_links: whether all our links may be ended for a moment, because no unit could be left turning; by
            default that is while there are none.
    """

    def __init__(
        self,
        client_backend: type[BaseBleakClient] | None = None,
        scanner_backend: type[BaseBleakScanner] | None = None,
        adapter: str | None = None,
        options: LinkOptions | None = None,
        *,
        adapter_backend: type[BaseBleakAdapter] | None = None,
        ask_adapters: Callable[[], Coroutine[None, None, Sequence[BluezAdapter]]] | None = None,
        wait_until_gone: Callable[[], Coroutine[None, None, None]] | None = None,
        takes_over: bool = False,
        reset: Reset | None = None,
        may_end_links: Callable[[], bool] | None = None,
    ) -> None:
        self._options = options or LinkOptions()
        self._client_backend = client_backend
        self._scanner_backend = scanner_backend
        self._adapter_backend = adapter_backend
        self._takes_over = takes_over
        is_bluez = client_backend is None and sys.platform == "linux"
        self._wait_until_gone = wait_until_gone or (_wait_until_bluez_gone if is_bluez else None)
        self._watching: asyncio.Task[None] | None = None
        self._clients: dict[BleakClientWithServiceCache, Callable[[BleakClientWithServiceCache], None]] = {}
        self._adapter = adapter
        self._ask_adapters = ask_adapters or (_bluez_adapters if is_bluez else None)
        self._adapter_name = adapter  # as resolved when the last scan started
        self._calls = PendingCalls()
        self._searches: list[_DeviceSearch] = []
        self._claims: dict[str, int] = {}  # by address: the number of the claim
        self._claim_numbers = count()
        self._connect_timeouts: dict[str, ConnectTimeout] = {}  # by address
        self._is_bluez = is_bluez
        self._scan = Scan(
            self._new_scanner,
            self._wants_scan,
            on_started=self._search_among_connected,
            on_failure=self._report_failure,
            wait_until_gone=self._wait_until_gone,
        )
        self._connect_lock = asyncio.Lock()
        self._is_connecting = False
        self._half_open = HalfOpenDetector()
        self._reset = reset or (_reset_bluez if is_bluez and takes_over else None)
        self._may_end_links = may_end_links or (lambda: not self._clients)

    async def find(self, is_wanted: Callable[[str, str, list[str]], bool]) -> DiscoveredDevice:
        """Return the first device seen that satisfies `is_wanted(address, name, services)` and is not claimed.

        The device is then claimed until `release`. Raises LinkError (NOT_FOUND, NO_ADAPTER, ADAPTER_OFF, NO_PERMISSION,
        CONNECT_FAILED).
        """
        search = _DeviceSearch(is_wanted)
        self._searches.append(search)
        self._scan.update()
        try:
            await asyncio.wait({search.found}, timeout=self._options.search_s)
            self._abandon(search)
            await self._scan.wait_until_stopped()
        except asyncio.CancelledError:
            self._abandon(search)
            if search.found.done() and search.found.exception() is None:
                self.release(search.found.result().device.address)  # found, but the caller will never learn of it
            raise
        if not search.found.done():
            if self._scan.failure is None:
                self._suspect_half_open()
            raise self._scan.failure or LinkError(LinkReason.NOT_FOUND, "the unit was not found")
        return search.found.result()

    async def connect(
        self, discovered: DiscoveredDevice, on_disconnect: Callable[[BleakClientWithServiceCache], None]
    ) -> BleakClientWithServiceCache:
        """Connect to a device that `find` returned, and discover its services. Raises LinkError.

        An attempt that fails, times out or is cancelled leaves no connection behind, and the device is released once
        BlueZ has finished with the attempt.
        """
        claim = self._claims.get(discovered.device.address)
        address = discovered.device.address
        time = self._connect_timeouts.setdefault(address, ConnectTimeout(self._options.connect_timeout_s))
        establishing: asyncio.Task[BleakClientWithServiceCache] | None = None

        def receive_disconnected(client: BleakClientWithServiceCache) -> None:
            is_lost = self._clients.pop(client, None) is not None
            on_disconnect(client)
            if is_lost:
                self._calls.begin(self._close(client))

        try:
            async with self._exclusive_connect():
                began = asyncio.get_running_loop().time()
                establishing = self._calls.begin(self._establish(discovered, receive_disconnected))
                client = await _bounded(establishing, time.limit_s, LinkReason.CONNECT_FAILED)
                time.receive_connected(asyncio.get_running_loop().time() - began)
                if client.is_connected:
                    self._clients[client] = on_disconnect
                    self._watch()
                return client
        except BaseException:
            if establishing is None:
                self._release_claim(discovered.device.address, claim)
            else:
                if not establishing.done():
                    time.receive_late()
                adapter = _adapter_of(discovered.device)
                self._half_open.receive_failed(discovered.device.address, adapter, asyncio.get_running_loop().time())
                self._release_after(establishing, discovered.device.address, claim)
            raise

    @asynccontextmanager
    async def _exclusive_connect(self) -> AsyncIterator[None]:
        """Hold the right to connect, with the scan stopped."""
        async with self._connect_lock:
            self._is_connecting = True
            self._scan.update()
            try:
                await self._scan.wait_until_stopped()
                yield
            finally:
                self._is_connecting = False
                self._scan.update()

    async def disconnect(self, client: BleakClientWithServiceCache) -> None:
        """Disconnect, then release the unit. Takes as long as BlueZ needs, and continues if the caller is cancelled."""
        await asyncio.wait({self._calls.begin(self._end(client))})

    def release(self, address: str) -> None:
        """Drop the claim on the unit at this address, so that it can be found again."""
        self._claims.pop(address, None)

    async def _establish(
        self, discovered: DiscoveredDevice, on_disconnect: Callable[[BleakClientWithServiceCache], None]
    ) -> BleakClientWithServiceCache:
        """Make one attempt. The supervisor decides about retries, and after a failure BlueZ needs a new scan anyway."""
        options: dict[str, Any] = {} if self._client_backend is None else {"backend": self._client_backend}
        if self._adapter_name is not None:
            options["bluez"] = {"adapter": self._adapter_name}
        with link_errors(LinkReason.CONNECT_FAILED):
            if self._is_bluez:
                await detect_bluez_version(self._calls)
            return await establish_connection(
                _Client,
                discovered.device,
                discovered.name,
                disconnected_callback=on_disconnect,
                max_attempts=1,
                **options,
            )

    def _watch(self) -> None:
        """Start to watch for the exit of the Bluetooth service, unless that is being done already."""
        if self._wait_until_gone is not None and (self._watching is None or self._watching.done()):
            self._watching = self._calls.begin(self._watch_until_gone(self._wait_until_gone))

    async def _watch_until_gone(self, wait_until_gone: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await wait_until_gone()
        except Exception as error:  # noqa: BLE001 - dbus-fast raises many types; failing calls will show the same
            logger.debug("cannot watch for the exit of the Bluetooth service: %r", error)
            return
        self._lose_all()

    def _lose_all(self) -> None:
        """All links are over, and those who have one are told so at once."""
        clients, self._clients = self._clients, {}
        for client, on_disconnect in clients.items():
            on_disconnect(client)
            self._calls.begin(self._close(client))

    def _suspect_half_open(self) -> None:
        """A search found nothing: the unit may be in a half-open connection, which only a reset of the adapter ends."""
        is_suspected = self._half_open.suspect(asyncio.get_running_loop().time()) is not None
        is_free = not self._connect_lock.locked() and self._may_end_links()
        if self._reset is not None and is_suspected and is_free:
            self._calls.begin(self._reset_adapter(self._reset))

    async def _reset_adapter(self, reset: Reset) -> None:
        """Reset the adapter while no connection attempt runs; once for all attempts that have failed so far."""
        now = asyncio.get_running_loop().time
        async with self._exclusive_connect():
            suspect = self._half_open.suspect(now())
            if suspect is None:
                return
            address, adapter = suspect

            def cancel() -> bool:
                if self._may_end_links():
                    self._half_open.receive_reset(adapter, now())
                    logger.warning("resetting the adapter for %s, not seen since connecting failed", address)
                    self._lose_all()
                    return True
                return False

            ours = {client.address for client in self._clients}
            try:
                await _bounded(self._calls.begin(reset(adapter, ours, cancel)), RESET_S, LinkReason.ADAPTER_OFF)
            except LinkError as error:
                self._half_open.receive_reset(adapter, now())
                logger.warning(
                    "could not reset the adapter for %s, not seen since connecting failed: %s", address, error
                )

    async def _end(self, client: BleakClientWithServiceCache, claim: int | None = None) -> None:
        self._clients.pop(client, None)
        claim = self._claims.get(client.address) if claim is None else claim
        try:
            await self._close(client)
        finally:
            self._release_claim(client.address, claim)

    async def _close(self, client: BleakClientWithServiceCache) -> None:
        """Disconnect, even a lost link: only that closes bleak's D-Bus connection, of which a user may have 256."""
        try:
            await outcome(self._calls.begin(_disconnect(client)), DISCONNECT_S)
        except LinkError as error:
            logger.debug("could not disconnect from %s: %s", client.address, error)

    def _release_after(
        self, establishing: asyncio.Task[BleakClientWithServiceCache], address: str, claim: int | None
    ) -> None:
        """Release the unit once the abandoned attempt has ended, at the latest after DISCONNECT_S.

        BlueZ takes a while to cancel an attempt. If it succeeds after all, the connection is closed.
        """

        def receive_ended(attempt: asyncio.Task[BleakClientWithServiceCache]) -> None:
            if not attempt.cancelled() and attempt.exception() is None:
                self._calls.begin(self._end(attempt.result(), claim))
            else:
                self._release_claim(address, claim)

        establishing.add_done_callback(receive_ended)
        asyncio.get_running_loop().call_later(DISCONNECT_S, self._release_claim, address, claim)

    def _release_claim(self, address: str, claim: int | None) -> None:
        if self._claims.get(address) == claim:
            self.release(address)

    def _wants_scan(self) -> bool:
        """Whether to scan: while there are searches and no connection attempt."""
        return bool(self._searches) and not self._is_connecting

    def _report_failure(self, error: LinkError) -> None:
        """The scan failed: so do all searches."""
        for search in self._searches.copy():
            search.found.set_exception(error)
            self._abandon(search)

    def _abandon(self, search: _DeviceSearch) -> None:
        if search in self._searches:
            self._searches.remove(search)
            self._scan.update()

    def _new_scanner(self) -> Scanner:
        if self._adapter is None:
            return BleakScanner(self._receive, backend=self._scanner_backend)
        return _DeferredScanner(partial(self._scanner_of, self._adapter))

    async def _scanner_of(self, adapter: str) -> Scanner:
        self._adapter_name = (
            adapter if self._ask_adapters is None else resolve_adapter(adapter, await self._ask_adapters())
        )
        return BleakScanner(self._receive, backend=self._scanner_backend, bluez={"adapter": self._adapter_name})

    async def _search_among_connected(self) -> None:
        if not self._takes_over:
            return
        listing = self._calls.begin(_connected(self._adapter_backend, self._adapter_name))
        try:
            for device in await outcome(listing, LIST_CONNECTED_S):
                self._receive_discovered(DiscoveredDevice(device, device.name or "", None), _services_of(device))
        except LinkError as error:
            logger.debug("could not list connected devices: %s", error)

    def _receive(self, device: BLEDevice, seen: AdvertisementData) -> None:
        name = seen.local_name or device.name or ""
        self._receive_discovered(DiscoveredDevice(device, name, seen.rssi), seen.service_uuids)

    def _receive_discovered(self, discovered: DiscoveredDevice, services: list[str]) -> None:
        device = discovered.device
        self._half_open.receive_seen(device.address)
        for search in self._searches:
            if device.address in self._claims:
                return  # claimed, maybe by the search before: each search gets a device of its own
            if search.is_wanted(device.address, discovered.name, services):
                self._claims[device.address] = next(self._claim_numbers)
                search.found.set_result(discovered)
                self._abandon(search)
                return


async def detect_bluez_version(calls: PendingCalls) -> None:
    """Let bleak detect BlueZ's version if it has not; a cancelled caller leaves the detection running in `calls`.

    bleak does this once per process. If it were cancelled, bleak would not start it again, and every later connection
    attempt would wait for it.
    """
    from bleak.backends.bluezdbus.version import BlueZFeatures  # noqa: PLC0415 - exists on Linux only

    if not BlueZFeatures.checked_bluez_version:
        await asyncio.shield(calls.begin(BlueZFeatures.check_bluez_version()))


async def _bounded(call: asyncio.Task[T], timeout_s: float, late: LinkReason) -> T:
    """Return the call's result; after the timeout, raise LinkError with the reason `late`."""
    try:
        return await outcome(call, timeout_s)
    except LinkError as error:
        if error.reason is not LinkReason.UNANSWERED:
            raise
        raise LinkError(late, "Bluetooth did not answer in time") from error


async def _bluez_adapters() -> Sequence[BluezAdapter]:
    from belvedere.link.bluez_adapters import ask_adapters  # noqa: PLC0415 - D-Bus exists on Linux only

    return await ask_adapters()


async def _wait_until_bluez_gone() -> None:
    from belvedere.link.bluez_watch import wait_until_gone  # noqa: PLC0415 - D-Bus exists on Linux only

    await wait_until_gone()


async def _reset_bluez(adapter: str, ours: Collection[str], cancel: Callable[[], bool]) -> None:
    from belvedere.link.adapter_reset import reset  # noqa: PLC0415 - there is no D-Bus but on Linux

    await reset(adapter, ours, cancel)


async def _connected(backend: type[BaseBleakAdapter] | None, adapter: str | None) -> list[BLEDevice]:
    with link_errors(LinkReason.CONNECT_FAILED):
        asked = await BleakAdapter.get(bluez={} if adapter is None else {"adapter": adapter}, backend=backend)
        return await asked.get_connected_devices(list(EVERY_UNIT_HAS))


def _adapter_of(device: BLEDevice) -> str:
    """BlueZ's object of the adapter that has seen it; elsewhere nothing is told."""
    details = device.details
    path = details.get("path", "") if isinstance(details, dict) else ""
    return str(path).rpartition("/")[0]


def _services_of(device: BLEDevice) -> list[str]:
    """The service UUIDs that BlueZ knows of a connected unit; empty on other platforms."""
    details = device.details
    return list(details.get("props", {}).get("UUIDs", [])) if isinstance(details, dict) else []


async def _disconnect(client: BleakClientWithServiceCache) -> None:
    with link_errors(LinkReason.LOST):
        await client.disconnect()
