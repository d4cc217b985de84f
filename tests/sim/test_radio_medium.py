from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from bumble import hci, ll
from bumble.controller import Controller

from belvedere.sim.controller import VirtualController, until_over
from belvedere.sim.radio_medium import RadioMedium, name_of
from belvedere.sim.virtual_link import Conditions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bleak.backends.device import BLEDevice

    from belvedere.sim.head import VirtualHead
    from belvedere.sim.unit import VirtualUnit

    Find = Callable[[VirtualUnit], Awaitable[BLEDevice]]

CENTRAL, UNIT = hci.Address("C0:00:00:00:00:01"), hci.Address("C0:00:00:00:00:02")


class Scanner(VirtualController):
    """A controller that scans, and records what it receives."""

    def __init__(self, medium: RadioMedium, address: hci.Address) -> None:
        super().__init__("scanner", link=medium)
        self.random_address = address
        self.le_scan_enable = True
        self.received: list[ll.AdvertisingPdu] = []
        self.lost_at_s: float | None = None

    def on_ll_advertising_pdu(self, packet: ll.AdvertisingPdu) -> None:
        self.received.append(packet)

    def lose_connection(self, peer_address: hci.Address) -> None:
        assert peer_address == UNIT
        self.lost_at_s = asyncio.get_running_loop().time()


def air_with_two() -> tuple[RadioMedium, Scanner, VirtualController]:
    medium = RadioMedium(random.Random(1))
    unit = VirtualController("unit", link=medium)
    unit.random_address = UNIT
    return medium, Scanner(medium, CENTRAL), unit


def test_an_address_is_written_in_the_usual_notation() -> None:
    assert name_of(UNIT) == "C0:00:00:00:00:02"


@pytest.mark.parametrize("silent", [None, CENTRAL, UNIT])
async def test_an_advertisement_is_heard_unless_either_side_is_muted(silent: hci.Address | None) -> None:
    medium, scanner, unit = air_with_two()
    if silent is not None:
        medium.mute(name_of(silent))
    medium.send_advertising_pdu(unit, ll.AdvInd(UNIT, b"hello"))
    await asyncio.sleep(0)
    assert scanner.received == ([ll.AdvInd(UNIT, b"hello")] if silent is None else [])


async def test_a_controller_that_does_not_scan_receives_no_advertisement() -> None:
    medium, scanner, unit = air_with_two()
    scanner.le_scan_enable = False
    medium.send_advertising_pdu(unit, ll.AdvInd(UNIT, b"hello"))
    await asyncio.sleep(0)
    assert scanner.received == []


async def test_bumbles_own_controller_cannot_connect_on_this_medium() -> None:
    medium, _, _ = air_with_two()
    stranger = Controller("stranger", link=medium)
    with pytest.raises(TypeError, match="VirtualController"):
        medium.send_advertising_pdu(stranger, ll.ConnectInd(CENTRAL, UNIT, 24, 0, 42))


async def test_a_connection_request_that_the_unit_does_not_accept_times_out() -> None:
    medium, central, _unit_that_does_not_advertise = air_with_two()
    start = asyncio.get_running_loop().time()
    medium.send_advertising_pdu(central, ll.ConnectInd(CENTRAL, UNIT, 24, 0, 42))
    await asyncio.sleep(1)
    assert central.lost_at_s == pytest.approx(start + 0.42)


async def test_a_unit_that_missed_a_connection_request_is_not_connected_when_it_is_back() -> None:
    medium, central, _unit = air_with_two()
    medium.mute(name_of(UNIT))
    start = asyncio.get_running_loop().time()
    medium.send_advertising_pdu(central, ll.ConnectInd(CENTRAL, UNIT, 24, 0, 42))
    await asyncio.sleep(0.1)
    medium.unmute(name_of(UNIT))
    await asyncio.sleep(1)
    assert central.lost_at_s == pytest.approx(start + 0.42)


async def test_a_unit_notices_a_reset_of_its_central_by_supervision_timeout(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        central = next(one for one in head.medium.controllers if one.name == "central")
        head.medium.add_controller(central)
        is_connected = []
        for after_s in (0.4, 0.1):
            await asyncio.sleep(after_s)
            is_connected.append(head.pan.is_connected)
        assert is_connected == [True, False]
        await until_over(connection)


async def test_a_muted_unit_loses_its_connection_after_the_supervision_time(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        lost = asyncio.Event()
        connection.once(connection.EVENT_DISCONNECTION, lambda _: lost.set())
        head.medium.mute(head.pan.address)
        start = asyncio.get_running_loop().time()
        await lost.wait()
        assert asyncio.get_running_loop().time() - start == pytest.approx(0.42)
        assert not head.pan.is_connected


async def test_conditions_change_while_connected_and_hold_for_the_next_connection(
    head: VirtualHead, find: Find
) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        head.medium.set_conditions(head.pan.address, Conditions(delay_s=0.5))
        start = asyncio.get_running_loop().time()
        await connection.gatt_client.request_mtu(100)
        assert asyncio.get_running_loop().time() - start > 1.0
        assert head.medium.conditions(head.pan.address) == Conditions(delay_s=0.5)
        assert head.medium.conditions("unknown") == Conditions()


async def test_packets_that_wait_for_a_unit_can_be_counted(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        for _ in range(7):
            await connection.gatt_client.write_value(1, b"x", with_response=False)
        assert head.medium.waiting(head.pan.address) == 7
        assert head.medium.waiting(head.tilt.address) == 0


async def test_a_link_between_two_muted_sides_works_once_both_are_back(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        await head.radio.connect(head.pan.address)
        head.medium.mute(head.pan.address)
        head.medium.mute(head.radio.address)
        await asyncio.sleep(0.1)
        head.medium.unmute(head.pan.address)
        await asyncio.sleep(0.1)
        head.medium.unmute(head.radio.address)
        await asyncio.sleep(1)
        assert head.pan.is_connected


async def test_both_sides_may_end_a_connection_at_once_and_connect_again(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        again = asyncio.create_task(head.radio.connect(head.pan.address))
        await asyncio.sleep(0.1)
        start = asyncio.get_running_loop().time()
        head.radio.end(connection)
        head.pan.drop()
        await again
        assert asyncio.get_running_loop().time() == start  # before either could hear of the other's ending
        await asyncio.sleep(2)
        assert head.pan.is_connected


async def test_packets_of_an_old_connection_never_reach_the_new_one(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        for _ in range(20):
            await connection.gatt_client.write_value(head.pan.command_handle, b"old", with_response=False)
        head.pan.drop()
        await asyncio.sleep(0.1)
        await head.radio.connect(head.pan.address)
        await asyncio.sleep(1)
        assert len(head.pan.frames) == 0
