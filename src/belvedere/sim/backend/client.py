"""bleak's client on a `VirtualRadio`. It behaves as bleak does on BlueZ, including the defects.

The behaviour was observed with BlueZ 5.82 and bleak 3.1: an unanswered request blocks its characteristic for 30 s and
leaves a link that looks alive but is dead; commands are accepted at once, however many are waiting; a disconnect takes
seconds; after a failed connection BlueZ forgets the device.
"""

from __future__ import annotations

import asyncio
import functools
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from bleak import BleakScanner
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.exc import (
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)
from bumble import att, core

from belvedere.sim.backend.bluez_errors import failed, in_progress
from belvedere.sim.backend.services import Services, discover
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bleak.args import SizedBuffer
    from bleak.backends.characteristic import BleakGATTCharacteristic
    from bleak.backends.client import NotifyCallback
    from bleak.backends.descriptor import BleakGATTDescriptor
    from bleak.backends.scanner import BaseBleakScanner
    from bumble.device import Connection
    from bumble.gatt_client import Client

    from belvedere.sim.backend.services import Subscriptions
    from belvedere.sim.radio import VirtualRadio

T = TypeVar("T")

POLL_S = 0.010
"""How often bleak repeats a call while BlueZ answers InProgress."""

BLUEZ_MTU = 517
"""The MTU that BlueZ offers, the largest possible."""

FIRST_REQUESTS, AGAIN_REQUESTS = 5, 7
"""The number of BlueZ's own requests after a connection: with discovery, and with known services.

Counted with BlueZ 5.82; 5.66 sends 5 and 9.
"""

DATABASE_HASH = core.UUID.from_16_bits(0x2B3A)
"""An attribute that BlueZ requests; a unit without it answers with an error."""


class VirtualClient(BaseBleakClient):
    """One connection to a unit, as bleak sees it through BlueZ."""

    radio: ClassVar[VirtualRadio]
    scanner_backend: ClassVar[type[BaseBleakScanner]]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        services: set[str] | None = None,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        **_options: object,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._device = address_or_ble_device if isinstance(address_or_ble_device, BLEDevice) else None
        self._wanted = services
        self._connection: Connection | None = None
        self._is_zombie = False
        self._busy: set[tuple[str, int]] = set()
        self._requests: set[asyncio.Task[Any]] = set()
        self._subscriptions: Subscriptions = {}
        self._callbacks: dict[int, Callable[[bytes], None]] = {}
        self._release: asyncio.Future[None] | None = None

    @property
    def name(self) -> str:
        """BlueZ's name of the unit."""
        name = self._device.name if self._device else None
        return name or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """23, always, as on BlueZ; a characteristic's `max_write_without_response_size` is right."""
        return 23

    @property
    def is_connected(self) -> bool:
        """Whether BlueZ considers the unit connected."""
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:  # noqa: ANN401, ARG002, FBT001 - bleak's interface
        """Connect and discover the services. After a failure the unit must be found by a scan again.

        If the attempt fails after the connection was made, ending it takes as long as BlueZ's disconnect.
        """
        if self.is_connected:
            raise BleakError("Client is already connected")
        timeout_s = kwargs.get("timeout", self._timeout)
        if self._device is None:
            await self._find(timeout_s)
        self._raise_unless_connectable()
        try:
            async with timeout(timeout_s):
                self._adopt(await self.radio.connect(self.address))
                await self._discover()
        except BaseException:
            self.radio.forget(self.address)
            if self._connection is not None:
                await self.radio.release(self._connection)
            raise

    async def disconnect(self) -> None:
        """End the connection, as slowly as BlueZ; BlueZ continues even if the caller is cancelled."""
        connection = self._connection
        if connection is None:
            return
        if self._release is None:
            self._release = asyncio.ensure_future(self.radio.release(connection))
        try:
            await asyncio.shield(self._release)
        except asyncio.CancelledError:
            self._receive_loss(connection)
            raise

    async def pair(self, *_arguments: Any, **_options: Any) -> None:  # noqa: ANN401 - bleak's interface
        """Not supported."""
        raise NotImplementedError

    async def unpair(self) -> None:
        """Not supported."""
        raise NotImplementedError

    async def read_gatt_char(
        self,
        characteristic: BleakGATTCharacteristic,
        *,
        use_cached: bool = False,  # noqa: ARG002 - nothing is cached
        **_options: Any,  # noqa: ANN401 - bleak's interface
    ) -> bytearray:
        """Read from the unit; waits while another read of this characteristic is unanswered."""
        turn = ("read", characteristic.handle)
        client = await self._take_turn(turn)
        return bytearray(await self._request(client.read_value(characteristic.obj), turn))

    async def read_gatt_descriptor(
        self,
        descriptor: BleakGATTDescriptor,
        *,
        use_cached: bool = False,  # noqa: ARG002 - nothing is cached
        **_options: Any,  # noqa: ANN401 - bleak's interface
    ) -> bytearray:
        """Read a descriptor from the unit."""
        return bytearray(await self._request(self._client().read_value(descriptor.obj)))

    async def write_gatt_char(
        self,
        characteristic: BleakGATTCharacteristic,
        data: SizedBuffer,
        response: bool,  # noqa: FBT001 - bleak's interface
    ) -> None:
        """Write; without response it is accepted at once, and the radio delivers it when it can.

        Waits while a write to this characteristic is unanswered, even one whose caller was cancelled.
        """
        turn = ("write", characteristic.handle)
        client = await self._take_turn(turn)
        if response:
            await self._request(client.write_value(characteristic.obj, bytes(data), with_response=True), turn)
        elif len(data) > characteristic.max_write_without_response_size:
            raise failed("Failed to initiate write")
        else:
            await client.write_value(characteristic.obj, bytes(data), with_response=False)
            await asyncio.sleep(0)  # like a D-Bus call, this lets other tasks run

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """Write a descriptor; BlueZ waits for the answer."""
        await self._request(self._client().write_value(descriptor.obj, bytes(data), with_response=True))

    async def start_notify(
        self,
        characteristic: BleakGATTCharacteristic,
        callback: NotifyCallback,
        **_options: Any,  # noqa: ANN401 - bleak's interface
    ) -> None:
        """Subscribe, and call back with each value."""
        client, value = self._client(), characteristic.obj
        if value not in self._subscriptions:
            raise BleakDBusError("org.bluez.Error.NotSupported", ["Operation is not supported"])
        if value in self._callbacks:
            raise in_progress()
        self._callbacks[value] = lambda data: callback(bytearray(data))
        client.notification_subscribers.setdefault(value, set()).add(self._callbacks[value])
        handle, bits = self._subscriptions[value]
        await self._request(client.write_value(handle, bits, with_response=True))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Unsubscribe; nothing happens where there was no subscription."""
        client, value = self._client(), characteristic.obj
        if value in self._callbacks:
            client.notification_subscribers.get(value, set()).discard(self._callbacks.pop(value))
            handle, _bits = self._subscriptions[value]
            await self._request(client.write_value(handle, b"\0\0", with_response=True))

    async def _find(self, timeout_s: float) -> None:
        backend = self.scanner_backend
        self._device = await BleakScanner.find_device_by_address(self.address, timeout_s, backend=backend)
        if self._device is None:
            raise BleakDeviceNotFoundError(self.address, f"Device with address {self.address} was not found.")

    def _raise_unless_connectable(self) -> None:
        if not self.radio.is_powered:
            raise failed("Input/output error")
        if not self.radio.knows(self.address):
            message = f"Device with address {self.address} was not found."
            raise BleakDeviceNotFoundError(self.address, message)
        if self.radio.is_busy(self.address):
            raise in_progress()

    def _adopt(self, connection: Connection) -> None:
        self._connection = connection
        self._is_zombie = False
        self._release = None
        connection.once(connection.EVENT_DISCONNECTION, lambda _reason: self._receive_loss(connection))

    async def _discover(self) -> None:
        client = self._client()
        try:
            learned = self.radio.learned.get(self.address)
            if isinstance(learned, Services) and self._wanted is None:
                known = learned
                request_count = AGAIN_REQUESTS
            else:
                await self._request(client.request_mtu(BLUEZ_MTU))
                known = await self._request(discover(client, self._wanted, lambda: self.radio.mtu(self.address)))
                request_count = FIRST_REQUESTS
            self.services, self._subscriptions = known
        except BleakError as error:
            raise BleakError("failed to discover services, device disconnected") from error
        if self._wanted is None:
            self.radio.learned[self.address] = known
        self.radio.begin(self._introduce(client, request_count))

    async def _introduce(self, client: Client, request_count: int) -> None:
        """Send BlueZ's own requests. Those of clients are sent in between, and commands do not wait for them."""
        with suppress(BleakError):
            await self._request(_ask(client, request_count))

    def _receive_loss(self, connection: Connection) -> None:
        """The connection is over, ended by either side."""
        if self._connection is not connection:
            return
        self._connection = None
        self.services = None
        self._subscriptions = {}
        self._callbacks = {}
        self._abort_requests()
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    def _abort_requests(self) -> None:
        for request in self._requests:
            request.cancel()

    def _client(self) -> Client:
        """The attribute client of the connection. Raises BleakError if the link is lost or dead."""
        if self._connection is None:
            raise BleakError("Not connected")
        if self._is_zombie:
            raise failed("Not connected")
        return self._connection.gatt_client

    async def _take_turn(self, turn: tuple[str, int]) -> Client:
        """Wait, as bleak does, while BlueZ answers InProgress."""
        client = self._client()
        while turn in self._busy:
            await asyncio.sleep(POLL_S)
            client = self._client()
        return client

    async def _request(self, exchange: Coroutine[Any, Any, T], turn: tuple[str, int] | None = None) -> T:
        """Send a request. If the caller is cancelled, the request continues and still blocks its characteristic."""
        request = asyncio.ensure_future(self._answered(exchange))
        self._requests.add(request)
        if turn is not None:
            self._busy.add(turn)
        request.add_done_callback(functools.partial(self._finish, turn))
        request.add_done_callback(lambda _request: exchange.close())  # a task that was cancelled early never ran it
        try:
            return await asyncio.shield(request)
        except asyncio.CancelledError as error:
            if request.cancelled():  # before it could begin
                raise BleakGATTProtocolError(BleakGATTProtocolErrorCode.UNLIKELY_ERROR) from error
            raise

    def _finish(self, turn: tuple[str, int] | None, request: asyncio.Task[Any]) -> None:
        self._requests.discard(request)
        if not request.cancelled():
            request.exception()  # retrieve it, because a cancelled caller does not and asyncio would log it
        if turn is not None:
            self._busy.discard(turn)

    async def _answered(self, exchange: Coroutine[Any, Any, T]) -> T:
        """Do one exchange with the unit, and raise failures as bleak on BlueZ does."""
        try:
            return await exchange
        except att.ATT_Error as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except core.TimeoutError as error:
            self._is_zombie = True
            self._abort_requests()
            raise BleakGATTProtocolError(BleakGATTProtocolErrorCode.UNLIKELY_ERROR) from error
        except asyncio.CancelledError as error:  # the connection was lost meanwhile, or is dead
            raise BleakGATTProtocolError(BleakGATTProtocolErrorCode.UNLIKELY_ERROR) from error


async def _ask(client: Client, request_count: int) -> None:
    await client.request_mtu(BLUEZ_MTU)
    for _ in range(request_count - 1):
        await client.send_request(
            att.ATT_Read_By_Type_Request(starting_handle=1, ending_handle=0xFFFF, attribute_type=DATABASE_HASH)
        )
