"""Detects over D-Bus that BlueZ has exited: its links end with it, and bleak does not report that."""

from __future__ import annotations

import asyncio

from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

NAME = "org.bluez"
DBUS = "org.freedesktop.DBus"
RULE = f"type='signal',sender='{DBUS}',interface='{DBUS}',member='NameOwnerChanged',arg0='{NAME}'"


async def wait_until_gone(address: str | None = None) -> None:
    """Return once the D-Bus name org.bluez has no owner, at once if it has none. Waits for a signal, without polling.

    `address` is the address of the bus, by default the system bus. A bus that disconnects counts as BlueZ gone. Raises
    the errors of dbus-fast if it cannot connect.
    """
    bus = await MessageBus(bus_address=address, bus_type=BusType.SYSTEM).connect()
    gone = asyncio.Event()

    def receive(message: Message) -> None:
        is_change = message.message_type is MessageType.SIGNAL and message.member == "NameOwnerChanged"
        if is_change and message.body[0] == NAME and not message.body[2]:
            gone.set()

    bus.add_message_handler(receive)
    disconnecting = bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast leaves it without types
    waiting = {asyncio.create_task(gone.wait()), asyncio.create_task(disconnecting)}
    try:
        await _call(bus, "AddMatch", RULE)  # subscribe before asking, or an exit in between would be missed
        if await _call(bus, "NameHasOwner", NAME):
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        bus.disconnect()
        await asyncio.wait(waiting)


async def _call(bus: MessageBus, member: str, body: str) -> object:
    path = "/org/freedesktop/DBus"
    call = Message(destination=DBUS, path=path, interface=DBUS, member=member, signature="s", body=[body])
    answer = await bus.call(call)
    if answer.message_type is MessageType.ERROR:
        raise ConnectionError(f"D-Bus refused {member}")
    return answer.body[0] if answer.body else None
