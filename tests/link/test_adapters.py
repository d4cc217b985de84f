"""The resolution of the configured adapter, at each search anew."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, ClassVar

import pytest
from tests.link.backends import UnableToList, hanging_once

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import Axis
from belvedere.head.profile import shipped_profile
from belvedere.link.adapters import BluezAdapter, resolve_adapter
from belvedere.link.radio import Radio
from belvedere.link.scan import HUNG_S
from belvedere.sim.head import NAMES, VirtualHead

if TYPE_CHECKING:
    from typing import Self

    from belvedere.link.discovery import DiscoveredDevice

PROFILE = shipped_profile("zeapon-pons-pt")

INSIDE = BluezAdapter("hci0", "B8:27:EB:00:00:01")
DONGLE = BluezAdapter("hci1", "00:1A:7D:DA:71:13")
CANNOT_WATCH = "cannot watch for the exit of the Bluetooth service"


@pytest.mark.parametrize("wanted", ["hci1", "00:1A:7D:DA:71:13", "00:1a:7d:da:71:13"])
def test_an_adapter_is_resolved_by_its_name_or_its_address(wanted: str) -> None:
    assert resolve_adapter(wanted, [INSIDE, DONGLE]) == "hci1"


def test_an_address_is_the_same_adapter_whatever_its_number() -> None:
    moved = BluezAdapter("hci3", DONGLE.address)
    assert resolve_adapter(DONGLE.address, [INSIDE, moved]) == "hci3"


def test_the_error_for_a_missing_adapter_lists_the_present_ones() -> None:
    with pytest.raises(LinkError) as caught:
        resolve_adapter("hci7", [INSIDE, DONGLE])
    assert caught.value.reason is LinkReason.NO_ADAPTER
    assert str(caught.value) == (
        "no such Bluetooth adapter: hci7; this computer has hci0 (B8:27:EB:00:00:01), hci1 (00:1A:7D:DA:71:13)"
    )


def test_the_error_says_if_there_is_no_adapter_at_all() -> None:
    with pytest.raises(LinkError, match="this computer has none"):
        resolve_adapter("hci0", [])


async def found(radio: Radio) -> DiscoveredDevice:
    return await radio.find(lambda _address, name, _services: name == NAMES[Axis.PAN])


async def test_an_adapters_address_is_looked_up_at_each_search_because_its_number_changes() -> None:
    there = [INSIDE, DONGLE]
    used: list[dict[str, str]] = []

    async def ask_adapters() -> list[BluezAdapter]:
        return there

    async with VirtualHead(PROFILE) as head:

        class Noted(head.scanner_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            def __init__(self, *arguments: object, bluez: dict[str, str], **options: object) -> None:
                used.append(bluez)
                super().__init__(*arguments, bluez=bluez, **options)

        radio = Radio(head.client_backend, Noted, DONGLE.address.lower(), ask_adapters=ask_adapters)
        for _ in range(2):
            client = await radio.connect(await found(radio), lambda _client: None)
            await radio.disconnect(client)
            there[:] = [BluezAdapter("hci0", DONGLE.address)]
        assert used == [{"adapter": "hci1"}, {"adapter": "hci0"}]


async def test_a_missing_adapter_is_reported_and_used_once_it_is_plugged_in() -> None:
    there: list[BluezAdapter] = []

    async def ask_adapters() -> list[BluezAdapter]:
        return there

    async with VirtualHead(PROFILE) as head:
        radio = Radio(head.client_backend, head.scanner_backend, "hci7", ask_adapters=ask_adapters)
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(LinkError, match="no such Bluetooth adapter: hci7") as caught:
            await found(radio)
        assert caught.value.reason is LinkReason.NO_ADAPTER
        assert loop.time() - began < 0.1
        there.append(BluezAdapter("hci7", DONGLE.address))
        assert (await found(radio)).name == NAMES[Axis.PAN]


class Asked(UnableToList):
    """Records the options with which bleak was asked for an adapter."""

    options: ClassVar[list[object]] = []

    @classmethod
    async def get(cls, **options: object) -> Self:
        cls.options.append(options["bluez"])
        return cls()


@pytest.mark.parametrize(("adapter", "options"), [("hci1", {"adapter": "hci1"}), (None, {})])
async def test_scanning_connecting_and_taking_over_use_the_same_adapter(
    adapter: str | None, options: dict[str, str]
) -> None:
    Asked.options.clear()
    scanned: list[object] = []
    connected: list[object] = []
    async with VirtualHead(PROFILE) as head:

        class NotedScanner(head.scanner_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            def __init__(self, *arguments: object, **options: object) -> None:
                scanned.append(options["bluez"])
                super().__init__(*arguments, **options)

        class NotedClient(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            def __init__(self, *arguments: object, **options: object) -> None:
                connected.append(options["bluez"])
                super().__init__(*arguments, **options)

        radio = Radio(NotedClient, NotedScanner, adapter, adapter_backend=Asked, takes_over=True)
        await radio.disconnect(await radio.connect(await found(radio), lambda _client: None))
    assert (scanned, Asked.options, connected) == ([options], [options], [options])


@pytest.mark.skipif(sys.platform != "linux", reason="there is no BlueZ but on Linux")
async def test_bluez_is_queried_and_watched_exactly_where_bleak_uses_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/at/all")
    caplog.set_level(logging.DEBUG, "belvedere.link")
    async with VirtualHead(PROFILE) as head:
        with pytest.raises(LinkError) as caught:
            await found(Radio(None, head.scanner_backend, "hci1"))
        assert caught.value.reason is LinkReason.ADAPTER_OFF
        radio = Radio(head.client_backend, hanging_once(head), "hci1")
        with pytest.raises(LinkError, match="did not answer"):
            await found(radio)
        await asyncio.sleep(HUNG_S)
        await radio.disconnect(await radio.connect(await found(radio), lambda _client: None))
        assert CANNOT_WATCH not in caplog.text
        with pytest.raises(LinkError, match="did not answer"):
            await found(Radio(None, hanging_once(head)))
        assert CANNOT_WATCH in caplog.text
        await asyncio.sleep(HUNG_S)
