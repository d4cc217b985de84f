"""A unit's services, asked for over the air and put the way BlueZ shows them."""

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
"""For the handle of each value that the unit can send by itself: where to subscribe, and what to write there."""

_NOTIFY, _INDICATE = b"\x01\x00", b"\x02\x00"
_OVERHEAD = 3
"""Bytes of a write packet that are not value."""


class Services(NamedTuple):
    """What a unit has; it holds for every connection with it."""

    shown: BleakGATTServiceCollection
    subscriptions: Subscriptions


async def discover(client: Client, wanted: set[str] | None, mtu: Callable[[], int]) -> Services:
    """Ask for all services (only the `wanted` ones, where given) in as few round trips as BlueZ takes.

    `mtu` says how many bytes a packet may have on the connection that there is when it is asked.

    Like BlueZ it hides the Generic Access service and the descriptors that subscribe, and calls a characteristic by
    the handle of its declaration. The `obj` of what it returns is the handle of the value. Raises bumble's errors.
    """
    services = await client.discover_services()
    characteristics = await _discover_characteristics(client, services)
    shown = BleakGATTServiceCollection()
    subscriptions: Subscriptions = {}
    for service in services:
        uuid = uuid_text(service.uuid)
        if service.uuid == GATT_GENERIC_ACCESS_SERVICE or (wanted and uuid not in wanted):
            continue
        home = BleakGATTService(service.handle, service.handle, uuid)
        shown.add_service(home)
        for one in characteristics:
            if service.handle < one.handle <= service.end_group_handle:
                one.end_group_handle = min(one.end_group_handle, service.end_group_handle)
                subscriptions |= await _show(client, shown, home, one, mtu)
    return Services(shown, subscriptions)


def uuid_text(uuid: UUID) -> str:
    """A UUID as bleak writes it: long, in lower case."""
    return normalize_uuid_str(uuid.to_hex_str("-"))


async def _discover_characteristics(client: Client, services: list[ServiceProxy]) -> list[CharacteristicProxy[bytes]]:
    """All characteristics at once, whatever their service."""
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
    home: BleakGATTService,
    characteristic: CharacteristicProxy[bytes],
    mtu: Callable[[], int],
) -> Subscriptions:
    """Add one characteristic with its descriptors; returns how to subscribe to it, if one can."""
    value = characteristic.handle
    properties = sorted(gatt_char_props_to_strs(int(characteristic.properties)))
    added = BleakGATTCharacteristic(
        value, value - 1, uuid_text(characteristic.uuid), properties, lambda: mtu() - _OVERHEAD, home
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
