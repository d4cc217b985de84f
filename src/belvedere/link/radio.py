"""One Bluetooth adapter, shared by all units: one scan for everyone who seeks, one connect at a time.

BlueZ refuses a second scan and a second connect from one process, and a scan makes connecting slow, so it pauses.
Any call into BlueZ may hang, even when it is cancelled; each is bounded here, so that one unit never keeps the radio
from another for good.
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
from belvedere.link.adapters import chosen
from belvedere.link.bleak_errors import link_errors, reason_of
from belvedere.link.connect_time import ConnectTime
from belvedere.link.half_open import HalfOpen
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

ASK_S = 2.0  # what is connected is known at once; an answer that hangs must not keep the other unit waiting
DISCONNECT_S = 5.0  # BlueZ takes two; a unit is kept from the next search for no longer, nor from a program's last one
RESET_S = 20.0  # more than a reset takes of BlueZ at its slowest, which puts an end to itself
EVERY_UNIT_HAS = ("1800", "1801")  # generic access and generic attribute, of which a unit tells one at least

T = TypeVar("T")
Reset: TypeAlias = "Callable[[str, Collection[str], Callable[[], bool]], Coroutine[None, None, None]]"


class _Client(BleakClientWithServiceCache):
    """bleak's client, whose failures that a new search or a new BlueZ mends are not tried again nine times first."""

    async def connect(self, **options: Any) -> None:  # noqa: ANN401 - bleak's own
        try:
            await super().connect(**options)
        except (BleakDeviceNotFoundError, EOFError, BrokenPipeError) as error:
            reason = reason_of(error, LinkReason.CONNECT_FAILED)
            raise LinkError(reason, f"{type(error).__name__}: {error}") from error


class DiscoveredDevice(NamedTuple):
    """A unit that was seen on the air, or found connected already."""

    device: BLEDevice
    name: str
    rssi_dbm: int | None  # none for one that was connected already


class _DeviceSearch:
    """Somebody who waits for an advertisement."""

    def __init__(self, is_wanted: Callable[[str, str, list[str]], bool]) -> None:
        self.is_wanted = is_wanted
        self.found: asyncio.Future[DiscoveredDevice] = asyncio.get_running_loop().create_future()


class _DeferredScanner:
    """A scanner of one adapter, which is looked for when the scan begins; only one that has begun is ended."""

    def __init__(self, make: Callable[[], Coroutine[None, None, Scanner]]) -> None:
        self._make = make

    async def start(self) -> None:
        self._scanner = await self._make()
        await self._scanner.start()

    async def stop(self) -> None:
        await self._scanner.stop()


class Radio:
    """An adapter.

    Args:
        client_backend, scanner_backend, adapter_backend: classes for bleak to use instead of the system's own.
        adapter: BlueZ's name of it (`hci1`) or its address, or None for the first that is on.
        options: how long a search and a connect may take.
        ask_adapters: tells which adapters there are, each time that a scan begins; by default BlueZ is asked, where it
            is BlueZ that bleak uses.
        until_gone: returns when the system's Bluetooth has left and taken every link with it, as BlueZ does when it is
            restarted; by default BlueZ's D-Bus is listened to, where it is BlueZ that bleak uses.
        takes_over: whether units that are connected already are found too. They are silent: BlueZ keeps the links of a
            program that was killed. Only for the one program that drives, because it may cut off another.
        reset: resets an adapter for a unit whose connection is half open (`half_open`). It is given BlueZ's object of
            it, the addresses of our units, and what to ask at the last moment; it raises LinkError. By default BlueZ is
            asked, by the one program that drives.
        may_end_links: whether all our links may be ended for a moment, because no unit is being driven by them; by
            default they may not while there is one.
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
        self._chosen = adapter  # its name when the last scan began
        self._calls = PendingCalls()
        self._searches: list[_DeviceSearch] = []
        self._taken: dict[str, int] = {}  # by address: which taking it is, so that what ends late frees no newer one
        self._takings = count()
        self._connect_times: dict[str, ConnectTime] = {}  # by address
        self._is_bluez = is_bluez
        self._scan = Scan(
            self._new_scanner,
            self._wants_scan,
            on_started=self._search_among_connected,
            on_failure=self._report_failure,
            wait_until_gone=self._wait_until_gone,
        )
        self._connect_turn = asyncio.Lock()
        self._is_connecting = False
        self._half_open = HalfOpen()
        self._reset = reset or (_reset_bluez if is_bluez and takes_over else None)
        self._may_end_links = may_end_links or (lambda: not self._clients)

    async def find(self, is_wanted: Callable[[str, str, list[str]], bool]) -> DiscoveredDevice:
        """The first unit seen for which `is_wanted(address, name, services)`, but for those in use.

        From then on it is in use, until `release`. Raises LinkError (NOT_FOUND, NO_ADAPTER, ADAPTER_OFF,
        NO_PERMISSION, CONNECT_FAILED).
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
                self.release(search.found.result().device.address)
            raise
        if not search.found.done():
            if self._scan.failure is None:
                self._suspect_half_open()
            raise self._scan.failure or LinkError(LinkReason.NOT_FOUND, "the unit was not seen")
        return search.found.result()

    async def connect(
        self, discovered: DiscoveredDevice, on_disconnect: Callable[[BleakClientWithServiceCache], None]
    ) -> BleakClientWithServiceCache:
        """Connect to a unit that was found, and discover what it has. Raises LinkError.

        Whoever gives up, or is given up, leaves no connection behind; the unit is released once nothing is left of it.
        """
        taking = self._taken.get(discovered.device.address)
        time = self._connect_times.setdefault(discovered.device.address, ConnectTime(self._options.connect_timeout_s))
        establishing: asyncio.Task[BleakClientWithServiceCache] | None = None

        def receive_disconnected(client: BleakClientWithServiceCache) -> None:
            is_lost = self._clients.pop(client, None) is not None
            on_disconnect(client)
            if is_lost:
                self._calls.begin(self._close(client))

        try:
            async with self._turn_to_connect():
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
                self._release_taking(discovered.device.address, taking)
            else:
                if not establishing.done():
                    time.receive_late()
                adapter = _adapter_of(discovered.device)
                self._half_open.receive_failed(discovered.device.address, adapter, asyncio.get_running_loop().time())
                self._release_after(establishing, discovered.device.address, taking)
            raise

    @asynccontextmanager
    async def _turn_to_connect(self) -> AsyncIterator[None]:
        """Nobody else connects, and no scan is on."""
        async with self._connect_turn:
            self._is_connecting = True
            self._scan.update()
            try:
                await self._scan.wait_until_stopped()
                yield
            finally:
                self._is_connecting = False
                self._scan.update()

    async def disconnect(self, client: BleakClientWithServiceCache) -> None:
        """End a connection; takes BlueZ's time, and goes on if the caller does not wait. The unit is then released."""
        await asyncio.wait({self._calls.begin(self._end(client))})

    def release(self, address: str) -> None:
        """The unit at this address is in use no longer, and may be found again."""
        self._taken.pop(address, None)

    async def _establish(
        self, discovered: DiscoveredDevice, on_disconnect: Callable[[BleakClientWithServiceCache], None]
    ) -> BleakClientWithServiceCache:
        """One attempt: when to try again is the supervisor's to say, and a failed one needs a new scan anyway."""
        options: dict[str, Any] = {} if self._client_backend is None else {"backend": self._client_backend}
        if self._chosen is not None:
            options["bluez"] = {"adapter": self._chosen}
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
        """Listen for the end of the system's Bluetooth, if nobody does."""
        if self._wait_until_gone is not None and (self._watching is None or self._watching.done()):
            self._watching = self._calls.begin(self._watch_until_gone(self._wait_until_gone))

    async def _watch_until_gone(self, wait_until_gone: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await wait_until_gone()
        except Exception as error:  # noqa: BLE001 - whatever D-Bus raises: without it, calls that fail tell as much
            logger.debug("nobody tells when Bluetooth leaves: %r", error)
            return
        self._lose_all()

    def _lose_all(self) -> None:
        """All links are over, and those who have one are told so at once."""
        clients, self._clients = self._clients, {}
        for client, on_disconnect in clients.items():
            on_disconnect(client)
            self._calls.begin(self._close(client))

    def _suspect_half_open(self) -> None:
        """A unit was sought in vain: it may be connected to an adapter that must be reset to be rid of it."""
        is_suspected = self._half_open.suspect(asyncio.get_running_loop().time()) is not None
        is_free = not self._connect_turn.locked() and self._may_end_links()
        if self._reset is not None and is_suspected and is_free:
            self._calls.begin(self._reset_adapter(self._reset))

    async def _reset_adapter(self, reset: Reset) -> None:
        """Reset it while nobody connects, and once for all attempts that have failed so far."""
        now = asyncio.get_running_loop().time
        async with self._turn_to_connect():
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

    async def _end(self, client: BleakClientWithServiceCache, taking: int | None = None) -> None:
        self._clients.pop(client, None)
        taking = self._taken.get(client.address) if taking is None else taking
        try:
            await self._close(client)
        finally:
            self._release_taking(client.address, taking)

    async def _close(self, client: BleakClientWithServiceCache) -> None:
        """End what is left of a connection: nothing else closes bleak's own to D-Bus, of which a user has 256."""
        try:
            await outcome(self._calls.begin(_disconnect(client)), DISCONNECT_S)
        except LinkError as error:
            logger.debug("disconnecting from %s: %s", client.address, error)

    def _release_after(
        self, establishing: asyncio.Task[BleakClientWithServiceCache], address: str, taking: int | None
    ) -> None:
        """Release the unit when the attempt to connect to it has ended: BlueZ takes its time to take back a connection.

        One that comes about after everybody had given up on it is ended.
        """

        def receive_ended(attempt: asyncio.Task[BleakClientWithServiceCache]) -> None:
            if not attempt.cancelled() and attempt.exception() is None:
                self._calls.begin(self._end(attempt.result(), taking))
            else:
                self._release_taking(address, taking)

        establishing.add_done_callback(receive_ended)
        asyncio.get_running_loop().call_later(DISCONNECT_S, self._release_taking, address, taking)

    def _release_taking(self, address: str, taking: int | None) -> None:
        if self._taken.get(address) == taking:
            self.release(address)

    def _wants_scan(self) -> bool:
        """Scan exactly while somebody seeks and nobody connects."""
        return bool(self._searches) and not self._is_connecting

    def _report_failure(self, error: LinkError) -> None:
        """There is no scan for whoever seeks."""
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
        self._chosen = adapter if self._ask_adapters is None else chosen(adapter, await self._ask_adapters())
        return BleakScanner(self._receive, backend=self._scanner_backend, bluez={"adapter": self._chosen})

    async def _search_among_connected(self) -> None:
        if not self._takes_over:
            return
        asking = self._calls.begin(_connected(self._adapter_backend, self._chosen))
        try:
            for device in await outcome(asking, ASK_S):
                self._receive_discovered(DiscoveredDevice(device, device.name or "", None), _services_of(device))
        except LinkError as error:
            logger.debug("asking for what is connected: %s", error)

    def _receive(self, device: BLEDevice, seen: AdvertisementData) -> None:
        name = seen.local_name or device.name or ""
        self._receive_discovered(DiscoveredDevice(device, name, seen.rssi), seen.service_uuids)

    def _receive_discovered(self, discovered: DiscoveredDevice, services: list[str]) -> None:
        device = discovered.device
        self._half_open.receive_seen(device.address)
        for search in self._searches:
            if device.address in self._taken:
                return  # two units of the same name have two addresses: one each
            if search.is_wanted(device.address, discovered.name, services):
                self._taken[device.address] = next(self._takings)
                search.found.set_result(discovered)
                self._abandon(search)
                return


async def detect_bluez_version(calls: PendingCalls) -> None:
    """Let bleak look for BlueZ's version, if it has not; `calls` keeps the look when nobody waits for it any more.

    One that is cut short is never made again, and every later connect waits for it: bleak has one for all.
    """
    from bleak.backends.bluezdbus.version import BlueZFeatures  # noqa: PLC0415 - there is none but on Linux

    if not BlueZFeatures.checked_bluez_version:
        await asyncio.shield(calls.begin(BlueZFeatures.check_bluez_version()))


async def _bounded(call: asyncio.Task[T], timeout_s: float, late: LinkReason) -> T:
    """What a call comes to; `late` is the reason when that takes too long."""
    try:
        return await outcome(call, timeout_s)
    except LinkError as error:
        if error.reason is not LinkReason.UNANSWERED:
            raise
        raise LinkError(late, "Bluetooth did not answer in time") from error


async def _bluez_adapters() -> Sequence[BluezAdapter]:
    from belvedere.link.bluez_adapters import ask_adapters  # noqa: PLC0415 - there is no D-Bus but on Linux

    return await ask_adapters()


async def _wait_until_bluez_gone() -> None:
    from belvedere.link.bluez_presence import wait_until_gone  # noqa: PLC0415 - there is no D-Bus but on Linux

    await wait_until_gone()


async def _reset_bluez(adapter: str, ours: Collection[str], cancel: Callable[[], bool]) -> None:
    from belvedere.link.bluez_reset import reset  # noqa: PLC0415 - there is no D-Bus but on Linux

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
    """What BlueZ knows of a connected unit's services; elsewhere nothing is told."""
    details = device.details
    return list(details.get("props", {}).get("UUIDs", [])) if isinstance(details, dict) else []


async def _disconnect(client: BleakClientWithServiceCache) -> None:
    with link_errors(LinkReason.LOST):
        await client.disconnect()
