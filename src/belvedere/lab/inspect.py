"""Inspects one device: services, characteristics, and every value that can be read. Writes nothing."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import LinkError, LinkReason, OwnerError
from belvedere.head.profile import Address
from belvedere.lab.labels import SIG_TAIL
from belvedere.link.ble import SIG_RANGE, WRITES
from belvedere.link.bleak_errors import link_errors, link_errors_while
from belvedere.link.pending_calls import PendingCalls, outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bleak import BleakClient
    from bleak.backends.characteristic import BleakGATTCharacteristic

    from belvedere.lab.adapter import Adapter
    from belvedere.link.discovery import DiscoveredDevice

READ_TIMEOUT_S = 3.0  # a read takes two connection intervals; one that takes longer counts as unanswered
TOTAL_READ_TIMEOUT_S = 30.0  # BlueZ drops a link on which a request went unanswered for this long


class Characteristic(msgspec.Struct, frozen=True, kw_only=True):
    """One characteristic.

    Attributes:
        handle: as the system reports it; BlueZ gives that of the declaration, one below the value's.
        properties: bleak's names: `read`, `write`, `write-without-response`, `notify`, `indicate`, ...
        value: the value read, or None.
        read_error: why it could not be read, or None.
        descriptors: full UUIDs.
    """

    uuid: str
    handle: int
    properties: tuple[str, ...]
    value: bytes | None = None
    read_error: LinkReason | None = None
    descriptors: tuple[str, ...] = ()

    @property
    def is_vendor_specific(self) -> bool:
        """Whether the Bluetooth SIG has not assigned this UUID a meaning."""
        return not (self.uuid.endswith(SIG_TAIL) and int(self.uuid[:8], 16) in SIG_RANGE)

    @property
    def may_take_commands(self) -> bool:
        """Whether it can be written and is vendor-specific, as a characteristic for commands is."""
        return self.is_vendor_specific and bool(WRITES & set(self.properties))


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One service with its characteristics, in the order of their handles."""

    uuid: str
    handle: int
    characteristics: tuple[Characteristic, ...]


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was read from one device."""

    address: str
    name: str
    rssi_dbm: int | None
    services: tuple[Service, ...]


def parse_address(address: str) -> str:
    """The address, checked. Raises OwnerError."""
    try:
        return msgspec.convert(address, Address)
    except msgspec.ValidationError as error:
        raise OwnerError(
            f"{address} is not a Bluetooth address such as C0:FF:EE:00:00:01; `belvedere scan` lists them"
        ) from error


async def inspect(address: str, adapter: Adapter, *, on_step: Callable[[str], None] = lambda _step: None) -> Inspection:
    """Connect to the device at this address, read everything that can be read, and disconnect.

    `on_step` receives a description of each step. Raises LinkError where no connection is made.
    """
    on_step("searching")
    async with _connected(address, adapter, on_step) as (found, client):
        on_step("reading values")
        with link_errors(LinkReason.CONNECT_FAILED):
            known = list(client.services)  # a copy: bleak drops them when the link is lost
        read = await _Reader(client).read([one for service in known for one in service.characteristics])
        services = [
            Service(
                uuid=service.uuid,
                handle=service.handle,
                characteristics=tuple(
                    sorted((read[one.handle] for one in service.characteristics), key=lambda one: one.handle)
                ),
            )
            for service in known
        ]
        on_step("disconnecting")
    return Inspection(
        address=found.device.address,
        name=found.name,
        rssi_dbm=found.rssi_dbm,
        services=tuple(sorted(services, key=lambda service: service.handle)),
    )


@asynccontextmanager
async def _connected(
    address: str, adapter: Adapter, on_step: Callable[[str], None]
) -> AsyncIterator[tuple[DiscoveredDevice, BleakClient]]:
    radio = adapter.radio()
    found = await radio.find(lambda seen, _name, _services: seen.upper() == address.upper())
    on_step("connecting")
    client = await radio.connect(found, lambda _client: None)
    try:
        yield found, client
    finally:
        await radio.disconnect(client)


class _Reader:
    """Reads values one by one, within a total time limit."""

    def __init__(self, client: BleakClient) -> None:
        self._client = client
        self._calls = PendingCalls()
        self._deadline = asyncio.get_running_loop().time() + TOTAL_READ_TIMEOUT_S

    async def read(self, characteristics: list[BleakGATTCharacteristic]) -> dict[int, Characteristic]:
        """Every characteristic by its handle, with its value if that can be read."""
        return {one.handle: await self._read(one) for one in characteristics}

    async def _read(self, one: BleakGATTCharacteristic) -> Characteristic:
        value: bytes | None = None
        read_error: LinkReason | None = None
        if "read" in one.properties:
            try:
                value = await self._value(one)
            except LinkError as error:
                read_error = error.reason
        return Characteristic(
            uuid=one.uuid,
            handle=one.handle,
            properties=tuple(sorted(one.properties)),
            value=value,
            read_error=read_error,
            descriptors=tuple(descriptor.uuid for descriptor in one.descriptors),
        )

    async def _value(self, one: BleakGATTCharacteristic) -> bytes:
        left_s = self._deadline - asyncio.get_running_loop().time()
        return await outcome(self._calls.begin(self._ask(one)), min(READ_TIMEOUT_S, left_s))

    async def _ask(self, one: BleakGATTCharacteristic) -> bytes:
        with link_errors_while(lambda: self._client.is_connected):
            return bytes(await self._client.read_gatt_char(one))
