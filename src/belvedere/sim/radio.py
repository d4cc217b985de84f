"""A virtual Bluetooth adapter, with BlueZ's memory of the units. Its bleak interface is in `backend`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bumble import att, hci
from bumble.device import ConnectionParametersPreferences, Device, DeviceConfiguration
from bumble.host import Host

from belvedere.sim.controller import VirtualController, until_over
from belvedere.sim.radio_medium import name_of
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bumble.device import Advertisement, Connection

    from belvedere.sim.radio_medium import RadioMedium

INTERVAL_UNIT_S = 0.00125
"""Bluetooth counts connection intervals in units of 1.25 ms, from 7.5 ms up."""

LINUX_INTERVAL_S = 0.030
"""Linux asks for 30 to 50 ms; controllers take the lower end."""

LINUX_SUPERVISION_S = 0.420
"""Linux's default supervision timeout, after which a silent link is lost."""

BLUEZ_DISCONNECT_S = 2.0
"""BlueZ waits two seconds between a request to disconnect and doing so."""

BLUEZ_MEMORY_S = 30.0
"""BlueZ forgets an unpaired device this long after its last advertisement or connection."""


class VirtualRadio:
    """One Bluetooth adapter.

    It runs at most one scan and one connection attempt at a time: the caller checks `is_scanning` and `is_busy` first.
    `interval_s` is the connection interval of every connection.

    Attributes:
        learned: by address, what the client has stored about a unit (its services); forgotten with the unit.
    """

    def __init__(
        self,
        medium: RadioMedium,
        *,
        address: str,
        interval_s: float = LINUX_INTERVAL_S,
        supervision_s: float = LINUX_SUPERVISION_S,
        disconnect_s: float = BLUEZ_DISCONNECT_S,
    ) -> None:
        units = round(interval_s / INTERVAL_UNIT_S)
        interval_ms = units * INTERVAL_UNIT_S * 1000
        self.interval_s = units * INTERVAL_UNIT_S
        self.address = address
        self.is_powered = False
        self.is_scanning = False
        self.learned: dict[str, object] = {}
        self._is_connecting = False
        self._medium = medium
        self._disconnect_s = disconnect_s
        self._known: dict[str, tuple[hci.Address, float]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._preferences = {
            hci.Phy.LE_1M: ConnectionParametersPreferences(
                interval_ms,
                interval_ms,
                supervision_timeout=round(supervision_s * 1000),
                min_ce_length=0,
                max_ce_length=0,
            )
        }

    async def start(self) -> None:
        """Plug the adapter in and power it on."""
        self._controller = VirtualController("central", link=self._medium)
        configuration = DeviceConfiguration(name="central", address=hci.Address(self.address))
        self._device = Device(config=configuration, host=Host(self._controller, self._controller))
        await self._device.power_on()
        self.is_powered = True

    async def close(self) -> None:
        """End everything at once, and wait until no task remains."""
        self.is_powered = False
        connections = list(self._device.connections.values())
        self._end_all()
        await asyncio.gather(*self._tasks, *map(until_over, connections))
        self._medium.remove_controller(self._controller)

    def switch(self, *, on: bool) -> None:
        """Power the adapter on or off; off ends every connection at once and clears `learned`."""
        self.is_powered = on
        if on:
            self._medium.unmute(self.address)
        else:
            self._medium.mute(self.address)
            self.learned.clear()
            self._end_all()

    async def start_scan(self, receive: Callable[[Advertisement], None]) -> None:
        """Call `receive` for each advertisement until `stop_scan`."""
        self.is_scanning = True
        self._device.on(Device.EVENT_ADVERTISEMENT, self._remember)
        self._device.on(Device.EVENT_ADVERTISEMENT, receive)
        await self._device.start_scanning()

    async def stop_scan(self, receive: Callable[[Advertisement], None]) -> None:
        """End the scan that calls `receive`."""
        self._device.remove_listener(Device.EVENT_ADVERTISEMENT, self._remember)
        self._device.remove_listener(Device.EVENT_ADVERTISEMENT, receive)
        try:
            await self._device.stop_scanning()
        finally:
            self.is_scanning = False

    def knows(self, address: str) -> bool:
        """Whether BlueZ still remembers the unit, so that it can be connected to without a scan."""
        if address not in self._known:
            return False
        silent_s = asyncio.get_running_loop().time() - self._known[address][1]
        return silent_s < BLUEZ_MEMORY_S or self.is_connected(address)

    def forget(self, address: str) -> None:
        """Forget a unit, as BlueZ does after a failed connection attempt."""
        self._known.pop(address, None)
        self.learned.pop(address, None)

    def mtu(self, address: str) -> int:
        """The negotiated MTU of the connection with this unit, or the default."""
        connections = self._device.connections.values()
        agreed = (
            connection.gatt_client.mtu for connection in connections if name_of(connection.peer_address) == address
        )
        return next(agreed, att.ATT_DEFAULT_MTU)

    def is_connected(self, address: str) -> bool:
        """Whether there is a connection with this unit, working or not."""
        return any(name_of(connection.peer_address) == address for connection in self._device.connections.values())

    def is_busy(self, address: str) -> bool:
        """Whether an attempt to connect to this unit must be refused now."""
        return self._is_connecting or self.is_connected(address)

    async def connect(self, address: str) -> Connection:
        """Wait for the unit's next advertisement and connect. Cancelling also cancels the controller's attempt."""
        self._is_connecting = True
        attempt = asyncio.create_task(
            self._device.connect_le(
                self._known[address][0], connection_parameters_preferences=self._preferences, timeout=None
            )
        )
        attempt.add_done_callback(self._receive_attempt_over)
        try:
            connection = await asyncio.shield(attempt)
        except asyncio.CancelledError:
            await asyncio.shield(self.begin(self._abandon(attempt)))
            raise
        connection.once(connection.EVENT_DISCONNECTION, lambda _reason: self._mark_heard(address))
        return connection

    def end(self, connection: Connection) -> None:
        """End a connection now, if it is not over; the host learns of it a little later (`until_over`)."""
        reason = hci.HCI_ErrorCode.REMOTE_USER_TERMINATED_CONNECTION_ERROR
        if self._device.connections.get(connection.handle) is connection:
            self._controller.end_connection(connection.handle, reason)

    async def release(self, connection: Connection) -> None:
        """End a connection as slowly as BlueZ does; this continues if the caller is cancelled."""
        await asyncio.shield(self.begin(self._end_slowly(connection)))

    def begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run something in the background; `close` waits for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _end_all(self) -> None:
        for connection in list(self._device.connections.values()):
            self.end(connection)

    async def _end_slowly(self, connection: Connection) -> None:
        try:
            async with timeout(self._disconnect_s):
                await until_over(connection)
        except TimeoutError:
            self.end(connection)
            await until_over(connection)

    async def _abandon(self, attempt: asyncio.Task[Connection]) -> None:
        """Cancel the controller's attempt; if it has succeeded meanwhile, end the connection."""
        # Raw, because it is not an error if there is nothing left to cancel.
        await self._device.host.send_sync_command_raw(hci.HCI_LE_Create_Connection_Cancel_Command())
        await asyncio.wait({attempt})
        if attempt.exception() is None:
            self.end(attempt.result())

    def _receive_attempt_over(self, _attempt: asyncio.Task[Connection]) -> None:
        self._is_connecting = False

    def _remember(self, advertisement: Advertisement) -> None:
        if not self.knows(name_of(advertisement.address)):
            self.forget(name_of(advertisement.address))
        self._known[name_of(advertisement.address)] = advertisement.address, asyncio.get_running_loop().time()

    def _mark_heard(self, address: str) -> None:
        if address in self._known:
            self._known[address] = self._known[address][0], asyncio.get_running_loop().time()
