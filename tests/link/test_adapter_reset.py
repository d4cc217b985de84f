"""An adapter is switched off and on, on a real D-Bus with a small BlueZ of the test's own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from dbus_fast import Message, MessageType, Variant
from tests.link.buses import NEEDS_D_BUS, a_bluez, a_bus

from belvedere.errors import LinkError, LinkReason
from belvedere.link.adapter_reset import SWITCH_S, TRIES, connected_by, reset

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.link.buses import Bus

pytestmark = [pytest.mark.realtime, NEEDS_D_BUS]
HCI0 = "/org/bluez/hci0"
OURS, STRANGER = "C0:FF:EE:00:00:01", "C0:FF:EE:00:00:02"


def device(address: str, *, is_connected: bool) -> dict[str, dict[str, Variant]]:
    return {"org.bluez.Device1": {"Address": Variant("s", address), "Connected": Variant("b", is_connected)}}


OBJECTS = {
    HCI0: {"org.bluez.Adapter1": {"Powered": Variant("b", True)}},
    f"{HCI0}/dev_1": device(OURS, is_connected=True),
    f"{HCI0}/dev_2": device("C0:FF:EE:00:00:03", is_connected=False),
    f"{HCI0}/dev_4": {"org.bluez.Device1": {"Address": Variant("s", "C0:FF:EE:00:00:05")}},
    "/org/bluez/hci01/dev_3": device("C0:FF:EE:00:00:04", is_connected=True),
}


class Switch:
    """BlueZ's switch of one adapter, which refuses as often as it is told, and may never answer."""

    def __init__(self, refusals: list[str] | None = None, *, is_mute: bool = False) -> None:
        self.turned: list[bool] = []
        self.asked: list[bool] = []
        self._refusals = refusals or []
        self._is_mute = is_mute

    def receive(self, asked: Message) -> Message | bool | None:
        if asked.message_type is not MessageType.METHOD_CALL or asked.member != "Set":
            return None
        interface, name, value = asked.body
        assert (asked.path, asked.interface) == (HCI0, "org.freedesktop.DBus.Properties")
        assert (interface, name) == ("org.bluez.Adapter1", "Powered")
        self.asked.append(value.value)
        if self._is_mute:
            return True
        if self._refusals:
            return Message.new_error(asked, self._refusals.pop(0), "no")
        self.turned.append(value.value)
        return Message.new_method_return(asked)


@asynccontextmanager
async def a_switch(update: Switch, objects: dict[str, dict[str, dict[str, Variant]]] = OBJECTS) -> AsyncIterator[Bus]:
    def tell(asked: Message) -> Message:
        return Message.new_method_return(asked, "a{oa{sa{sv}}}", [objects])

    async with a_bus() as bus, a_bluez(bus, tell, update.receive):
        yield bus


async def reset_of(update: Switch, ours: set[str]) -> None:
    async with a_switch(update) as bus:
        await reset(HCI0, ours, lambda: True, bus.address)


def test_connected_are_those_that_say_so_below_the_adapter() -> None:
    assert connected_by(HCI0, OBJECTS) == {OURS}


async def test_an_adapter_is_switched_off_and_then_on() -> None:
    update = Switch()
    await reset_of(update, {OURS})
    assert update.turned == [False, True]


async def test_the_systems_own_bus_is_used_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    update = Switch()
    async with a_switch(update) as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/at/all")
        await reset(HCI0, {OURS}, lambda: True)
    assert update.turned == [False, True]


async def test_bluez_is_asked_again_while_it_is_busy() -> None:
    update = Switch(["org.bluez.Error.Busy", "org.bluez.Error.Failed"])
    await reset_of(update, {OURS})
    assert update.turned == [False, True]


async def test_an_adapter_by_which_others_are_connected_is_left_alone() -> None:
    update = Switch()
    with pytest.raises(LinkError, match=OURS) as caught:
        await reset_of(update, {STRANGER})
    assert caught.value.reason is LinkReason.REFUSED
    assert update.asked == []


async def test_the_only_adapter_that_is_on_need_not_be_named() -> None:
    update = Switch()
    off = {"org.bluez.Adapter1": {"Powered": Variant("b", False)}}
    async with a_switch(update, {**OBJECTS, "/org/bluez/hci1": off}) as bus:
        await reset("", {OURS}, lambda: True, bus.address)
    assert update.turned == [False, True]


async def test_one_of_two_adapters_has_to_be_named() -> None:
    update = Switch()
    async with a_switch(update, {**OBJECTS, "/org/bluez/hci1": OBJECTS[HCI0]}) as bus:
        with pytest.raises(LinkError, match="hci0, hci1 on, and none configured") as caught:
            await reset("", {OURS}, lambda: True, bus.address)
    assert (caught.value.reason, update.asked) == (LinkReason.NO_ADAPTER, [])


async def test_nothing_is_done_if_at_the_last_moment_ours_may_not_be_disconnected() -> None:
    update = Switch()
    async with a_switch(update) as bus:
        await reset(HCI0, {OURS}, lambda: False, bus.address)
    assert update.asked == []


async def test_an_error_that_bluez_was_never_heard_to_give_is_named() -> None:
    update = Switch(["org.example.Error.Unheard"])
    with pytest.raises(LinkError, match=r"org\.example\.Error\.Unheard") as caught:
        await reset_of(update, {OURS})
    assert caught.value.reason is LinkReason.ADAPTER_OFF
    assert (update.asked, update.turned) == ([False, True], [True])


async def test_who_may_not_switch_is_told_so_and_does_not_insist() -> None:
    update = Switch(["org.freedesktop.DBus.Error.AccessDenied"] * 2)
    with pytest.raises(LinkError, match="does not switch /org/bluez/hci0 on: ") as caught:
        await reset_of(update, {OURS})
    assert caught.value.reason is LinkReason.NO_PERMISSION
    assert (update.asked, update.turned) == ([False, True], [])


async def test_an_adapter_that_does_not_go_off_is_told_to_be_on_all_the_same() -> None:
    update = Switch(["org.bluez.Error.Busy"] * (TRIES + 1))
    with pytest.raises(LinkError, match="does not switch /org/bluez/hci0 off") as caught:
        await reset_of(update, {OURS})
    assert caught.value.reason is LinkReason.ADAPTER_OFF
    assert update.turned == [True]


async def test_an_adapter_goes_on_again_although_whoever_had_it_switched_off_is_cancelled() -> None:
    update = Switch(["org.bluez.Error.Busy"])
    async with a_switch(update) as bus:
        resetting = asyncio.create_task(reset(HCI0, {OURS}, lambda: True, bus.address))
        async with asyncio.timeout(20):
            while not update.asked:  # noqa: ASYNC110 - the small BlueZ tells nobody
                await asyncio.sleep(0.01)
        resetting.cancel()
        await asyncio.wait({resetting})
        assert resetting.cancelled()
    assert update.turned[-1:] == [True]


async def test_a_bluez_that_never_answers_is_not_waited_for() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(LinkError) as caught:
        await reset_of(Switch(is_mute=True), {OURS})
    assert caught.value.reason is LinkReason.ADAPTER_OFF
    assert loop.time() - began < 10 * SWITCH_S
