"""The detection of BlueZ's exit, on a real private D-Bus."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from dbus_fast.aio import MessageBus
from tests.link.buses import NEEDS_D_BUS, a_bus

from belvedere.link.bluez_watch import wait_until_gone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.link.buses import Bus

pytestmark = [pytest.mark.realtime, NEEDS_D_BUS]
TIMEOUT_S = 20.0


@asynccontextmanager
async def watched(bus: Bus) -> AsyncIterator[asyncio.Task[None]]:
    """A task that is already waiting for BlueZ to exit."""
    waiting = asyncio.create_task(wait_until_gone(bus.address))
    await asyncio.wait({waiting}, timeout=0.5)
    async with asyncio.timeout(TIMEOUT_S):
        yield waiting


async def test_it_returns_when_bluez_exits() -> None:
    async with a_bus() as bus:
        bluez = await bus.bluez()
        async with watched(bus) as waiting:
            assert not waiting.done()
            bluez.disconnect()
            await waiting


async def test_it_returns_at_once_where_there_is_no_bluez() -> None:
    async with a_bus() as bus, watched(bus) as waiting:
        await waiting


async def test_the_systems_own_bus_is_watched_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_bus() as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/at/all")
        await wait_until_gone()


async def test_the_exit_of_another_service_is_ignored() -> None:
    async with a_bus() as bus:
        bluez = await bus.bluez()
        other = await MessageBus(bus_address=bus.address).connect()
        await other.request_name("org.example")
        async with watched(bus) as waiting:
            other.disconnect()
            await asyncio.wait({waiting}, timeout=0.2)
            assert not waiting.done()
            bluez.disconnect()
            await waiting


async def test_it_returns_when_the_bus_disconnects() -> None:
    async with a_bus() as bus:
        await bus.bluez()
        async with watched(bus) as waiting:
            await bus.end()
            await asyncio.wait({waiting})
            assert waiting.done()
            waiting.exception()


async def test_without_a_bus_it_fails() -> None:
    with pytest.raises(OSError, match=r"."):
        await wait_until_gone("unix:path=/nowhere/at/all")
