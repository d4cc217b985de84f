"""The radio's own promises; what a link makes of them is in `test_ble`."""

from __future__ import annotations

import asyncio

import pytest

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import Axis
from belvedere.head.profile import shipped_profile
from belvedere.link.options import LinkOptions
from belvedere.link.radio import Radio, Sighting
from belvedere.sim.head import ADDRESSES, NAMES, VirtualHead

PROFILE = shipped_profile("zeapon-pons-pt")


def a_radio(head: VirtualHead, options: LinkOptions | None = None) -> Radio:
    return Radio(head.client_backend, head.scanner_backend, options=options)


async def find(radio: Radio, axis: Axis) -> Sighting:
    return await radio.find(lambda _address, name, _services: name == NAMES[axis])


async def test_one_scan_serves_everybody_who_seeks_and_ends_with_the_last() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head)
        pan, tilt = await asyncio.gather(find(radio, Axis.PAN), find(radio, Axis.TILT))
        assert {pan.name, tilt.name} == set(NAMES.values())
        assert not head.radio.is_scanning


async def test_a_search_ends_after_its_time_and_the_scan_with_it() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head, LinkOptions(search_s=0.7))
        head.faults.vanish(Axis.PAN)
        at = asyncio.get_running_loop().time()
        with pytest.raises(LinkError) as caught:
            await find(radio, Axis.PAN)
        assert caught.value.reason is LinkReason.NOT_FOUND
        assert asyncio.get_running_loop().time() - at == pytest.approx(0.7, abs=0.1)
        assert not head.radio.is_scanning


async def test_a_unit_in_use_is_not_found_until_it_is_released() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head)
        client = await radio.connect(await find(radio, Axis.PAN), lambda _client: None)
        await client.disconnect()
        with pytest.raises(LinkError):
            await find(radio, Axis.PAN)
        radio.release(ADDRESSES[Axis.PAN])
        assert (await find(radio, Axis.PAN)).device.address == ADDRESSES[Axis.PAN]


async def test_a_connect_that_fails_is_told_and_the_next_one_may_go_on() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head, LinkOptions(connect_timeout_s=1, search_s=1))
        sighting = await find(radio, Axis.PAN)
        head.faults.vanish(Axis.PAN)
        with pytest.raises(LinkError) as caught:
            await radio.connect(sighting, lambda _client: None)
        assert caught.value.reason in {LinkReason.CONNECT_FAILED, LinkReason.NOT_FOUND}
        client = await radio.connect(await find(radio, Axis.TILT), lambda _client: None)
        assert client.is_connected
        await client.disconnect()


async def test_the_scan_pauses_while_somebody_connects_and_goes_on_for_whoever_still_seeks() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head, LinkOptions(search_s=5))
        sighting = await find(radio, Axis.TILT)
        head.faults.vanish(Axis.PAN)
        seeking = asyncio.create_task(find(radio, Axis.PAN))
        await asyncio.sleep(0.1)
        connecting = asyncio.create_task(radio.connect(sighting, lambda _client: None))
        await asyncio.sleep(0.01)
        is_scanning_while_connecting = head.radio.is_scanning
        client = await connecting
        head.faults.come_back(Axis.PAN)
        assert (await seeking).name == NAMES[Axis.PAN]
        assert not is_scanning_while_connecting
        await client.disconnect()
