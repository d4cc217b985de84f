from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from bleak import BleakClient, BleakScanner

from belvedere.head.axes import AXES, Axis
from belvedere.head.frames import pack, stop_frame
from belvedere.head.profile import shipped_profile
from belvedere.sim.head import HeadOptions, VirtualHead
from belvedere.sim.unit import COMMAND
from belvedere.sim.virtual_link import Conditions
from belvedere.testing.clock import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from belvedere.sim.unit import ReceivedFrame, VirtualUnit

    Open = Callable[[VirtualUnit], Awaitable[BleakClient]]

PROFILE = shipped_profile("zeapon-pons-pt")


async def connected(head: VirtualHead, axis: Axis) -> BleakClient:
    name = head.unit(axis).name
    device = await BleakScanner.find_device_by_name(name, timeout=5, backend=head.scanner_backend)
    assert device is not None
    client = BleakClient(device, backend=head.client_backend)
    await client.connect()
    return client


async def test_both_units_can_be_driven_at_once(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        pan, tilt = await open_unit(head.pan), await open_unit(head.tilt)
        await pan.write_gatt_char(COMMAND, pack(PROFILE.frame, 0.5), response=False)
        await tilt.write_gatt_char(COMMAND, pack(PROFILE.frame, -0.25), response=False)
        await asyncio.sleep(1)
        assert head.pan.angle_deg > 10
        assert head.tilt.angle_deg < -5
        assert head.unit(Axis.PAN) is head.pan


async def test_a_tilt_unit_has_end_stops_and_a_pan_unit_has_none(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        for axis in AXES:
            client = await open_unit(head.unit(axis))
            await client.write_gatt_char(COMMAND, pack(PROFILE.frame, 1), response=True)
        await asyncio.sleep(60)
        assert head.tilt.angle_deg == 90
        assert head.pan.angle_deg > 2000


async def test_calibration_and_mounting_come_from_the_profile() -> None:
    assert PROFILE.pan is not None
    pan = msgspec.structs.replace(PROFILE.pan, full_speed_deg_per_s=10.0, invert=True)
    async with VirtualHead(msgspec.structs.replace(PROFILE, pan=pan)) as head:
        head.pan.apply_frame(pack(PROFILE.frame, 1))
        await asyncio.sleep(1)
        assert head.pan.speed_at(asyncio.get_running_loop().time()) == pytest.approx(-10)
        assert head.pan.angle_deg < -9


async def test_a_head_can_be_created_outside_a_loop_and_two_heads_are_independent() -> None:
    one, other = VirtualHead(PROFILE), VirtualHead(PROFILE)
    assert one.client_backend is not other.client_backend
    async with one, other:
        client = await connected(one, Axis.PAN)
        await client.write_gatt_char(COMMAND, stop_frame(PROFILE.frame), response=True)
        assert (len(one.pan.frames), len(other.pan.frames)) == (1, 0)


async def test_the_connection_interval_limits_the_rate_of_writes() -> None:
    options = HeadOptions(interval_s=0.0075, conditions=Conditions(packets_per_event=1))
    async with VirtualHead(PROFILE, options) as head:
        client = await connected(head, Axis.PAN)
        await asyncio.sleep(1)  # BlueZ asks questions of its own first
        start = asyncio.get_running_loop().time()
        for _ in range(100):
            await client.write_gatt_char(COMMAND, stop_frame(PROFILE.frame), response=True)
        assert (asyncio.get_running_loop().time() - start) / 100 == pytest.approx(0.015, rel=0.02)


async def test_drop_ends_the_link_and_the_unit_can_be_reached_again(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.tilt)
        head.faults.drop(Axis.TILT)
        await asyncio.sleep(0.1)
        assert not client.is_connected
        assert (await open_unit(head.tilt)).is_connected


async def test_drop_without_a_link_does_nothing(head: VirtualHead) -> None:
    async with head:
        head.faults.drop(Axis.PAN)
        assert not head.pan.is_connected


async def test_a_fault_of_one_axis_does_not_affect_the_other(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        pan, tilt = await open_unit(head.pan), await open_unit(head.tilt)
        head.faults.hang(Axis.PAN)
        head.faults.delay(Axis.PAN, 1)
        head.faults.lose(Axis.PAN, 0.9)
        start = asyncio.get_running_loop().time()
        await tilt.write_gatt_char(COMMAND, stop_frame(PROFILE.frame), response=True)
        assert asyncio.get_running_loop().time() - start < 0.1
        assert pan.is_connected


async def test_delay_slows_each_way(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        head.faults.delay(Axis.PAN, 0.3)
        start = asyncio.get_running_loop().time()
        await client.write_gatt_char(COMMAND, stop_frame(PROFILE.frame), response=True)
        assert head.pan.frames[0].at_s - start == pytest.approx(0.315, abs=0.02)
        assert asyncio.get_running_loop().time() - start == pytest.approx(0.63, abs=0.05)
        head.faults.delay(Axis.PAN, 0)
        await asyncio.sleep(1)
        start = asyncio.get_running_loop().time()
        await client.write_gatt_char(COMMAND, stop_frame(PROFILE.frame), response=True)
        assert asyncio.get_running_loop().time() - start < 0.1


async def test_closing_with_a_link_and_a_scan_leaves_no_timer_behind(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        await open_unit(head.pan)
        scanner = BleakScanner(backend=head.scanner_backend)
        await scanner.start()
    loop = asyncio.get_running_loop()
    await asyncio.sleep(1)
    scheduled: list[asyncio.TimerHandle] = getattr(loop, "_scheduled")  # noqa: B009 - asyncio's own list of timers
    assert [timer for timer in scheduled if not timer.cancelled()] == []


async def test_closing_is_harmless_before_the_start_and_twice(head: VirtualHead) -> None:
    await head.close()
    await head.start()
    await head.close()
    await head.close()
    assert head.pan.angle_at(0) == 0


def test_the_same_seed_gives_the_same_radio_behaviour() -> None:
    async def drive(seed: int) -> list[ReceivedFrame]:
        options = HeadOptions(seed=seed, conditions=Conditions(loss=0.3, jitter_s=0.02))
        async with VirtualHead(PROFILE, options) as head:
            client = await connected(head, Axis.PAN)
            for step in range(20):
                await client.write_gatt_char(COMMAND, pack(PROFILE.frame, step / 20), response=bool(step % 2))
            return list(head.pan.frames)

    first, again, different = (run_in_virtual_time(drive(seed)) for seed in (7, 7, 8))
    assert first == again
    assert first != different


@pytest.mark.realtime
async def test_it_runs_on_the_real_clock_too(head: VirtualHead) -> None:
    async with head:
        client = await connected(head, Axis.PAN)
        start = asyncio.get_running_loop().time()
        await client.write_gatt_char(COMMAND, stop_frame(PROFILE.frame), response=True)
        assert asyncio.get_running_loop().time() - start > 0.03
