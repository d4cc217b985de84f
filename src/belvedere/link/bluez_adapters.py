"""Asks BlueZ over D-Bus what it knows, above all which Bluetooth adapters there are."""

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
ANSWER_S = 1.5  # BlueZ knows it at once; the scan that waits for it is given two seconds


async def ask_adapters(bus_address: str | None = None) -> list[BluezAdapter]:
    """Ask BlueZ for its adapters; for the rest see `ask_objects`."""
    return adapters_of(await ask_objects(bus_address))


async def ask_objects(bus_address: str | None = None) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Ask BlueZ for all that it knows, by path and interface; `bus_address` is the D-Bus's, the system's by default.

    Raises LinkError (ADAPTER_OFF where BlueZ does not answer, NO_PERMISSION).
    """
    with link_errors(LinkReason.ADAPTER_OFF):
        async with timeout(ANSWER_S):
            reply = await _objects(bus_address)
    if reply.message_type is MessageType.ERROR:
        name = str(reply.error_name)
        raise LinkError(reason_of_dbus(name, LinkReason.ADAPTER_OFF), f"BlueZ does not tell what it knows: {name}")
    return dict(reply.body[0])


def adapters_of(objects: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[BluezAdapter]:
    """The adapters among BlueZ's objects, by name."""
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
        with contextlib.suppress(Exception):  # closing what never opened fails in many ways, and none matters
            bus.disconnect()
