"""A real private D-Bus with a fake BlueZ on it."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from belvedere.link.bluez_watch import NAME

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

NEEDS_D_BUS = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="there is no D-Bus on this computer")


OBJECTS = {
    "/org/bluez": {"org.bluez.AgentManager1": {}},
    "/org/bluez/hci1": {
        "org.bluez.Adapter1": {"Address": Variant("s", "00:1A:7D:DA:71:13"), "Powered": Variant("b", False)}
    },
    "/org/bluez/hci0": {
        "org.bluez.Adapter1": {"Address": Variant("s", "B8:27:EB:00:00:01"), "Powered": Variant("b", True)}
    },
    "/org/bluez/hci0/dev_1": {"org.bluez.Device1": {"Address": Variant("s", "C0:FF:EE:00:00:01")}},
}


class Bus:
    """A private D-Bus."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self.address = address
        self._process = process

    async def bluez(self) -> MessageBus:
        """Connect and own the name org.bluez."""
        connection = await MessageBus(bus_address=self.address).connect()
        await connection.request_name(NAME)
        return connection

    async def end(self) -> None:
        """Kill the daemon."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def a_bus() -> AsyncIterator[Bus]:
    process = await asyncio.create_subprocess_exec(
        *("dbus-daemon", "--session", "--nofork", "--print-address"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    address = (await process.stdout.readline()).decode().strip()
    bus = Bus(process, address)
    try:
        yield bus
    finally:
        await bus.end()


def objects_reply(call: Message) -> Message:
    """Return the reply of a BlueZ with two adapters."""
    return Message.new_method_return(call, "a{oa{sa{sv}}}", [OBJECTS])


@asynccontextmanager
async def a_bluez(
    bus: Bus,
    answer: Callable[[Message], Message] | None = objects_reply,
    *others: Callable[[Message], Message | bool | None],
) -> AsyncIterator[None]:
    """A fake BlueZ that answers GetManagedObjects with `answer`, or never if that is None; `others` answer the rest."""
    bluez = await bus.bluez()

    def receive(message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL or message.member != "GetManagedObjects":
            return None
        assert (message.path, message.interface) == ("/", "org.freedesktop.DBus.ObjectManager")
        return answer(message) if answer is not None else True

    for handler in (receive, *others):
        bluez.add_message_handler(handler)
    try:
        yield
    finally:
        bluez.disconnect()
        await bluez.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast leaves it without types
