"""Discovers a unit's services over the virtual link, and presents them as BlueZ does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.uuids import normalize_uuid_str
from bumble.gatt import (
    GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
    GATT_GENERIC_ACCESS_SERVICE,
    Characteristic,
)
from bumble.gatt_client import ServiceProxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from bumble.core import UUID
    from bumble.gatt_client import CharacteristicProxy, Client

Subscriptions = dict[int, tuple[int, bytes]]
"""By value handle: the handle of the subscription descriptor, and what to write to it."""

_NOTIFY, _INDICATE = b"\x01\x00", b"\x02\x00"
_OVERHEAD = 3
"""Bytes of a write packet before the value."""


class Services(NamedTuple):
    """A unit's services and subscriptions, valid for every connection with it."""

    shown: BleakGATTServiceCollection
    subscriptions: Subscriptions


async def discover(client: Client, wanted: set[str] | None, mtu: Callable[[], int]) -> Services:
    """Discover all services (or only the `wanted` ones) in as few round trips as BlueZ does.

    `mtu` returns the MTU of the current connection.

    As in BlueZ, the Generic Access service and subscription descriptors are hidden, and the handle of a characteristic
    is that of its declaration. The `obj` of a result is the handle of its value. Raises bumble's errors.
    """
    services = await client.discover_services()
    characteristics = await _discover_characteristics(client, services)
    shown = BleakGATTServiceCollection()
    subscriptions: Subscriptions = {}
    for service in services:
        uuid = uuid_text(service.uuid)
        if service.uuid == GATT_GENERIC_ACCESS_SERVICE or (wanted and uuid not in wanted):
            continue
        bleak_service = BleakGATTService(service.handle, service.handle, uuid)
        shown.add_service(bleak_service)
        for one in characteristics:
            if service.handle < one.handle <= service.end_group_handle:
                one.end_group_handle = min(one.end_group_handle, service.end_group_handle)
                subscriptions |= await _show(client, shown, bleak_service, one, mtu)
    return Services(shown, subscriptions)


def uuid_text(uuid: UUID) -> str:
    """A UUID in bleak's notation: 128 bits, lower case."""
    return normalize_uuid_str(uuid.to_hex_str("-"))


async def _discover_characteristics(client: Client, services: list[ServiceProxy]) -> list[CharacteristicProxy[bytes]]:
    """Discover the characteristics of all services at once."""
    if not services:
        return []
    first, last = services[0], services[-1]
    whole = ServiceProxy(  # type: ignore[no-untyped-call]  # bumble leaves this constructor without types
        client, first.handle, last.end_group_handle, first.uuid
    )
    return await client.discover_characteristics((), whole)


async def _show(
    client: Client,
    shown: BleakGATTServiceCollection,
    service: BleakGATTService,
    characteristic: CharacteristicProxy[bytes],
    mtu: Callable[[], int],
) -> Subscriptions:
    """Add a characteristic with its descriptors; returns its subscription, if it has one."""
    value = characteristic.handle
    properties = sorted(gatt_char_props_to_strs(int(characteristic.properties)))
    added = BleakGATTCharacteristic(
        value, value - 1, uuid_text(characteristic.uuid), properties, lambda: mtu() - _OVERHEAD, service
    )
    shown.add_characteristic(added)
    subscriptions: Subscriptions = {}
    for descriptor in await client.discover_descriptors(characteristic):
        if descriptor.type == GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR:
            can_notify = characteristic.properties & Characteristic.Properties.NOTIFY
            subscriptions[value] = descriptor.handle, _NOTIFY if can_notify else _INDICATE
        else:
            uuid = uuid_text(descriptor.type)
            shown.add_descriptor(BleakGATTDescriptor(descriptor.handle, descriptor.handle, uuid, added))
    return subscriptions
