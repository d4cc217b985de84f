"""A controller that shows, when told to, what real chips do at bad moments."""

from __future__ import annotations

from bumble import hci

from belvedere.sim.controller import VirtualController


class FaultyController(VirtualController):
    """The controller of the machine's only adapter.

    Attributes:
        is_crossing: a connection completes when the attempt is cancelled, and no sooner. The connection event and the
            cancel command then cross between controller and host, which is always possible. The controller follows the
            specification: there is nothing left to cancel, and the connection stays.
        loses_end_of_scan: it does not answer the next command to end a scan, once. Linux waits two seconds for that.
    """

    is_crossing = False
    loses_end_of_scan = False

    def on_hci_command_packet(self, command: hci.HCI_Command) -> None:
        """Execute and answer a command; with `loses_end_of_scan`, not that one."""
        ends_scan = isinstance(command, hci.HCI_LE_Set_Scan_Enable_Command) and not command.le_scan_enable
        if self.loses_end_of_scan and ends_scan:
            self.loses_end_of_scan = False
        else:
            super().on_hci_command_packet(command)

    def create_le_connection(self, peer_address: hci.Address) -> None:
        """Connect to a unit that was discovered; with `is_crossing`, not yet."""
        if not self.is_crossing:
            super().create_le_connection(peer_address)

    def on_hci_le_create_connection_cancel_command(
        self, command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Connect now, and then refuse to cancel."""
        if self.is_crossing and self.pending_le_connection is not None:
            super().create_le_connection(self.pending_le_connection.peer_address)
        return super().on_hci_le_create_connection_cancel_command(command)
