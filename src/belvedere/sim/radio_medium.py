"""The simulated air between a central and its units: who receives whom, and one `VirtualLink` for each connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bumble import ll
from bumble.link import LocalLink

from belvedere.sim.controller import VirtualController
from belvedere.sim.virtual_link import Conditions, End, VirtualLink, times_s

if TYPE_CHECKING:
    from random import Random

    from bumble import hci
    from bumble.controller import Controller
    from bumble.core import PhysicalTransport

    from belvedere.sim.virtual_link import LinkDirection


class RadioMedium(LocalLink):
    """Carries advertisements, connections and their packets between `VirtualController`s.

    Units and central are identified by their Bluetooth address ("C0:DE:00:00:00:01"). All randomness comes from `rng`,
    so the same seed gives the same behaviour. Needs a running event loop once a controller uses it.
    """

    def __init__(self, rng: Random) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # bumble leaves its constructor without types
        self._rng = rng
        self._links: list[VirtualLink] = []
        self._conditions: dict[str, Conditions] = {}
        self._muted: set[str] = set()

    def add_controller(self, controller: Controller) -> None:
        """Add a controller, or one that was reset: its old connections are cut, and peers notice by timeout."""
        super().add_controller(controller)
        for link in self._links:
            if controller in (link.central.controller, link.unit.controller):
                link.cut()

    def set_conditions(self, address: str, conditions: Conditions) -> None:
        """Set the radio conditions of this unit from now on."""
        self._conditions[address] = conditions
        for link in self._links_of(address):
            link.conditions = conditions

    def conditions(self, address: str) -> Conditions:
        """The radio conditions of this unit."""
        return self._conditions.get(address, Conditions())

    def mute(self, address: str) -> None:
        """Take this unit or central off the air: it neither receives nor sends, and its connections time out."""
        self._muted.add(address)
        for link in self._links_of(address):
            link.mute()

    def unmute(self, address: str) -> None:
        """Put it back on the air; a connection that has not timed out continues."""
        self._muted.discard(address)
        for link in self._links_of(address):
            if not self._muted & _names(link):
                link.unmute()

    def waiting(self, address: str) -> int:
        """How many attribute packets to this unit wait to be sent."""
        return sum(link.direction_from(link.central.controller).waiting for link in self._links_of(address))

    def close(self) -> None:
        """Drop all waiting packets; no timer remains."""
        for link in self._links.copy():
            link.close()

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,  # noqa: ARG002 - the interface is bumble's; there is only Low Energy here
        data: bytes,
    ) -> None:
        """Queue a packet on its connection."""
        for direction in self._directions_from(sender_controller, destination_address):
            direction.put(data)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Queue a link-layer packet on its connection."""
        for link in self._links:
            if link.joins(sender_address, receiver_address):
                sender = link.central if link.central.address == sender_address else link.unit
                link.direction_from(sender.controller).put_control(packet)

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """Deliver an advertisement to all listeners, or a connection request to one unit."""
        if isinstance(packet, ll.ConnectInd):
            self._connect(sender_controller, packet)
            return
        if name_of(sender_controller.random_address) in self._muted:
            return
        for listener in self.controllers:
            is_listening = listener.le_scan_enable or listener.pending_le_connection
            if is_listening and name_of(listener.random_address) not in self._muted:
                asyncio.get_running_loop().call_soon(listener.on_ll_advertising_pdu, packet)

    def _connect(self, central: Controller, packet: ll.ConnectInd) -> None:
        """Create the link of a new connection; it is cut if the unit does not receive the request."""
        for link in self._links.copy():
            if link.joins(packet.initiator_address, packet.advertiser_address):
                link.close()  # both sides had ended it, and neither had been notified yet
        units = [c for c in self.controllers if c.random_address == packet.advertiser_address]
        for unit in units:
            if not (isinstance(central, VirtualController) and isinstance(unit, VirtualController)):
                raise TypeError("only VirtualControllers can connect on this medium")
            interval_s, supervision_s = times_s(packet.interval, packet.timeout)
            link = VirtualLink(
                End(central, packet.initiator_address),
                End(unit, packet.advertiser_address),
                interval_s=interval_s,
                supervision_s=supervision_s,
                conditions=self.conditions(name_of(packet.advertiser_address)),
                rng=self._rng,
                on_closed=self._links.remove,
            )
            self._links.append(link)
            if not self._muted & _names(link):
                unit.on_ll_advertising_pdu(packet)
            if packet.initiator_address not in unit.le_connections:
                link.cut()

    def _directions_from(self, sender: Controller, destination: hci.Address) -> list[LinkDirection]:
        return [
            link.direction_from(sender)
            for link in self._links
            if any(sender is one.controller and destination == other.address for one, other in _both_orders(link))
        ]

    def _links_of(self, address: str) -> list[VirtualLink]:
        return [link for link in self._links if address in _names(link)]


def name_of(address: hci.Address) -> str:
    """An address in the usual notation, without bumble's suffix for its type."""
    return address.to_string(with_type_qualifier=False)


def _names(link: VirtualLink) -> set[str]:
    return {name_of(link.central.address), name_of(link.unit.address)}


def _both_orders(link: VirtualLink) -> tuple[tuple[End, End], tuple[End, End]]:
    return (link.central, link.unit), (link.unit, link.central)
