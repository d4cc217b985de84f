from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from bumble.core import UUID

from belvedere.sim.backend.services import discover, uuid_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bleak.backends.device import BLEDevice

    from belvedere.sim.head import VirtualHead
    from belvedere.sim.unit import VirtualUnit

    Find = Callable[[VirtualUnit], Awaitable[BLEDevice]]


def test_a_uuid_is_written_long_and_small() -> None:
    assert uuid_text(UUID.from_16_bits(0x180A)) == "0000180a-0000-1000-8000-00805f9b34fb"
    assert uuid_text(UUID("0000FFF1-0000-1000-8000-00805F9B34FA")) == "0000fff1-0000-1000-8000-00805f9b34fa"


async def test_services_are_shown_with_what_is_in_them_and_how_to_subscribe(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        shown, subscriptions = await discover(connection.gatt_client, None)
        assert {service.uuid[4:8]: [c.uuid[4:8] for c in service.characteristics] for service in shown} == {
            "1801": ["2a05", "2b29", "2b2a"],
            "180a": ["2a29", "2a24", "2a26", "2a25"],
            "180f": ["2a19"],
            "fff0": ["fff1", "fff2"],
        }
        changed, state = shown.get_characteristic("2a05"), shown.get_characteristic("fff2")
        assert changed is not None
        assert state is not None
        assert subscriptions == {
            changed.obj: (changed.obj + 1, b"\x02\x00"),
            state.obj: (state.obj + 1, b"\x01\x00"),
        }


async def test_discovery_takes_eight_round_trips_of_two_intervals(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        await connection.gatt_client.request_mtu(517)
        loop = asyncio.get_running_loop()
        start = loop.time()
        await discover(connection.gatt_client, None)
        assert (loop.time() - start) / head.radio.interval_s == pytest.approx(8 * 2)
