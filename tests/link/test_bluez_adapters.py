"""The listing of adapters over a real D-Bus with a fake BlueZ."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from dbus_fast import Message
from tests.link.buses import NEEDS_D_BUS, a_bluez, a_bus, objects_reply

from belvedere.errors import LinkError, LinkReason
from belvedere.link.adapters import BluezAdapter
from belvedere.link.bluez_adapters import ADAPTER, ANSWER_S, adapters_of, ask_adapters

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.realtime, NEEDS_D_BUS]


async def asked_of(answer: Callable[[Message], Message] | None) -> list[BluezAdapter]:
    async with a_bus() as bus, a_bluez(bus, answer):
        return await ask_adapters(bus.address)


async def test_adapters_are_listed_by_name_with_their_addresses() -> None:
    assert await asked_of(objects_reply) == [
        BluezAdapter("hci0", "B8:27:EB:00:00:01", is_powered=True),
        BluezAdapter("hci1", "00:1A:7D:DA:71:13", is_powered=False),
    ]


def test_an_adapter_without_properties_counts_as_off() -> None:
    assert adapters_of({"/org/bluez/hci2": {ADAPTER: {}}}) == [BluezAdapter("hci2", "", is_powered=False)]


async def test_the_systems_own_bus_is_asked_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_bus() as bus, a_bluez(bus):
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/at/all")
        assert [adapter.name for adapter in await ask_adapters()] == ["hci0", "hci1"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("org.freedesktop.DBus.Error.AccessDenied", LinkReason.NO_PERMISSION),
        ("org.example.Error.Unheard", LinkReason.ADAPTER_OFF),
    ],
)
async def test_a_refused_query_is_reported_with_the_name_of_the_error(name: str, reason: LinkReason) -> None:
    with pytest.raises(LinkError, match=name) as caught:
        await asked_of(lambda call: Message.new_error(call, name, "no"))
    assert caught.value.reason is reason


async def test_a_bluez_that_never_answers_ends_in_a_timeout() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(LinkError) as caught:
        await asked_of(None)
    assert caught.value.reason is LinkReason.ADAPTER_OFF
    assert loop.time() - began < 10 * ANSWER_S


async def test_without_bluez_or_without_d_bus_there_is_no_adapter_that_is_on() -> None:
    async with a_bus() as bus:
        with pytest.raises(LinkError) as caught:
            await ask_adapters(bus.address)
        assert caught.value.reason is LinkReason.ADAPTER_OFF
    with pytest.raises(LinkError) as caught:
        await ask_adapters(bus.address)
    assert caught.value.reason is LinkReason.ADAPTER_OFF
    assert isinstance(caught.value.__cause__, OSError)
