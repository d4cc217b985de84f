"""The radio between a central and its units: who hears whom, and one wire for each connection."""

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

    Units and central are named by their Bluetooth address ("C0:DE:00:00:00:01"). All chance comes from `rng`, so that
    the same seed makes the same air. Needs a running event loop once a controller uses it.
    """

    def __init__(self, rng: Random) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # bumble leaves its constructor without types
        self._rng = rng
        self._links: list[VirtualLink] = []
        self._conditions: dict[str, Conditions] = {}
        self._muted: set[str] = set()

    def add_controller(self, controller: Controller) -> None:
        """A chip comes on, perhaps not for the first time: whoever was connected with it finds out by the silence."""
        super().add_controller(controller)
        for link in self._links:
            if controller in (link.central.controller, link.unit.controller):
                link.cut()

    def set_conditions(self, address: str, conditions: Conditions) -> None:
        """From now on, this unit is heard so well."""
        self._conditions[address] = conditions
        for link in self._links_of(address):
            link.conditions = conditions

    def conditions(self, address: str) -> Conditions:
        """How well this unit is heard."""
        return self._conditions.get(address, Conditions())

    def mute(self, address: str) -> None:
        """Take this unit or central off the air: it neither hears nor is heard, and its connections run out."""
        self._muted.add(address)
        for link in self._links_of(address):
            link.mute()

    def unmute(self, address: str) -> None:
        """Put it back on the air; a connection that has not run out goes on."""
        self._muted.discard(address)
        for link in self._links_of(address):
            if not self._muted & _names(link):
                link.unmute()

    def waiting(self, address: str) -> int:
        """How many attribute packets on the way to this unit have not gone over the air."""
        return sum(link.direction_from(link.central.controller).waiting for link in self._links_of(address))

    def close(self) -> None:
        """Drop everything that is on the way; no timer is left behind."""
        for link in self._links.copy():
            link.close()

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,  # noqa: ARG002 - the interface is bumble's; there is only Low Energy here
        data: bytes,
    ) -> None:
        """Put one packet on the lane of its connection."""
        for direction in self._directions_from(sender_controller, destination_address):
            direction.put(data)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Put one packet of the link layer on the lane of its connection."""
        for link in self._links:
            if link.joins(sender_address, receiver_address):
                sender = link.central if link.central.address == sender_address else link.unit
                link.direction_from(sender.controller).put_control(packet)

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """Let everyone hear an advertisement, or one unit a request for a connection."""
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
        """Make the wire of a new connection; it is cut where the unit does not hear the request."""
        for link in self._links.copy():
            if link.joins(packet.initiator_address, packet.advertiser_address):
                link.close()  # both sides had ended it, and neither had heard so yet
        units = [c for c in self.controllers if c.random_address == packet.advertiser_address]
        for unit in units:
            if not (isinstance(central, VirtualController) and isinstance(unit, VirtualController)):
                raise TypeError("only a VirtualController may be on this air")
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
            if any(sender is one.controller and destination == other.address for one, other in _ways(link))
        ]

    def _links_of(self, address: str) -> list[VirtualLink]:
        return [link for link in self._links if address in _names(link)]


def name_of(address: hci.Address) -> str:
    """An address as the rest of the world writes it, without bumble's mark for its type."""
    return address.to_string(with_type_qualifier=False)


def _names(link: VirtualLink) -> set[str]:
    return {name_of(link.central.address), name_of(link.unit.address)}


def _ways(link: VirtualLink) -> tuple[tuple[End, End], tuple[End, End]]:
    return (link.central, link.unit), (link.unit, link.central)
