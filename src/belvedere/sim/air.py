"""The radio between a central and its units: who hears whom, and one wire for each connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bumble import ll
from bumble.link import LocalLink

from belvedere.sim.controller import VirtualController
from belvedere.sim.wire import Conditions, End, Wire, times_s

if TYPE_CHECKING:
    from random import Random

    from bumble import hci
    from bumble.controller import Controller
    from bumble.core import PhysicalTransport

    from belvedere.sim.wire import Lane


class Air(LocalLink):
    """Carries advertisements, connections and their packets between `VirtualController`s.

    Units and central are named by their Bluetooth address ("C0:DE:00:00:00:01"). All chance comes from `rng`, so that
    the same seed makes the same air. Needs a running event loop once a controller uses it.
    """

    def __init__(self, rng: Random) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # bumble leaves its constructor without types
        self._rng = rng
        self._wires: list[Wire] = []
        self._conditions: dict[str, Conditions] = {}
        self._muted: set[str] = set()

    def add_controller(self, controller: Controller) -> None:
        """A chip comes on, perhaps not for the first time: whoever was connected with it finds out by the silence."""
        super().add_controller(controller)
        for wire in self._wires:
            if controller in (wire.central.controller, wire.unit.controller):
                wire.cut()

    def set_conditions(self, address: str, conditions: Conditions) -> None:
        """From now on, this unit is heard so well."""
        self._conditions[address] = conditions
        for wire in self._wires_of(address):
            wire.conditions = conditions

    def conditions(self, address: str) -> Conditions:
        """How well this unit is heard."""
        return self._conditions.get(address, Conditions())

    def mute(self, address: str) -> None:
        """Take this unit or central off the air: it neither hears nor is heard, and its connections run out."""
        self._muted.add(address)
        for wire in self._wires_of(address):
            wire.mute()

    def unmute(self, address: str) -> None:
        """Put it back on the air; a connection that has not run out goes on."""
        self._muted.discard(address)
        for wire in self._wires_of(address):
            if not self._muted & _names(wire):
                wire.unmute()

    def waiting(self, address: str) -> int:
        """How many attribute packets on the way to this unit have not gone over the air."""
        return sum(wire.lane_from(wire.central.controller).waiting for wire in self._wires_of(address))

    def close(self) -> None:
        """Drop everything that is on the way; no timer is left behind."""
        for wire in self._wires.copy():
            wire.close()

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,  # noqa: ARG002 - the interface is bumble's; there is only Low Energy here
        data: bytes,
    ) -> None:
        """Put one packet on the lane of its connection."""
        for lane in self._lanes_from(sender_controller, destination_address):
            lane.put(data)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Put one packet of the link layer on the lane of its connection."""
        for wire in self._wires:
            if wire.joins(sender_address, receiver_address):
                sender = wire.central if wire.central.address == sender_address else wire.unit
                wire.lane_from(sender.controller).put_control(packet)

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
        for wire in self._wires.copy():
            if wire.joins(packet.initiator_address, packet.advertiser_address):
                wire.close()  # both sides had ended it, and neither had heard so yet
        units = [c for c in self.controllers if c.random_address == packet.advertiser_address]
        for unit in units:
            if not (isinstance(central, VirtualController) and isinstance(unit, VirtualController)):
                raise TypeError("only a VirtualController may be on this air")
            interval_s, supervision_s = times_s(packet.interval, packet.timeout)
            wire = Wire(
                End(central, packet.initiator_address),
                End(unit, packet.advertiser_address),
                interval_s=interval_s,
                supervision_s=supervision_s,
                conditions=self.conditions(name_of(packet.advertiser_address)),
                rng=self._rng,
                on_closed=self._wires.remove,
            )
            self._wires.append(wire)
            if not self._muted & _names(wire):
                unit.on_ll_advertising_pdu(packet)
            if packet.initiator_address not in unit.le_connections:
                wire.cut()

    def _lanes_from(self, sender: Controller, destination: hci.Address) -> list[Lane]:
        return [
            wire.lane_from(sender)
            for wire in self._wires
            if any(sender is one.controller and destination == other.address for one, other in _ways(wire))
        ]

    def _wires_of(self, address: str) -> list[Wire]:
        return [wire for wire in self._wires if address in _names(wire)]


def name_of(address: hci.Address) -> str:
    """An address as the rest of the world writes it, without bumble's mark for its type."""
    return address.to_string(with_type_qualifier=False)


def _names(wire: Wire) -> set[str]:
    return {name_of(wire.central.address), name_of(wire.unit.address)}


def _ways(wire: Wire) -> tuple[tuple[End, End], tuple[End, End]]:
    return (wire.central, wire.unit), (wire.unit, wire.central)
