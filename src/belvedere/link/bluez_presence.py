"""Hears from D-Bus when BlueZ leaves: its links end with it, and bleak tells nobody."""

from __future__ import annotations

import asyncio

from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

NAME = "org.bluez"
DBUS = "org.freedesktop.DBus"
RULE = f"type='signal',sender='{DBUS}',interface='{DBUS}',member='NameOwnerChanged',arg0='{NAME}'"


async def wait_until_gone(address: str | None = None) -> None:
    """Return once nobody is called org.bluez on D-Bus, at once where nobody is; costs nothing meanwhile.

    `address` is the bus's, the system's own by default. A bus that ends takes BlueZ with it. Raises whatever
    connecting to a bus raises where there is none.
    """
    bus = await MessageBus(bus_address=address, bus_type=BusType.SYSTEM).connect()
    gone = asyncio.Event()

    def receive(message: Message) -> None:
        is_change = message.message_type is MessageType.SIGNAL and message.member == "NameOwnerChanged"
        if is_change and message.body[0] == NAME and not message.body[2]:
            gone.set()

    bus.add_message_handler(receive)
    ending = bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast leaves it without types
    waiting = {asyncio.create_task(gone.wait()), asyncio.create_task(ending)}
    try:
        await _call(bus, "AddMatch", RULE)
        if await _call(bus, "NameHasOwner", NAME):
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
        bus.disconnect()
        await asyncio.wait(waiting)


async def _call(bus: MessageBus, member: str, body: str) -> object:
    path = "/org/freedesktop/DBus"
    asked = Message(destination=DBUS, path=path, interface=DBUS, member=member, signature="s", body=[body])
    answer = await bus.call(asked)
    if answer.message_type is MessageType.ERROR:
        raise ConnectionError(f"D-Bus refused {member}")
    return answer.body[0] if answer.body else None
