from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from bleak import BleakClient
from bumble.core import UUID

from belvedere.head.axes import Axis
from belvedere.head.frames import stop_frame
from belvedere.head.profile import shipped_profile
from belvedere.sim.backend.services import discover, uuid_text
from belvedere.sim.unit import COMMAND

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bleak.backends.device import BLEDevice

    from belvedere.sim.head import VirtualHead
    from belvedere.sim.unit import VirtualUnit

    Find = Callable[[VirtualUnit], Awaitable[BLEDevice]]


STOP = stop_frame(shipped_profile("zeapon-pons-pt").frame)
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_uuid_is_written_in_full_and_in_lower_case() -> None:
    assert uuid_text(UUID.from_16_bits(0x180A)) == "0000180a-0000-1000-8000-00805f9b34fb"
    assert uuid_text(UUID("0000FFF1-0000-1000-8000-00805F9B34FA")) == "0000fff1-0000-1000-8000-00805f9b34fa"


async def test_services_are_shown_with_their_characteristics_and_subscriptions(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        shown, subscriptions = await discover(connection.gatt_client, None, lambda: connection.gatt_client.mtu)
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
        await discover(connection.gatt_client, None, lambda: connection.gatt_client.mtu)
        assert (loop.time() - start) / head.radio.interval_s == pytest.approx(8 * 2)


async def seconds_to_connect(client: BleakClient) -> float:
    start = now()
    await client.connect()
    return now() - start


async def test_known_services_are_not_discovered_again(head: VirtualHead, find: Find) -> None:
    async with head:
        client = BleakClient(await find(head.pan), backend=head.client_backend)
        assert 0.5 < await seconds_to_connect(client) < 0.8
        known = {one.uuid for one in client.services.characteristics.values()}
        await client.disconnect()
        assert await seconds_to_connect(client) < 0.15
        assert {one.uuid for one in client.services.characteristics.values()} == known
        await asyncio.sleep(1)
        command = client.services.get_characteristic(COMMAND)
        assert command is not None
        assert command.max_write_without_response_size == 514


@pytest.mark.parametrize("after", ["the adapter was off", "half a minute out of reach", "an attempt that failed"])
async def test_services_that_bluez_has_forgotten_are_discovered_again(
    head: VirtualHead, find: Find, after: str
) -> None:
    async with head:
        client = BleakClient(await find(head.pan), backend=head.client_backend)
        await client.connect()
        match after:
            case "the adapter was off":
                head.faults.switch_adapter(on=False)
                await asyncio.sleep(1)
                head.faults.switch_adapter(on=True)
            case "half a minute out of reach":
                head.faults.vanish(Axis.PAN)
                await asyncio.sleep(31)
                head.faults.come_back(Axis.PAN)
            case _:
                await client.disconnect()
                head.faults.hang(Axis.PAN)
                with pytest.raises(TimeoutError):
                    await client.connect(timeout=0.01)
                head.faults.resume(Axis.PAN)
        again = BleakClient(await find(head.pan), backend=head.client_backend)
        assert await seconds_to_connect(again) > 0.5


async def test_requests_are_sent_between_bluezs_own_and_commands_do_not_wait_for_those(
    head: VirtualHead, find: Find
) -> None:
    async with head:
        client = BleakClient(await find(head.pan), backend=head.client_backend)
        await client.connect()
        await client.disconnect()
        await client.connect()
        start = now()
        await client.write_gatt_char(COMMAND, STOP, response=False)
        await client.read_gatt_char(BATTERY)
        assert 2 < (now() - start) / head.radio.interval_s < 6
        assert [kept.frame for kept in head.pan.frames] == [STOP]
        assert head.pan.frames[0].came_s - start < 2 * head.radio.interval_s
        await asyncio.sleep(1)
        start = now()
        await client.read_gatt_char(BATTERY)
        assert (now() - start) / head.radio.interval_s < 3
