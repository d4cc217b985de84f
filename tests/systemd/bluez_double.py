"""Stands for BlueZ where systemd runs in namespaces, in which Linux has no Bluetooth: owns the name, with no adapter.

It is the program of bluetooth.service there. D-Bus, with the policies of BlueZ and Belvedere, decides who reaches it.
"""

from __future__ import annotations

import asyncio

from dbus_fast import BusType
from dbus_fast.aio import MessageBus


async def answer() -> None:
    """Answer `GetManagedObjects` with nothing, as the library does for every object, until the bus ends."""
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    await bus.request_name("org.bluez")
    await bus.wait_for_disconnect()  # type: ignore[no-untyped-call] # the library has no types for it


if __name__ == "__main__":
    asyncio.run(answer())
