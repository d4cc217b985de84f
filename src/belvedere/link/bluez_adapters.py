"""Asks BlueZ over D-Bus for its objects, above all for its Bluetooth adapters."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

from belvedere.errors import LinkError, LinkReason
from belvedere.link.adapters import BluezAdapter
from belvedere.link.bleak_errors import link_errors, reason_of_dbus
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Mapping

ADAPTER = "org.bluez.Adapter1"
ANSWER_S = 1.5  # BlueZ answers at once; the scan that waits for the answer has a timeout of two seconds


async def ask_adapters(bus_address: str | None = None) -> list[BluezAdapter]:
    """Return BlueZ's adapters. Arguments and errors are those of `ask_objects`."""
    return adapters_of(await ask_objects(bus_address))


async def ask_objects(bus_address: str | None = None) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Return BlueZ's objects by path and interface. `bus_address` is that of the D-Bus, by default the system bus.

    Raises LinkError (ADAPTER_OFF if BlueZ does not answer, NO_PERMISSION).
    """
    with link_errors(LinkReason.ADAPTER_OFF):
        async with timeout(ANSWER_S):
            reply = await _objects(bus_address)
    if reply.message_type is MessageType.ERROR:
        name = str(reply.error_name)
        raise LinkError(reason_of_dbus(name, LinkReason.ADAPTER_OFF), f"BlueZ did not list its objects: {name}")
    return dict(reply.body[0])


def adapters_of(objects: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[BluezAdapter]:
    """Return the adapters among BlueZ's D-Bus objects, sorted by name."""
    found = []
    for path, interfaces in sorted(objects.items()):
        if ADAPTER in interfaces:
            plain = {key: variant.value for key, variant in interfaces[ADAPTER].items()}
            name = path.rpartition("/")[2]
            found.append(BluezAdapter(name, str(plain.get("Address", "")), bool(plain.get("Powered", False))))
    return found


async def _objects(bus_address: str | None) -> Message:
    bus = MessageBus(bus_address=bus_address, bus_type=BusType.SYSTEM)
    ask = Message(
        destination="org.bluez", path="/", interface="org.freedesktop.DBus.ObjectManager", member="GetManagedObjects"
    )
    try:
        await bus.connect()
        return await bus.call(ask)
    finally:
        with contextlib.suppress(Exception):  # a bus that never connected fails here in many ways, and none matters
            bus.disconnect()
