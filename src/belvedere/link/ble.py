"""A real unit over bleak: found as its profile describes it, and written to at its command characteristic."""

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
    from belvedere.link.discovery import DiscoveredDevice
    from belvedere.link.radio import Radio

logger = logging.getLogger(__name__)

SIG_BASE = "-0000-1000-8000-00805f9b34fb"
SIG_RANGE = range(0x1800, 0x3000)  # services, descriptors and characteristics that the Bluetooth SIG has assigned
MAX_AMBIGUOUS = 16  # devices to warn about: an attacker can advertise any name, from a new address every minute
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
        """Find the unit, connect, and choose its characteristics; raises what the port says."""
        discovered = await self._radio.find(self._is_this_unit)

        def receive_disconnected(client: BleakClientWithServiceCache) -> None:
            if self._client is client:  # not by our own `close`, nor of an earlier connection
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
            self._is_subscribed = True  # only now: subscribing is a write too, and must not delay the first stop
            self._calls.begin(self._subscribe(client, self._unit.notify))

    async def keep_alive(self) -> bool:
        """Read a characteristic other than the command's: BlueZ then never blocks a command behind the request."""
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
            # An error response proves the link too. But it may demand pairing, so this one is not read again.
            if characteristic in self._readable:
                self._readable.remove(characteristic)
        return True

    async def close(self) -> None:
        """Disconnect; BlueZ takes about two seconds."""
        client, self._client = self._client, None
        if client is not None:
            await self._radio.disconnect(client)

    def _connected(self) -> tuple[BleakClientWithServiceCache, BleakGATTCharacteristic]:
        if self._client is None or self._command is None:
            raise LinkError(LinkReason.CLOSED, "not connected")
        return self._client, self._command

    def _resolve_characteristics(self, client: BleakClientWithServiceCache) -> None:
        """Choose the characteristics to use on the connected unit. Raises LinkError."""
        if not client.is_connected:  # lost before `_client` was set, so that `on_lost` was not called
            raise LinkError(LinkReason.CONNECT_FAILED, "the connection was lost right after connecting")
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
            logger.warning("%s at %s may be either unit: set an address in [head.pan] and [head.tilt]", name, address)
        return conflicting is None

    async def _subscribe(self, client: BleakClientWithServiceCache, notify: str) -> None:
        """Subscribe to the notifications that the profile names; a unit that refuses can still be driven."""
        try:
            with link_errors(LinkReason.REFUSED):
                await client.start_notify(normalize_uuid_str(notify), _receive_notification)
        except LinkError as error:
            logger.info("could not subscribe to notifications of %s: %s", client.address, error)

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
    """Whether a device that advertises this may be `unit`: compares the address, else the name, else the service."""
    if unit.address is not None:
        return address.upper() == unit.address.upper()
    if any(fnmatch.fnmatchcase(name.upper(), pattern.upper()) for pattern in unit.name_patterns):
        return True
    is_named = bool(unit.name_patterns)
    return not is_named and unit.service is not None and normalize_uuid_str(unit.service) in services


def conflicting_unit(
    unit: UnitProfile, others: Sequence[UnitProfile], address: str, name: str, services: Sequence[str]
) -> UnitProfile | None:
    """Return another unit that the device may be, or None. Connecting to it as `unit` could swap the axes."""
    if unit.address is not None:
        return None
    return next((other for other in others if is_unit(other, address, name, services)), None)


def command_characteristic(client: BleakClientWithServiceCache, unit: UnitProfile) -> BleakGATTCharacteristic:
    """Return the characteristic for commands: the profile's, else the only writable one with a vendor's UUID.

    Raises LinkError (NO_CHARACTERISTIC) with the writable characteristics found.
    """
    writable = [found for found in _characteristics(client, unit.service) if WRITES & set(found.properties)]
    if unit.characteristic is not None:
        chosen = [found for found in writable if found.uuid == normalize_uuid_str(unit.characteristic)]
    else:
        chosen = [found for found in writable if not _is_standard(found.uuid)]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(found.uuid for found in writable) or "none"
    wanted = unit.characteristic or "exactly one with a vendor's UUID"
    raise LinkError(LinkReason.NO_CHARACTERISTIC, f"no command characteristic: wanted {wanted}; writable ones: {names}")


def dbus_target(device: BLEDevice, command: BleakGATTCharacteristic) -> DbusTarget | None:
    """Return the unit's paths in BlueZ, from bleak's backend-specific details; None on other backends."""
    device_path, command_path = _path_in(device.details, "path"), _path_in(command.obj, 0)
    if device_path is None or command_path is None:
        return None
    return DbusTarget(device_path, command_path)


def readable_characteristics(
    client: BleakClientWithServiceCache, command: BleakGATTCharacteristic
) -> list[BleakGATTCharacteristic]:
    """Return what `keep_alive` may read, standard characteristics (such as the manufacturer's name) first."""
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
    """Return the BlueZ object path under this key of a dict or this index of a tuple, None if there is none."""
    value = details.get(key) if isinstance(details, dict) else None
    if isinstance(details, tuple) and isinstance(key, int) and len(details) > key:
        value = details[key]
    return value if isinstance(value, str) and value.startswith(BLUEZ_OBJECTS) else None


def _is_standard(uuid: str) -> bool:
    """Whether the Bluetooth SIG assigned this UUID; vendors use other ranges, some of them with the same base."""
    return uuid.endswith(SIG_BASE) and int(uuid[:8], 16) in SIG_RANGE


def _receive_notification(_sender: BleakGATTCharacteristic, value: bytearray) -> None:
    """Log a notification: the meaning of its bytes is not known yet."""
    logger.debug("notification: %s", value.hex())
