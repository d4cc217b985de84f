from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from bumble import hci, ll

from belvedere.sim.controller import VirtualController, until_over
from belvedere.sim.radio_medium import RadioMedium

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bleak.backends.device import BLEDevice

    from belvedere.sim.head import VirtualHead
    from belvedere.sim.unit import VirtualUnit

    Find = Callable[[VirtualUnit], Awaitable[BLEDevice]]

UNIT = hci.Address("C0:00:00:00:00:02")


class RecordingHost:
    """A fake host that records the controller's packets."""

    def __init__(self) -> None:
        self.packets: list[hci.HCI_Packet] = []

    def on_packet(self, packet: bytes) -> None:
        self.packets.append(hci.HCI_Packet.from_bytes(packet))


def controller_and_host(medium: RadioMedium | None = None) -> tuple[VirtualController, RecordingHost]:
    host = RecordingHost()
    controller = VirtualController("it", host_sink=host, link=medium)
    return controller, host


def create_connection(peer: hci.Address) -> hci.HCI_LE_Create_Connection_Command:
    return hci.HCI_LE_Create_Connection_Command(
        le_scan_interval=96,
        le_scan_window=96,
        initiator_filter_policy=0,
        peer_address_type=peer.address_type,
        peer_address=peer,
        own_address_type=hci.OwnAddressType.RANDOM,
        connection_interval_min=24,
        connection_interval_max=40,
        max_latency=0,
        supervision_timeout=42,
        min_ce_length=0,
        max_ce_length=0,
    )


def connecting() -> tuple[VirtualController, RecordingHost]:
    """A controller that connects to the unit at its next advertisement."""
    controller, host = controller_and_host(RadioMedium(random.Random(1)))
    controller.on_hci_packet(create_connection(UNIT))
    return controller, host


async def test_no_feature_is_claimed_for_which_linux_would_wait_in_vain() -> None:
    claimed = VirtualController("it").le_features
    assert not claimed & hci.LeFeatureMask.LL_PRIVACY
    assert not claimed & hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
    assert not claimed & hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
    assert claimed & hci.LeFeatureMask.LE_ENCRYPTION


async def test_cancelling_an_attempt_sends_the_event_of_the_specification(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        head.medium.mute(head.pan.address)
        attempt = asyncio.create_task(head.radio.connect(head.pan.address))
        await asyncio.sleep(0.5)
        attempt.cancel()
        await asyncio.wait({attempt})
        head.medium.unmute(head.pan.address)
        await head.radio.connect(head.pan.address)
        assert head.pan.is_connected


async def test_cancelling_nothing_is_refused() -> None:
    controller, host = controller_and_host()
    controller.on_hci_packet(hci.HCI_LE_Create_Connection_Cancel_Command())
    await asyncio.sleep(0)
    [answer] = host.packets
    assert isinstance(answer, hci.HCI_Command_Complete_Event)
    assert answer.return_parameters.status == hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR


async def test_a_cancel_after_the_connection_was_made_is_refused_and_the_connection_stays() -> None:
    """Required by the specification. Linux then has no record of a connection that only the chip still has."""
    chip, host = connecting()
    chip.on_ll_advertising_pdu(ll.AdvInd(UNIT, b""))
    chip.on_hci_packet(hci.HCI_LE_Create_Connection_Cancel_Command())
    await asyncio.sleep(0)
    [_pending, completed, answer] = host.packets
    assert isinstance(completed, hci.HCI_LE_Connection_Complete_Event)
    assert completed.status == hci.HCI_ErrorCode.SUCCESS
    assert isinstance(answer, hci.HCI_Command_Complete_Event)
    assert answer.return_parameters.status == hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR
    assert UNIT in chip.le_connections


async def test_a_cancel_that_comes_in_time_is_answered_before_the_event_that_says_so() -> None:
    chip, host = connecting()
    chip.on_hci_packet(hci.HCI_LE_Create_Connection_Cancel_Command())
    chip.on_ll_advertising_pdu(ll.AdvInd(UNIT, b""))
    await asyncio.sleep(0.1)
    [_pending, answer, completed] = host.packets
    assert isinstance(answer, hci.HCI_Command_Complete_Event)
    assert answer.return_parameters.status == hci.HCI_ErrorCode.SUCCESS
    assert isinstance(completed, hci.HCI_LE_Connection_Complete_Event)
    assert completed.status == hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR
    assert not chip.le_connections


async def test_ending_a_connection_that_is_over_is_refused() -> None:
    controller, host = controller_and_host()
    reason = hci.HCI_ErrorCode.REMOTE_USER_TERMINATED_CONNECTION_ERROR
    controller.on_hci_packet(hci.HCI_Disconnect_Command(connection_handle=1, reason=reason))
    await asyncio.sleep(0)
    [answer] = host.packets
    assert isinstance(answer, hci.HCI_Command_Status_Event)
    assert answer.status == hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR


async def test_a_reset_silently_ends_attempt_scan_advertising_and_connections() -> None:
    chip, host = connecting()
    chip.on_ll_advertising_pdu(ll.AdvInd(UNIT, b""))
    chip.on_hci_packet(create_connection(hci.Address("C0:00:00:00:00:03")))
    chip.le_scan_enable = True
    chip.le_legacy_advertiser.advertising_interval_min = 100
    chip.le_legacy_advertiser.start()
    await asyncio.sleep(0)
    host.packets.clear()
    chip.on_hci_packet(hci.HCI_Reset_Command())
    await asyncio.sleep(1)
    [answer] = host.packets
    assert isinstance(answer, hci.HCI_Command_Complete_Event)
    assert (chip.pending_le_connection, chip.le_scan_enable, chip.le_connections) == (None, False, {})
    assert not chip.le_legacy_advertiser.enabled


async def test_a_unit_whose_central_was_reset_loses_its_link_and_is_connected_to_again(head: VirtualHead) -> None:
    async with head:
        chip, _host = controller_and_host(head.medium)
        unit = hci.Address(head.pan.address)
        for is_first in (True, False):
            chip.on_hci_packet(create_connection(unit))
            await asyncio.sleep(0.3)
            assert head.pan.is_connected
            if is_first:
                chip.on_hci_packet(hci.HCI_Reset_Command())
                await asyncio.sleep(0.5)
                assert not head.pan.is_connected


async def test_both_hosts_get_the_connection_parameters_that_the_central_chose(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        await asyncio.sleep(0.1)
        [theirs] = head.pan.connections
        for parameters in (connection.parameters, theirs.parameters):
            assert (parameters.connection_interval, parameters.supervision_timeout) == (30.0, 420.0)


async def test_buffers_are_busy_until_their_packet_was_sent(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        queue = connection.device.host.le_acl_packet_queue
        assert queue is not None
        for _ in range(10):
            await connection.gatt_client.write_value(1, bytes(12), with_response=False)
        assert queue.pending == 10
        await asyncio.sleep(5 * head.radio.interval_s)
        assert queue.pending == 5
        await asyncio.sleep(6 * head.radio.interval_s)
        assert queue.pending == 0


async def test_a_packet_of_several_buffers_frees_all_of_them(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        queue = connection.device.host.le_acl_packet_queue
        assert queue is not None
        await connection.gatt_client.write_value(1, bytes(500), with_response=False)
        assert queue.pending == 3
        await asyncio.sleep(2 * head.radio.interval_s)
        assert queue.pending == 0


async def test_a_connection_that_is_over_is_neither_ended_nor_lost_nor_credited_again() -> None:
    controller, host = controller_and_host()
    stranger = hci.Address("C0:00:00:00:00:99")
    controller.end_connection(1, 0x13)
    controller.lose_connection(stranger)
    controller.receive_sent(stranger, 10)
    controller.on_hci_packet(hci.HCI_AclDataPacket(1, 0, 0, 3, b"abc"))
    await asyncio.sleep(0)
    assert host.packets == []


async def test_waiting_for_a_connection_that_is_over_does_not_wait(head: VirtualHead, find: Find) -> None:
    async with head:
        await find(head.pan)
        connection = await head.radio.connect(head.pan.address)
        head.pan.drop()
        start = asyncio.get_running_loop().time()
        await until_over(connection)
        assert asyncio.get_running_loop().time() - start == pytest.approx(0.03, abs=0.03)
        await until_over(connection)
