from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from bleak import BleakScanner

from belvedere.head.frames import pack, stop_frame
from belvedere.head.profile import shipped_profile
from belvedere.sim.head import HeadOptions, VirtualHead
from belvedere.sim.unit import COMMAND, KEPT_FRAMES, STATE, UNREAD_PACKETS, ReceivedFrame

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bleak import BleakClient

    from belvedere.sim.unit import VirtualUnit

    Open = Callable[[VirtualUnit], Awaitable[BleakClient]]

LAYOUT = shipped_profile("zeapon-pons-pt").frame
STOP = stop_frame(LAYOUT)
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"


def now() -> float:
    return asyncio.get_running_loop().time()


async def notifications_of(client: BleakClient) -> list[bytes]:
    """Collect the unit's notifications from now on."""
    notified: list[bytes] = []
    await client.start_notify(STATE, lambda _characteristic, value: notified.append(bytes(value)))
    return notified


async def test_a_unit_turns_as_commanded_until_another_command(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        await client.write_gatt_char(COMMAND, pack(LAYOUT, 1), response=True)
        await asyncio.sleep(3600)
        assert head.pan.speed_at(now()) == pytest.approx(40)
        assert head.pan.angle_deg == pytest.approx(3600 * 40, rel=0.001)
        await client.write_gatt_char(COMMAND, STOP, response=True)
        await asyncio.sleep(1)
        assert head.pan.speed_at(now()) == 0
        resting = head.pan.angle_deg
        await asyncio.sleep(60)
        assert head.pan.angle_deg == resting


async def test_a_negative_velocity_turns_left_and_the_other_unit_stays(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        await client.write_gatt_char(COMMAND, pack(LAYOUT, -0.5), response=True)
        await asyncio.sleep(1)
        assert head.pan.angle_at(now()) < -10
        assert head.tilt.angle_deg == 0


async def test_frames_are_kept_with_the_time_at_which_the_radio_delivered_them(
    head: VirtualHead, open_unit: Open
) -> None:
    async with head:
        client = await open_unit(head.pan)
        before = now()
        await client.write_gatt_char(COMMAND, STOP, response=True)
        [kept] = head.pan.frames
        assert kept == ReceivedFrame(kept.at_s, STOP, is_obeyed=True, came_s=kept.at_s)
        assert before < kept.at_s < now()
        assert head.pan.frames.maxlen == KEPT_FRAMES


@pytest.mark.parametrize("stops", [False, True])
async def test_a_lost_link_stops_the_unit_only_if_so_configured(stops: bool) -> None:  # noqa: FBT001 - a parameter of the test
    profile = shipped_profile("zeapon-pons-pt")
    async with VirtualHead(profile, HeadOptions(stops_when_link_drops=stops)) as head:
        head.pan.apply_frame(pack(LAYOUT, 1))
        await _connect_and_drop(head)
        assert (head.pan.speed_at(now()) == 0) is stops


async def _connect_and_drop(head: VirtualHead) -> None:
    await head.radio.start_scan(lambda _advertisement: None)
    await asyncio.sleep(0.5)
    await head.radio.connect(head.pan.address)
    head.pan.drop()
    await asyncio.sleep(1)


async def test_notifications_contain_the_newest_state_at_most_five_times_a_second(
    head: VirtualHead, open_unit: Open
) -> None:
    async with head:
        client = await open_unit(head.pan)
        notified = await notifications_of(client)
        for speed in range(1, 34):
            await client.write_gatt_char(COMMAND, pack(LAYOUT, speed / 100), response=False)
            await asyncio.sleep(0.03)
        await asyncio.sleep(0.5)
        assert 5 <= len(notified) <= 7
        assert notified[-1] == b"\x82" + pack(LAYOUT, 0.33)[1:]


async def test_a_repeated_command_is_not_notified(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        notified = await notifications_of(client)
        for _ in range(30):
            await client.write_gatt_char(COMMAND, STOP, response=False)
            await asyncio.sleep(0.05)
        assert len(notified) == 1


async def test_a_hung_unit_processes_nothing_and_continues_to_turn(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        await client.write_gatt_char(COMMAND, pack(LAYOUT, 1), response=True)
        head.pan.hang()
        await client.write_gatt_char(COMMAND, STOP, response=False)
        await asyncio.sleep(10)
        assert head.pan.speed_at(now()) == pytest.approx(40)
        assert client.is_connected


async def test_a_resumed_unit_processes_buffered_packets_in_order(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        notified = await notifications_of(client)
        head.pan.hang()
        came = now()
        frames = [pack(LAYOUT, share) for share in (1, 0.5, 0, 0.33)]
        for frame in frames:
            await client.write_gatt_char(COMMAND, frame, response=False)
        battery = asyncio.create_task(client.read_gatt_char(BATTERY))
        await asyncio.sleep(5)
        assert not head.pan.frames
        assert not battery.done()
        assert head.pan.unread == len([*frames, battery])
        head.pan.resume()
        assert head.pan.unread == 0
        assert [kept.frame for kept in head.pan.frames] == frames
        assert all(kept.at_s == now() and came < kept.came_s < came + 1 for kept in head.pan.frames)
        assert await battery == bytes([87])
        await asyncio.sleep(1)
        assert notified[-1] == b"\x82" + frames[-1][1:]


async def test_after_a_lost_link_a_hung_unit_has_only_what_its_radio_buffered(
    head: VirtualHead, open_unit: Open
) -> None:
    async with head:
        client = await open_unit(head.pan)
        head.pan.hang()
        for share in range(1, 2 * UNREAD_PACKETS):
            await client.write_gatt_char(COMMAND, pack(LAYOUT, share / 100), response=False)
        await asyncio.sleep(2)
        await client.disconnect()
        await asyncio.sleep(1)
        head.pan.resume()
        assert [kept.frame for kept in head.pan.frames] == [
            pack(LAYOUT, share / 100) for share in range(1, UNREAD_PACKETS + 1)
        ]
        again = await open_unit(head.pan)
        await again.write_gatt_char(COMMAND, STOP, response=True)
        assert head.pan.frames[-1].frame == STOP


async def test_a_unit_that_hung_when_its_link_ended_advertises_only_after_resuming(
    head: VirtualHead, open_unit: Open
) -> None:
    async with head:
        client = await open_unit(head.pan)
        head.pan.hang()
        await client.disconnect()
        assert await BleakScanner.find_device_by_address(head.pan.address, 3, backend=head.scanner_backend) is None
        head.pan.resume()
        assert await BleakScanner.find_device_by_address(head.pan.address, 3, backend=head.scanner_backend)


async def test_a_hung_unit_notifies_nothing_until_it_resumes(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        notified = await notifications_of(client)
        await client.write_gatt_char(COMMAND, pack(LAYOUT, 1), response=True)
        await client.write_gatt_char(COMMAND, STOP, response=True)  # notified only after the pause
        head.pan.hang()
        await asyncio.sleep(1)
        assert notified == [b"\x82" + pack(LAYOUT, 1)[1:]]
        head.pan.resume()
        await asyncio.sleep(1)
        assert notified[1:] == [b"\x82" + STOP[1:]]


async def test_resuming_a_unit_that_does_not_hang_does_nothing(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        notified = await notifications_of(client)
        head.pan.resume()
        await asyncio.sleep(1)
        assert not notified


async def test_a_unit_advertises_again_after_each_connection(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        seen: list[bool] = []
        for _ in range(3):
            await open_unit(head.pan)
            seen.append(head.pan.is_connected)
            head.pan.drop()
            seen.append(head.pan.is_connected)
            await asyncio.sleep(0.1)
        assert seen == [True, False] * 3


async def test_a_connected_pair_at_rest_sets_no_timer(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        for unit in (head.pan, head.tilt):
            client = await open_unit(unit)
            await client.write_gatt_char(COMMAND, STOP, response=True)
        await asyncio.sleep(1)
        loop = asyncio.get_running_loop()
        scheduled: list[asyncio.TimerHandle] = getattr(loop, "_scheduled")  # noqa: B009 - asyncio's own list of timers
        assert [timer for timer in scheduled if not timer.cancelled()] == []
