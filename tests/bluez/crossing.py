"""A controller whose connections complete at the worst moment: just as the host cancels the attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.sim.controller import VirtualController

if TYPE_CHECKING:
    from bumble import hci


class CrossingController(VirtualController):
    """With `is_crossing`, a connection completes when the attempt is cancelled, and no sooner.

    The connection event and the cancel command then cross between controller and host, which is always possible. The
    controller follows the specification: there is nothing left to cancel, and the connection stays.
    """

    is_crossing = False

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
