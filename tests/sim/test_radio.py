from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from belvedere.sim.radio import VirtualRadio
from belvedere.sim.radio_medium import RadioMedium

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bleak.backends.device import BLEDevice

    from belvedere.sim.head import VirtualHead
    from belvedere.sim.unit import VirtualUnit

    Find = Callable[[VirtualUnit], Awaitable[BLEDevice]]


def test_the_interval_is_a_multiple_of_bluetooths_unit() -> None:
    radio = VirtualRadio(RadioMedium(random.Random(1)), address="C0:00:00:00:00:01", interval_s=0.0405)
    assert radio.interval_s == pytest.approx(0.040)


async def test_a_unit_is_known_until_30_s_after_its_last_advertisement(head: VirtualHead, find: Find) -> None:
    async with head:
        assert not head.radio.knows(head.pan.address)
        await find(head.pan)
        await asyncio.sleep(29)
        assert head.radio.knows(head.pan.address)
        await asyncio.sleep(2)
        assert not head.radio.knows(head.pan.address)


async def test_a_connected_unit_is_known_until_30_s_after_its_disconnection(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        await asyncio.sleep(100)
        assert head.radio.knows(head.pan.address)
        await head.radio.release(connection)
        await asyncio.sleep(29)
        assert head.radio.knows(head.pan.address)
        await asyncio.sleep(2)
        assert not head.radio.knows(head.pan.address)


async def test_a_forgotten_unit_is_not_known(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        head.radio.forget(head.pan.address)
        head.radio.forget(head.pan.address)
        assert not head.radio.knows(head.pan.address)


async def test_the_radio_is_busy_while_connecting_and_with_a_unit_while_connected(
    head: VirtualHead, find: Find
) -> None:
    async with head:
        await find(head.pan)
        attempt = asyncio.create_task(head.radio.connect(head.pan.address))
        await asyncio.sleep(0)
        assert head.radio.is_busy(head.tilt.address)
        await attempt
        assert not head.radio.is_busy(head.tilt.address)
        assert head.radio.is_busy(head.pan.address)


async def test_releasing_a_link_that_is_lost_meanwhile_ends_at_once(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        start = asyncio.get_running_loop().time()
        asyncio.get_running_loop().call_later(0.5, head.pan.drop)
        await head.radio.release(connection)
        assert asyncio.get_running_loop().time() - start == pytest.approx(0.5, abs=0.04)


async def test_closing_while_a_link_is_being_released_does_not_wait_for_it(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        release = asyncio.create_task(head.radio.release(connection))
        await asyncio.sleep(0.1)
        start = asyncio.get_running_loop().time()
    await release
    assert asyncio.get_running_loop().time() - start < 0.1


async def test_switching_off_ends_the_links_of_this_side_at_once_and_of_the_unit_when_it_notices(
    head: VirtualHead, find: Find
) -> None:
    async with head:
        await find(head.pan)
        await head.radio.connect(head.pan.address)
        head.radio.switch(on=False)
        await asyncio.sleep(0.1)
        assert not head.radio.is_connected(head.pan.address)
        assert head.pan.is_connected
        await asyncio.sleep(0.4)
        assert not head.pan.is_connected
