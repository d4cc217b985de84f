"""A Bluetooth controller in software: bumble's, with corrections.

bumble's controller does not cancel connection attempts (so that every later one fails), keeps its connections at a
reset, claims features that it does not have, and accepts to end connections that are over (Linux then waits for seconds
in both cases). It reports a packet as sent before it was on the air, so a full radio has no effect, and it gives a
peripheral an invented connection interval.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from bumble import hci, ll
from bumble.controller import Controller

if TYPE_CHECKING:
    from bumble import device
    from bumble.controller import Connection

_CLAIMED_ONLY = (
    hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
)


class VirtualController(Controller):
    """One radio chip. Its `link` must be a `belvedere.sim.radio_medium.RadioMedium`, which calls `receive_sent`."""

    le_features = Controller.le_features & ~_CLAIMED_ONLY
    # The maximum of Bluetooth's data length extension, which chips have supported for ten years: one attribute
    # packet is then one packet on the air.
    le_acl_data_packet_length = 251
    # bumble's host has one queue for all its links, where Linux serves them in turn. With the maximum number of
    # buffers, packets wait in their own link's queue (`LinkDirection`) and never behind those of another link.
    total_num_le_acl_data_packets = 255

    def receive_sent(self, peer_address: hci.Address, size: int) -> None:
        """A packet of `size` bytes was sent to this peer: report its buffers to the host as free."""
        connection = self.le_connections.get(peer_address)
        if connection is None:
            return
        packets = math.ceil(size / self.le_acl_data_packet_length)
        event = hci.HCI_Number_Of_Completed_Packets_Event([connection.handle], [packets])
        self.send_hci_packet(event)

    def end_connection(self, handle: int, reason: int) -> None:
        """End a connection as if this side's host had requested it; does nothing if it is over already."""
        connection = self.find_le_connection_by_handle(handle)
        if connection is not None:
            connection.send_ll_control_pdu(ll.TerminateInd(reason))
            self.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TERMINATED_BY_LOCAL_HOST_ERROR)

    def lose_connection(self, peer_address: hci.Address) -> None:
        """End the connection with this peer, if there is one, by supervision timeout."""
        connection = self.le_connections.get(peer_address)
        if connection is not None:
            self.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        """Send a packet; its buffer is freed in `receive_sent`."""
        connection: Connection | None = self.find_connection_by_handle(packet.connection_handle)
        if connection is not None:  # otherwise the host does not know yet that the connection is over
            connection.assembler.feed_packet(packet)

    def on_hci_reset_command(self, command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        """Reset the state silently: peers notice by supervision timeout, and the host needs no events."""
        self.pending_le_connection = None
        self.le_scan_enable = False
        self.le_legacy_advertiser.stop()
        self.le_connections.clear()
        if self.link is not None:
            self.link.add_controller(self)
        return super().on_hci_reset_command(command)

    def on_hci_disconnect_command(self, command: hci.HCI_Disconnect_Command) -> None:
        """End a connection. For one that is over this fails, because no event about its end would follow."""
        if self.find_connection_by_handle(command.connection_handle) is None:
            self._send_hci_command_status(hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR, command.op_code)
        else:
            super().on_hci_disconnect_command(command)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Cancel the pending attempt, and send the event that the specification requires.

        If the connection was made already and its event is pending, there is nothing to cancel.
        """
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        event = hci.HCI_LE_Connection_Complete_Event(
            status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=pending.peer_address.address_type,
            peer_address=pending.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, event)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_le_connect_ind(self, packet: ll.ConnectInd) -> None:
        """Accept a connection, and report the parameters that the central chose to the host."""
        super().on_le_connect_ind(packet)
        connection = self.le_connections.get(packet.initiator_address)
        if connection is not None:
            self.on_ll_control_pdu(
                packet.initiator_address,
                ll.ConnectionUpdateInd(packet.interval, packet.latency, packet.timeout),
            )


async def until_over(connection: device.Connection) -> None:
    """Wait until the host knows that this connection is over; it must have been ended, or be about to end."""
    over = asyncio.Event()
    connection.once(connection.EVENT_DISCONNECTION, lambda _reason: over.set())
    if connection.device.connections.get(connection.handle) is connection:
        await over.wait()
