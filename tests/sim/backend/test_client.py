"""The virtual client behaves as BlueZ was observed to; the test names say how."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import TYPE_CHECKING

import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.exc import BleakDBusError, BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bleak_retry_connector import BleakNotFoundError, establish_connection

from belvedere.head.axes import Axis
from belvedere.head.frames import pack, stop_frame
from belvedere.head.profile import shipped_profile
from belvedere.sim.unit import COMMAND, STATE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bleak.backends.device import BLEDevice

    from belvedere.sim.head import VirtualHead
    from belvedere.sim.unit import VirtualUnit

    Find = Callable[[VirtualUnit], Awaitable[BLEDevice]]
    Open = Callable[[VirtualUnit], Awaitable[BleakClient]]

INTERVAL_S = 0.030
MANUFACTURER, BATTERY = "2a29", "2a19"
LAYOUT = shipped_profile("zeapon-pons-pt").frame
RIGHT, STOP = pack(LAYOUT, 0.5), stop_frame(LAYOUT)


def now() -> float:
    return asyncio.get_running_loop().time()


async def how_long(doing: Awaitable[object]) -> float:
    start = now()
    await doing
    return now() - start


async def error_of(doing: Awaitable[object]) -> BaseException:
    """The error that this raises; fails if it raises none."""
    [error] = await asyncio.gather(doing, return_exceptions=True)
    assert isinstance(error, BaseException)
    return error


def code_of(error: BaseException) -> int:
    assert isinstance(error, BleakGATTProtocolError)
    return int(error.code)


def received(unit: VirtualUnit) -> list[bytes]:
    return [one.frame for one in unit.frames]


async def test_a_write_with_response_reaches_the_unit_once_and_takes_up_to_three_intervals(
    head: VirtualHead, open_unit: Open
) -> None:
    async with head:
        client = await open_unit(head.pan)
        took = await how_long(client.write_gatt_char(COMMAND, RIGHT, response=True))
        assert received(head.pan) == [RIGHT]
        assert INTERVAL_S < took <= 3 * INTERVAL_S
        assert await how_long(client.write_gatt_char(COMMAND, STOP, response=True)) == pytest.approx(2 * INTERVAL_S)


async def test_writes_without_response_are_accepted_at_once_and_delivered_one_an_event_in_order(
    head: VirtualHead, open_unit: Open
) -> None:
    async with head:
        client = await open_unit(head.pan)
        frames = [pack(LAYOUT, speed / 100) for speed in range(60)]
        start = now()
        for frame in frames:
            await client.write_gatt_char(COMMAND, frame, response=False)
        assert now() == start
        await asyncio.sleep(61 * INTERVAL_S)
        assert received(head.pan) == frames
        times = [one.at_s for one in head.pan.frames]
        assert times[0] - start <= 2 * INTERVAL_S
        assert [b - a for a, b in itertools.pairwise(times)] == pytest.approx([INTERVAL_S] * 59)


async def test_a_stop_behind_a_backlog_comes_late(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        for _ in range(40):
            await client.write_gatt_char(COMMAND, RIGHT, response=False)
        await client.write_gatt_char(COMMAND, STOP, response=False)
        start = now()
        await client.read_gatt_char(BATTERY)
        assert now() - start > 40 * INTERVAL_S
        assert received(head.pan)[-1] == STOP


async def test_a_backlog_of_one_unit_does_not_delay_the_other(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        pan, tilt = await open_unit(head.pan), await open_unit(head.tilt)
        for _ in range(200):
            await pan.write_gatt_char(COMMAND, RIGHT, response=False)
        start = now()
        await tilt.write_gatt_char(COMMAND, RIGHT, response=False)
        await asyncio.sleep(2 * INTERVAL_S)
        assert head.tilt.frames[0].at_s - start <= 1.1 * INTERVAL_S


async def test_the_unit_notifies_its_state(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        notified: list[bytes] = []
        await client.start_notify(STATE, lambda _characteristic, value: notified.append(bytes(value)))
        await client.write_gatt_char(COMMAND, RIGHT, response=True)
        await asyncio.sleep(0.5)
        await client.stop_notify(STATE)
        await client.write_gatt_char(COMMAND, STOP, response=True)
        await asyncio.sleep(0.5)
        assert notified == [b"\x82" + RIGHT[1:]]


async def test_notifications_are_refused_twice_and_where_there_are_none(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        await client.start_notify(STATE, lambda *_: None)
        twice = await error_of(client.start_notify(STATE, lambda *_: None))
        never = await error_of(client.start_notify(COMMAND, lambda *_: None))
        assert isinstance(twice, BleakDBusError)
        assert isinstance(never, BleakDBusError)
        assert (twice.dbus_error, never.dbus_error) == ("org.bluez.Error.InProgress", "org.bluez.Error.NotSupported")


async def test_strings_and_the_battery_can_be_read_to_probe_the_link(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.tilt)
        assert await client.read_gatt_char(MANUFACTURER) == b"Belvedere"
        assert await client.read_gatt_char(BATTERY) == bytes([87])
        assert code_of(await error_of(client.read_gatt_char(COMMAND))) == 0x02
        assert code_of(await error_of(client.write_gatt_char(BATTERY, b"x", response=True))) == 0x03


async def test_what_bluez_hides_is_not_shown(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        assert client.services.get_service("1800") is None
        assert client.mtu_size == 23
        command, state = client.services.get_characteristic(COMMAND), client.services.get_characteristic(STATE)
        assert command is not None
        assert state is not None
        assert command.properties == ["write", "write-without-response"]
        assert command.max_write_without_response_size == 514
        assert command.handle == command.obj - 1
        assert state.descriptors == []


async def test_only_the_wanted_services_are_shown(head: VirtualHead, find: Find) -> None:
    async with head:
        client = BleakClient(await find(head.pan), services=["180f"], backend=head.client_backend)
        await client.connect()
        assert [service.uuid[4:8] for service in client.services] == ["180f"]
        assert client.name == head.pan.name


@pytest.mark.parametrize(("frame", "code"), [(b"\x02", 0x0D), (b"\x03" + RIGHT[1:], 0x13), (RIGHT + b"\0", 0x0D)])
async def test_a_bad_frame_is_refused_on_a_request_and_ignored_on_a_command(
    head: VirtualHead, open_unit: Open, frame: bytes, code: int
) -> None:
    async with head:
        client = await open_unit(head.pan)
        assert code_of(await error_of(client.write_gatt_char(COMMAND, frame, response=True))) == code
        await client.write_gatt_char(COMMAND, frame, response=False)
        await asyncio.sleep(0.1)
        assert [one.is_obeyed for one in head.pan.frames] == [False, False]
        assert head.pan.speed_at(now()) == 0


async def test_a_refusing_unit_answers_with_an_error_only_to_requests(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        head.faults.refuse(Axis.PAN, on=True)
        assert code_of(await error_of(client.write_gatt_char(COMMAND, RIGHT, response=True))) == 0xFC
        await client.write_gatt_char(COMMAND, RIGHT, response=False)
        await asyncio.sleep(0.1)
        head.faults.refuse(Axis.PAN, on=False)
        await client.write_gatt_char(COMMAND, STOP, response=True)
        assert [one.is_obeyed for one in head.pan.frames] == [False, False, True]


async def test_a_command_longer_than_a_packet_is_refused_by_bluez_itself(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        error = await error_of(client.write_gatt_char(COMMAND, bytes(515), response=False))
        assert isinstance(error, BleakDBusError)
        assert error.dbus_error == "org.bluez.Error.Failed"


async def test_an_unanswered_request_blocks_its_characteristic_even_after_its_caller_was_cancelled(
    head: VirtualHead, open_unit: Open, caplog: pytest.LogCaptureFixture
) -> None:
    async with head:
        client = await open_unit(head.pan)
        head.faults.hang(Axis.PAN)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.write_gatt_char(COMMAND, RIGHT, response=True), 0.3)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.write_gatt_char(COMMAND, STOP, response=False), 5)
        start = now()
        error = await error_of(client.write_gatt_char(COMMAND, STOP, response=False))
        assert isinstance(error, BleakDBusError)
        assert now() - start == pytest.approx(30 - 5 - 0.3, abs=0.1)
        head.faults.resume(Axis.PAN)
        await asyncio.sleep(0.1)
        assert received(head.pan) == [RIGHT]
        caplog.clear()  # bumble warns of the time-out and of the late answer, as it should


async def test_after_an_unanswered_request_the_link_looks_alive_and_is_dead(
    head: VirtualHead, open_unit: Open, caplog: pytest.LogCaptureFixture
) -> None:
    async with head:
        client = await open_unit(head.pan)
        head.faults.hang(Axis.PAN)
        took = now()
        assert code_of(await error_of(client.write_gatt_char(COMMAND, RIGHT, response=True))) == 0x0E
        assert now() - took == pytest.approx(30, abs=0.1)
        head.faults.resume(Axis.PAN)
        for response in (True, False):
            error = await error_of(client.write_gatt_char(COMMAND, STOP, response=response))
            assert isinstance(error, BleakDBusError)
            assert error.dbus_error_details == "Not connected"
        assert client.is_connected
        assert head.pan.is_connected
        await client.disconnect()
        caplog.clear()  # bumble warns of the time-out and of the late answer, as it should
        again = await open_unit(head.pan)
        await again.write_gatt_char(COMMAND, STOP, response=True)


async def test_a_link_lost_with_a_write_in_flight_fails_it_and_calls_back_once(head: VirtualHead, find: Find) -> None:
    async with head:
        lost: list[BleakClient] = []
        client = BleakClient(await find(head.pan), disconnected_callback=lost.append, backend=head.client_backend)
        await client.connect()
        head.faults.hang(Axis.PAN)
        write = asyncio.create_task(client.write_gatt_char(COMMAND, RIGHT, response=True))
        read = asyncio.create_task(client.read_gatt_char(BATTERY))
        await asyncio.sleep(0.2)
        head.faults.drop(Axis.PAN)
        assert code_of(await error_of(write)) == 0x0E
        assert code_of(await error_of(read)) == 0x0E
        assert lost == [client]
        assert not client.is_connected
        error = await error_of(client.write_gatt_char(COMMAND, STOP, response=False))
        assert type(error) is BleakError


async def test_a_write_into_radio_silence_fails_after_the_supervision_time(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        head.faults.vanish(Axis.PAN)
        await client.write_gatt_char(COMMAND, RIGHT, response=False)
        start = now()
        assert code_of(await error_of(client.write_gatt_char(COMMAND, RIGHT, response=True))) == 0x0E
        assert now() - start == pytest.approx(0.42)
        assert received(head.pan) == []


async def test_a_short_radio_silence_only_delays(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        head.faults.vanish(Axis.PAN)
        await client.write_gatt_char(COMMAND, RIGHT, response=False)
        await asyncio.sleep(0.3)
        assert received(head.pan) == []
        head.faults.come_back(Axis.PAN)
        await asyncio.sleep(2 * INTERVAL_S)
        assert received(head.pan) == [RIGHT]
        await asyncio.sleep(1)
        assert client.is_connected


async def test_connecting_to_a_unit_that_vanished_times_out_and_it_must_be_scanned_again(
    head: VirtualHead, find: Find
) -> None:
    async with head:
        device = await find(head.pan)
        head.faults.vanish(Axis.PAN)
        assert await how_long(error_of(BleakClient(device, backend=head.client_backend).connect(timeout=3))) == 3
        head.faults.come_back(Axis.PAN)
        error = await error_of(BleakClient(device, backend=head.client_backend).connect())
        assert isinstance(error, BleakDeviceNotFoundError)
        with pytest.raises(BleakNotFoundError):
            await establish_connection(BleakClient, device, "pan", max_attempts=1, backend=head.client_backend)
        await BleakClient(await find(head.pan), backend=head.client_backend).connect()
        assert head.pan.is_connected


async def test_a_cancelled_attempt_does_not_affect_the_next(head: VirtualHead, find: Find) -> None:
    async with head:
        pan, tilt = await find(head.pan), await find(head.tilt)
        head.faults.vanish(Axis.PAN)
        attempt = asyncio.create_task(BleakClient(pan, backend=head.client_backend).connect())
        await asyncio.sleep(1)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await BleakClient(tilt, backend=head.client_backend).connect()
        assert head.tilt.is_connected


@pytest.mark.parametrize("steps", range(40))
async def test_an_attempt_may_be_cancelled_at_any_moment(head: VirtualHead, find: Find, steps: int) -> None:
    async with head:
        device = await find(head.pan)
        attempt = asyncio.create_task(BleakClient(device, backend=head.client_backend).connect())
        await asyncio.sleep(steps * 0.02)
        attempt.cancel()
        await asyncio.wait({attempt})
        if attempt.cancelled():
            await asyncio.sleep(0.1)
            assert not head.pan.is_connected
            client = BleakClient(await find(head.pan), backend=head.client_backend)
            await client.connect()
            await client.write_gatt_char(COMMAND, STOP, response=True)
            assert received(head.pan) == [STOP]


async def test_two_attempts_at_once_are_refused(head: VirtualHead, find: Find) -> None:
    async with head:
        pan, tilt = await find(head.pan), await find(head.tilt)
        first = asyncio.create_task(BleakClient(pan, backend=head.client_backend).connect())
        await asyncio.sleep(0)
        error = await error_of(BleakClient(tilt, backend=head.client_backend).connect())
        assert isinstance(error, BleakDBusError)
        assert error.dbus_error == "org.bluez.Error.InProgress"
        await first


async def test_a_connected_client_refuses_to_connect_and_a_second_client_too(head: VirtualHead, find: Find) -> None:
    async with head:
        device = await find(head.pan)
        client = BleakClient(device, backend=head.client_backend)
        await client.connect()
        assert type(await error_of(client.connect())) is BleakError
        assert isinstance(await error_of(BleakClient(device, backend=head.client_backend).connect()), BleakDBusError)


async def test_a_unit_that_hangs_during_discovery_times_out_and_is_disconnected_as_slowly_as_by_bluez(
    head: VirtualHead, find: Find
) -> None:
    async with head:
        device = await find(head.pan)
        head.faults.hang(Axis.PAN)
        began = now()
        error = await error_of(BleakClient(device, backend=head.client_backend).connect(timeout=4))
        assert isinstance(error, TimeoutError)
        assert now() - began == pytest.approx(4 + 2, abs=0.1)
        await asyncio.sleep(0.1)
        assert not head.pan.is_connected


async def test_a_unit_that_drops_during_discovery_gives_an_error(head: VirtualHead, find: Find) -> None:
    async with head:
        attempt = asyncio.create_task(BleakClient(await find(head.pan), backend=head.client_backend).connect())
        await asyncio.sleep(0.3)
        head.faults.drop(Axis.PAN)
        assert type(await error_of(attempt)) is BleakError


async def test_disconnecting_takes_two_seconds_and_calls_back(head: VirtualHead, find: Find) -> None:
    async with head:
        lost: list[BleakClient] = []
        client = BleakClient(await find(head.pan), disconnected_callback=lost.append, backend=head.client_backend)
        await client.connect()
        assert await how_long(client.disconnect()) == pytest.approx(2.0)
        assert lost == [client]
        assert await how_long(client.disconnect()) == 0


async def test_frames_written_before_disconnecting_arrive(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        await client.write_gatt_char(COMMAND, STOP, response=False)
        await client.disconnect()
        assert received(head.pan) == [STOP]


async def test_a_cancelled_disconnect_happens_all_the_same(head: VirtualHead, find: Find) -> None:
    async with head:
        lost: list[BleakClient] = []
        device = await find(head.pan)
        client = BleakClient(device, disconnected_callback=lost.append, backend=head.client_backend)
        await client.connect()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.disconnect(), 0.5)
        assert not client.is_connected
        assert lost == [client]
        too_early = await error_of(BleakClient(device, backend=head.client_backend).connect())
        assert isinstance(too_early, BleakDBusError)
        await asyncio.sleep(1.6)
        assert not head.pan.is_connected
        assert lost == [client]
        await BleakClient(device, backend=head.client_backend).connect()


async def test_the_adapter_powered_off_ends_links_and_refuses_new_ones(head: VirtualHead, find: Find) -> None:
    async with head:
        device, lost = await find(head.pan), asyncio.Event()
        client = BleakClient(device, disconnected_callback=lambda _: lost.set(), backend=head.client_backend)
        await client.connect()
        head.faults.switch_adapter(on=False)
        await lost.wait()
        error = await error_of(BleakClient(device, backend=head.client_backend).connect())
        assert isinstance(error, BleakDBusError)
        assert error.dbus_error_details == "Input/output error"
        await asyncio.sleep(1)
        assert not head.pan.is_connected
        head.faults.switch_adapter(on=True)
        await BleakClient(device, backend=head.client_backend).connect()


async def test_a_device_that_was_silent_for_30_s_is_forgotten(head: VirtualHead, find: Find) -> None:
    async with head:
        device = await find(head.pan)
        await asyncio.sleep(31)
        error = await error_of(BleakClient(device, backend=head.client_backend).connect())
        assert isinstance(error, BleakDeviceNotFoundError)


async def test_a_bare_address_is_scanned_for(head: VirtualHead) -> None:
    async with head:
        client = BleakClient(head.pan.address, backend=head.client_backend)
        await client.connect()
        await client.write_gatt_char(COMMAND, STOP, response=True)
        stranger = BleakClient("C0:00:00:00:00:99", timeout=2, backend=head.client_backend)
        assert isinstance(await error_of(stranger.connect()), BleakDeviceNotFoundError)


async def test_descriptors_are_read_and_written_by_their_handle(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        state = client.services.get_characteristic(STATE)
        assert state is not None
        subscription = BleakGATTDescriptor(state.obj + 1, state.obj + 1, "2902", state)
        assert await client.read_gatt_descriptor(subscription) == b"\0\0"
        await client.write_gatt_descriptor(subscription, b"\1\0")
        assert await client.read_gatt_descriptor(subscription) == b"\1\0"


async def test_pairing_is_not_offered(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        assert isinstance(await error_of(client.pair()), NotImplementedError)
        assert isinstance(await error_of(client.unpair()), NotImplementedError)


async def test_after_the_head_is_closed_everything_fails_and_nothing_hangs(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        head.faults.hang(Axis.PAN)
        write = asyncio.create_task(client.write_gatt_char(COMMAND, RIGHT, response=True))
        await asyncio.sleep(0.1)
    assert code_of(await error_of(write)) == 0x0E
    assert not client.is_connected


async def test_debug_logging_of_bumble_changes_nothing(
    head: VirtualHead, open_unit: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bumble")
    async with head:
        client = await open_unit(head.pan)
        await client.write_gatt_char(COMMAND, RIGHT, response=True)
        assert received(head.pan) == [RIGHT]


async def test_a_scan_may_run_while_connected(head: VirtualHead, open_unit: Open) -> None:
    async with head:
        client = await open_unit(head.pan)
        async with BleakScanner(backend=head.scanner_backend) as scanner:
            await asyncio.sleep(1)
        assert [device.name for device in scanner.discovered_devices] == [head.tilt.name]
        assert client.is_connected
