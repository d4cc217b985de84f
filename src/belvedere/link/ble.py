"""A real unit, reached with bleak: found by what its profile knows of it, written where it takes commands."""

from __future__ import annotations

import fnmatch
import logging
from typing import TYPE_CHECKING

from bleak.uuids import normalize_uuid_str

from belvedere.errors import LinkError, LinkReason
from belvedere.link.bleak_errors import link_errors, link_errors_while
from belvedere.link.pending_calls import PendingCalls
from belvedere.link.port import DbusTarget, LinkDetails

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bleak.backends.characteristic import BleakGATTCharacteristic
    from bleak.backends.device import BLEDevice
    from bleak_retry_connector import BleakClientWithServiceCache

    from belvedere.head.profile import UnitProfile
    from belvedere.link.radio import DiscoveredDevice, Radio

logger = logging.getLogger(__name__)

SIG_BASE = "-0000-1000-8000-00805f9b34fb"
SIG_RANGE = range(0x1800, 0x3000)  # services, descriptors and characteristics that the Bluetooth SIG has given out
MAX_AMBIGUOUS = 16  # devices that are told of; strangers may go by any name, and a new one every minute
BLUEZ_OBJECTS = "/org/bluez/"
WRITES = frozenset({"write", "write-without-response"})


class BleUnit:
    """One unit over Bluetooth LE (`link.port.UnitLink`); `others` are the head's other units."""

    def __init__(self, unit: UnitProfile, radio: Radio, others: Sequence[UnitProfile] = ()) -> None:
        self._unit = unit
        self._others = others
        self._ambiguous: set[str] = set()
        self._radio = radio
        self._calls = PendingCalls()
        self._client: BleakClientWithServiceCache | None = None
        self._command: BleakGATTCharacteristic | None = None
        self._readable: list[BleakGATTCharacteristic] = []
        self._is_subscribed = False

    async def open(self, on_lost: Callable[[], None], on_found: Callable[[], None]) -> LinkDetails:
        """Find, connect, and learn what the unit has; see the port for what it raises."""
        discovered = await self._radio.find(self._is_this_unit)

        def receive_disconnected(client: BleakClientWithServiceCache) -> None:
            if self._client is client:  # not our own goodbye, nor that of a connection before
                self._client = None
                self._radio.release(discovered.device.address)
                on_lost()

        on_found()
        client = await self._radio.connect(discovered, receive_disconnected)
        self._client = client
        try:
            self._resolve_characteristics(client)
        except LinkError:
            await self.close()
            raise
        return self._details(discovered)

    async def write(self, frame: bytes, *, response: bool) -> None:
        """Write to the command characteristic."""
        client, command = self._connected()
        with link_errors_while(lambda: client is self._client):
            await client.write_gatt_char(command, frame, response=response)
        if self._unit.notify is not None and not self._is_subscribed and client is self._client:
            self._is_subscribed = True  # after the first frame: subscribing is a write too, and may go unanswered
            self._calls.begin(self._subscribe(client, self._unit.notify))

    async def keep_alive(self) -> bool:
        """Read a characteristic other than the command's: it waits behind commands and never blocks them."""
        client, _command = self._connected()
        if not self._readable:
            return False
        characteristic = self._readable[0]
        try:
            with link_errors_while(lambda: client is self._client):
                await client.read_gatt_char(characteristic)
        except LinkError as error:
            if error.reason is not LinkReason.REFUSED:
                raise
            if characteristic in self._readable:  # a refusal is an answer too; but it may want pairing, so ask it once
                self._readable.remove(characteristic)
        return True

    async def close(self) -> None:
        """Disconnect; BlueZ takes about two seconds for it."""
        client, self._client = self._client, None
        if client is not None:
            await self._radio.disconnect(client)

    def _connected(self) -> tuple[BleakClientWithServiceCache, BleakGATTCharacteristic]:
        if self._client is None or self._command is None:
            raise LinkError(LinkReason.CLOSED, "not connected")
        return self._client, self._command

    def _resolve_characteristics(self, client: BleakClientWithServiceCache) -> None:
        """Find out what the connected unit has. Raises LinkError."""
        if not client.is_connected:  # lost before anybody listened
            raise LinkError(LinkReason.CONNECT_FAILED, "the connection was lost at once")
        with link_errors(LinkReason.CONNECT_FAILED):
            self._command = command_characteristic(client, self._unit)
            self._readable = readable_characteristics(client, self._command)
        self._is_subscribed = False

    def _is_this_unit(self, address: str, name: str, services: list[str]) -> bool:
        if not is_unit(self._unit, address, name, services):
            return False
        conflicting = conflicting_unit(self._unit, self._others, address, name, services)
        is_ambiguous = conflicting is not None and conflicting.address is None
        if is_ambiguous and len(self._ambiguous) < MAX_AMBIGUOUS and address not in self._ambiguous:
            self._ambiguous.add(address)
            logger.warning("%s at %s may be either unit: [head.pan] and [head.tilt] need an address", name, address)
        return conflicting is None

    async def _subscribe(self, client: BleakClientWithServiceCache, notify: str) -> None:
        """Subscribe to what the profile says the unit tells; a unit that will not tell can still be driven."""
        try:
            with link_errors(LinkReason.REFUSED):
                await client.start_notify(normalize_uuid_str(notify), _receive_notification)
        except LinkError as error:
            logger.info("nothing will be heard of the unit: %s", error)

    def _details(self, discovered: DiscoveredDevice) -> LinkDetails:
        properties = self._command.properties if self._command is not None else []
        return LinkDetails(
            name=discovered.name,
            address=discovered.device.address,
            can_write_without_response="write-without-response" in properties,
            can_write_with_response="write" in properties,
            can_keep_alive=bool(self._readable),
            rssi_dbm=discovered.rssi_dbm,
            dbus=None if self._command is None else dbus_target(discovered.device, self._command),
        )


def is_unit(unit: UnitProfile, address: str, name: str, services: Sequence[str]) -> bool:
    """Whether what advertises itself so may be this unit: by its address, else its name, else its service."""
    if unit.address is not None:
        return address.upper() == unit.address.upper()
    if any(fnmatch.fnmatchcase(name.upper(), pattern.upper()) for pattern in unit.name_patterns):
        return True
    is_named = bool(unit.name_patterns)
    return not is_named and unit.service is not None and normalize_uuid_str(unit.service) in services


def conflicting_unit(
    unit: UnitProfile, others: Sequence[UnitProfile], address: str, name: str, services: Sequence[str]
) -> UnitProfile | None:
    """Another unit that this device may be, so that it is not `unit`'s to take: the axes would be swapped for good."""
    if unit.address is not None:
        return None
    return next((other for other in others if is_unit(other, address, name, services)), None)


def command_characteristic(client: BleakClientWithServiceCache, unit: UnitProfile) -> BleakGATTCharacteristic:
    """The characteristic that takes commands: the profile's, or the only one of the maker's own that can be written.

    Raises LinkError (NO_CHARACTERISTIC) naming what was found.
    """
    writable = [found for found in _characteristics(client, unit.service) if WRITES & set(found.properties)]
    if unit.characteristic is not None:
        chosen = [found for found in writable if found.uuid == normalize_uuid_str(unit.characteristic)]
    else:
        chosen = [found for found in writable if not _is_standard(found.uuid)]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(found.uuid for found in writable) or "none"
    wanted = unit.characteristic or "a single one of the maker's own"
    raise LinkError(LinkReason.NO_CHARACTERISTIC, f"wanted {wanted}; those that can be written: {names}")


def dbus_target(device: BLEDevice, command: BleakGATTCharacteristic) -> DbusTarget | None:
    """Where BlueZ has the unit, from what bleak keeps for its own use; None where bleak reaches units otherwise."""
    device_path, command_path = _path_in(device.details, "path"), _path_in(command.obj, 0)
    if device_path is None or command_path is None:
        return None
    return DbusTarget(device_path, command_path)


def readable_characteristics(
    client: BleakClientWithServiceCache, command: BleakGATTCharacteristic
) -> list[BleakGATTCharacteristic]:
    """What can be read without consequence: the standard ones first, such as the maker's name."""
    readable = [
        found
        for found in _characteristics(client, None)
        if "read" in found.properties and found.handle != command.handle
    ]
    return sorted(readable, key=lambda found: not _is_standard(found.uuid))


def _characteristics(client: BleakClientWithServiceCache, service: str | None) -> list[BleakGATTCharacteristic]:
    wanted = None if service is None else normalize_uuid_str(service)
    return [found for known in client.services if wanted in (None, known.uuid) for found in known.characteristics]


def _path_in(details: object, key: str | int) -> str | None:
    """The path of one of BlueZ's objects under this key of a dictionary or this place of a tuple, if there is one."""
    value = details.get(key) if isinstance(details, dict) else None
    if isinstance(details, tuple) and isinstance(key, int) and len(details) > key:
        value = details[key]
    return value if isinstance(value, str) and value.startswith(BLUEZ_OBJECTS) else None


def _is_standard(uuid: str) -> bool:
    """Whether the Bluetooth SIG has given this UUID out; makers use others, some of them in the same short form."""
    return uuid.endswith(SIG_BASE) and int(uuid[:8], 16) in SIG_RANGE


def _receive_notification(_sender: BleakGATTCharacteristic, value: bytearray) -> None:
    """What units tell is not understood yet; it is kept for whoever reads the log."""
    logger.debug("notified: %s", value.hex())
