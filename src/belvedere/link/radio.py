"""One Bluetooth adapter, shared by all units: one scan serves all searches, and only one unit connects at a time.

BlueZ refuses a second scan and a second connection attempt from the same process, and connecting is slow during a scan.
So a scan is on while there are searches and nobody has the turn to connect. `claims` knows whose device is whose and
what happens with it, `connect_turns` who connects, `discovery` what is seen, and `adapter_recovery` when the adapter
must be reset.

When BlueZ itself exits, bleak reports no disconnect, so BlueZ's presence on D-Bus is watched while a link is open. Any
call into BlueZ may hang, even when cancelled. Each has a timeout, so that one unit cannot block the radio for the other
one indefinitely.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from belvedere.errors import LinkError, LinkReason
from belvedere.link.adapter_recovery import AdapterRecovery
from belvedere.link.bleak_client import DISCONNECT_S, BleakClients
from belvedere.link.claims import Claims, ClaimState
from belvedere.link.connect_turns import ConnectTurns
from belvedere.link.discovery import Discovery
from belvedere.link.options import LinkOptions
from belvedere.link.pending_calls import PendingCalls
from belvedere.link.service_watch import ServiceWatch
from belvedere.timeouts import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Sequence

    from bleak.backends.adapter import BaseBleakAdapter
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import BaseBleakScanner
    from bleak_retry_connector import BleakClientWithServiceCache

    from belvedere.link.adapter_recovery import Reset
    from belvedere.link.adapters import BluezAdapter
    from belvedere.link.claims import Claim
    from belvedere.link.discovery import DiscoveredDevice


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
        reset: resets an adapter when `adapter_recovery` sees no other way. Its arguments are the adapter's BlueZ object
            ("" for the only one that is on), the addresses of our connected units, and a function to call at the last
            moment, which returns whether the links may be ended now. Raises LinkError. By default BlueZ is asked, and
            only where `takes_over`.
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
        options = options or LinkOptions()
        is_bluez = client_backend is None and sys.platform == "linux"
        self._search_s = options.search_s
        self._seen_by = ""  # BlueZ's object of the adapter that has seen a device last
        wait_until_gone = wait_until_gone or (_wait_until_bluez_gone if is_bluez else None)
        self._watch = ServiceWatch(wait_until_gone, self._receive_service_gone)
        self._calls = PendingCalls()
        self._clients = BleakClients(client_backend, is_bluez=is_bluez)
        self._claims: Claims[DiscoveredDevice] = Claims()
        self._discovery = Discovery(
            scanner_backend,
            adapter_backend,
            adapter,
            ask_adapters=ask_adapters or (_bluez_adapters if is_bluez else None),
            lists_connected=takes_over,
            is_wanted=lambda: self._claims.is_seeking and self._turns.may_scan,
            on_seen=self._receive_seen,
            on_failure=self._claims.receive_failure,
            on_ended=self._receive_scan_ended,
            wait_until_gone=wait_until_gone,
        )
        self._turns = ConnectTurns(self._discovery.scan, options.connect_timeout_s)
        self._recovery = AdapterRecovery(
            self._claims,
            self._turns,
            adapter=self._adapter_object,
            reset=reset or (_reset_bluez if is_bluez and takes_over else None),
            may_end_links=may_end_links or (lambda: not self._claims.connected),
        )

    async def find(self, is_wanted: Callable[[str, str, list[str]], bool]) -> DiscoveredDevice:
        """Return the first device seen that satisfies `is_wanted(address, name, services)` and is not claimed.

        The device is then claimed until `release`. Raises LinkError (NOT_FOUND, NO_ADAPTER, ADAPTER_OFF,
        DISCOVERY_STUCK, NO_PERMISSION, CONNECT_FAILED).
        """
        over, time, scan = asyncio.Event(), asyncio.get_running_loop().time, self._discovery.scan

        def receive_over() -> None:
            over.set()
            scan.update()

        search = self._claims.seek(is_wanted, receive_over)
        scan.update()
        try:
            try:
                await wait_until(over, time() + self._search_s, time)
            finally:
                self._claims.abandon(search)
                scan.update()
            await scan.wait_until_stopped()
        except asyncio.CancelledError:
            if search.claim is not None:
                self._claims.release(search.claim)  # found, but the caller will never learn of it
            raise
        if search.claim is not None:
            return search.claim.found
        failure = search.failure or scan.failure or self._recovery.failure
        if failure is None or failure.reason is LinkReason.DISCOVERY_STUCK:
            self._recovery.receive_not_found()
        raise failure or LinkError(LinkReason.NOT_FOUND, "the unit was not found")

    async def connect(
        self, discovered: DiscoveredDevice, on_disconnect: Callable[[BleakClientWithServiceCache], None]
    ) -> BleakClientWithServiceCache:
        """Connect to a device that `find` returned, and discover its services. Raises LinkError.

        An attempt that fails, times out or is cancelled leaves no connection behind, and the device is released once
        BlueZ has finished with the attempt; until then, every other one fails.
        """
        address = discovered.device.address
        claim = self._claims.on(address) or self._claims.claim(address, discovered)
        attempt: asyncio.Task[BleakClientWithServiceCache] | None = None

        def receive_disconnected(client: BleakClientWithServiceCache) -> None:
            if not claim.receive_lost():  # which calls `receive_lost`
                on_disconnect(client)

        def receive_lost() -> None:
            on_disconnect(client)
            self._calls.begin(self._clients.close(client))

        try:
            async with self._turns.take():
                claim.receive_connecting()
                establishing = self._clients.establish(discovered, self._discovery.adapter_name, receive_disconnected)
                attempt = self._calls.begin(establishing)
                client = await self._turns.result_of(attempt, address)
                claim.client = client
                if client.is_connected:
                    claim.receive_connected(receive_lost)
                    self._watch.ensure()
                return client
        except BaseException:
            if attempt is not None:
                adapter = _adapter_of(discovered.device)
                self._recovery.half_open.receive_failed(address, adapter, asyncio.get_running_loop().time())
                self._abandon(attempt, claim)
            elif claim.state is ClaimState.FOUND:
                self._claims.release(claim)
            raise

    async def disconnect(self, client: BleakClientWithServiceCache) -> None:
        """Disconnect, then release the unit. Takes as long as BlueZ needs, and continues if the caller is cancelled."""
        claim = self._claims.on(client.address)
        is_its_own = claim is not None and claim.client is client  # else its unit was released, and maybe found again
        await asyncio.wait({self._calls.begin(self._end(client, claim if is_its_own else None))})

    def release(self, address: str) -> None:
        """Drop the claim on the unit at this address, so that it can be found again."""
        claim = self._claims.on(address)
        if claim is not None:
            self._claims.release(claim)

    def _receive_service_gone(self) -> None:
        """All links are over, and those who have one are told so at once."""
        for claim in self._claims.connected:
            claim.receive_lost()

    async def _end(self, client: BleakClientWithServiceCache, claim: Claim[DiscoveredDevice] | None) -> None:
        if claim is not None:
            claim.enter(ClaimState.ENDING)
        try:
            await self._clients.close(client)
        finally:
            if claim is not None:
                self._claims.release(claim)

    def _abandon(self, attempt: asyncio.Task[BleakClientWithServiceCache], claim: Claim[DiscoveredDevice]) -> None:
        """Release the unit once the abandoned attempt has ended, at the latest after DISCONNECT_S.

        BlueZ takes a while to cancel an attempt. If it succeeds after all, the connection is closed.
        """

        def receive_ended(attempt: asyncio.Task[BleakClientWithServiceCache]) -> None:
            if not attempt.cancelled() and attempt.exception() is None:
                self._calls.begin(self._end(attempt.result(), claim))
            else:
                self._claims.release(claim)

        claim.enter(ClaimState.ENDING)
        attempt.add_done_callback(receive_ended)
        asyncio.get_running_loop().call_later(DISCONNECT_S, self._claims.release, claim)

    def _adapter_object(self) -> str:
        """BlueZ's object of the adapter in use; "" if none is configured, and none has seen anything yet."""
        name = self._discovery.adapter_name
        return self._seen_by if name is None else f"/org/bluez/{name}"

    def _receive_scan_ended(self, error: LinkError | None) -> None:
        self._recovery.receive_scan_ended(error)

    def _receive_seen(self, discovered: DiscoveredDevice, services: list[str]) -> None:
        self._seen_by = _adapter_of(discovered.device)
        self._recovery.half_open.receive_seen(discovered.device.address)
        self._claims.receive_seen(discovered.device.address, discovered.name, services, discovered)


def _adapter_of(device: BLEDevice) -> str:
    """BlueZ's object of the adapter that has seen it; elsewhere nothing is told."""
    details = device.details
    path = details.get("path", "") if isinstance(details, dict) else ""
    return str(path).rpartition("/")[0]


async def _bluez_adapters() -> Sequence[BluezAdapter]:
    from belvedere.link.bluez_adapters import ask_adapters  # noqa: PLC0415 - D-Bus exists on Linux only

    return await ask_adapters()


async def _wait_until_bluez_gone() -> None:
    from belvedere.link.bluez_watch import wait_until_gone  # noqa: PLC0415 - D-Bus exists on Linux only

    await wait_until_gone()


async def _reset_bluez(adapter: str, ours: Collection[str], cancel: Callable[[], bool]) -> None:
    from belvedere.link.adapter_reset import reset  # noqa: PLC0415 - there is no D-Bus but on Linux

    await reset(adapter, ours, cancel)
