"""A private D-Bus with a fake BlueZ on it that accepts or refuses stops."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import pytest
from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

from belvedere.guardian.memory import GuardedUnit
from belvedere.head.frames import stop_frame
from belvedere.head.profile import shipped_profile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

needs_dbus = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="there is no D-Bus on this computer")
TIMEOUT_S = 20.0
STOP = stop_frame(shipped_profile("zeapon-pons-pt").frame)
DEVICES = ("/org/bluez/hci0/dev_C0_FF_EE_00_00_01", "/org/bluez/hci0/dev_C0_FF_EE_00_00_02")
PAN, TILT = (
    GuardedUnit(name, device, f"{device}/service000a/char000b", by_command=True, by_request=True)
    for name, device in zip(("pan", "tilt"), DEVICES, strict=True)
)


class Call(NamedTuple):
    """One call of the guardian: when, to which object, and how: the type of a write, or "disconnect"."""

    at_s: float
    path: str
    how: str
    value: bytes


@dataclass
class FakeBluez:
    """The owner of org.bluez. `error` is its answer to writes, "" for none at all; `daemon` is the D-Bus process."""

    connection: MessageBus
    daemon: asyncio.subprocess.Process
    error: str | None = None
    calls: list[Call] = field(default_factory=list)
    _received: asyncio.Event = field(default_factory=asyncio.Event)

    def receive(self, message: Message) -> Message | bool | None:
        """Record a call and answer it."""
        if message.message_type is not MessageType.METHOD_CALL or message.member not in ("WriteValue", "Disconnect"):
            return None
        is_write = message.member == "WriteValue"
        how = message.body[1]["type"].value if is_write else "disconnect"
        value = bytes(message.body[0]) if is_write else b""
        self.calls.append(Call(asyncio.get_running_loop().time(), message.path or "", how, value))
        self._received.set()
        if self.error is None or not is_write:
            return Message.new_method_return(message)
        return Message.new_error(message, self.error, "no") if self.error else True

    def of(self, unit: GuardedUnit) -> list[Call]:
        """Return the calls for this unit."""
        return [call for call in self.calls if call.path.startswith(unit.device)]

    async def until(self, *hows: str, unit: GuardedUnit = PAN) -> list[Call]:
        """Wait until these calls came in this order, others in between allowed; returns all calls for the unit."""
        async with asyncio.timeout(TIMEOUT_S):
            while not _is_within(hows, [call.how for call in self.of(unit)]):
                self._received.clear()
                await self._received.wait()
        return self.of(unit)


@asynccontextmanager
async def fake_bluez(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeBluez]:
    """Start a D-Bus that is the system bus of this process and its children, with a fake BlueZ on it."""
    daemon = await asyncio.create_subprocess_exec(
        *("dbus-daemon", "--session", "--nofork", "--print-address"), stdout=asyncio.subprocess.PIPE
    )
    assert daemon.stdout is not None
    address = (await daemon.stdout.readline()).decode().strip()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    bluez = FakeBluez(await MessageBus(bus_address=address).connect(), daemon)
    await bluez.connection.request_name("org.bluez")
    bluez.connection.add_message_handler(bluez.receive)
    try:
        yield bluez
    finally:
        bluez.connection.disconnect()
        if daemon.returncode is None:
            daemon.kill()
        await daemon.wait()


def _is_within(wanted: tuple[str, ...], seen: list[str]) -> bool:
    rest = iter(seen)
    return all(any(one == other for other in rest) for one in wanted)
