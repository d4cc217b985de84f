"""One simulated connection: a queue in each direction, sent at connection events, under given radio conditions."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from bumble import ll
from bumble.core import PhysicalTransport

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from bumble import hci

    from belvedere.sim.controller import VirtualController

PREPARE_S = 0.001
"""A packet queued less than this before a connection event goes with the next one: chips prepare an event about a
millisecond ahead, and an event loop may wake that much early."""


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """The radio conditions of one unit.

    Attributes:
        packets_per_event: how many attribute packets a connection event carries, each way. 1 is the worst that was
            observed (BlueZ 5.82, 60 commands in 2.9 s at an interval of 48.75 ms).
        delay_s: additional delay of every packet, each way.
        jitter_s: a random delay on top, up to this value.
        loss: the share of connection events in which nothing gets through, in [0, 1). No packet is lost: the link layer
            retransmits.
    """

    packets_per_event: int = 1
    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0

    def __post_init__(self) -> None:
        if self.packets_per_event < 1 or min(self.delay_s, self.jitter_s) < 0 or not 0 <= self.loss < 1:
            raise ValueError("packets_per_event must be at least 1, times not negative, and loss in [0, 1)")


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """One side of a connection."""

    controller: VirtualController
    address: hci.Address


class VirtualLink:
    """The connection between a central and one unit.

    Packets in each direction keep their order and wait for connection events. While the link is muted they all wait;
    after `supervision_s` of that, both sides lose the connection. A link that is cut, because one side does not know
    the connection, stays muted. `on_closed` is called once, when the connection is over for both sides.
    """

    def __init__(
        self,
        central: End,
        unit: End,
        *,
        interval_s: float,
        supervision_s: float,
        conditions: Conditions,
        rng: Random,
        on_closed: Callable[[VirtualLink], None],
    ) -> None:
        self.central = central
        self.unit = unit
        self.interval_s = interval_s
        self.supervision_s = supervision_s
        self.conditions = conditions
        self.rng = rng
        self.is_muted = False
        self.is_cut = False
        self.is_open = True
        self._on_closed = on_closed
        self._loop = asyncio.get_running_loop()
        # The links of one central share its radio, so each has its own phase.
        self._anchor_s = self._loop.time() + rng.random() * interval_s
        self._directions = {
            id(central.controller): LinkDirection(self, central, unit),
            id(unit.controller): LinkDirection(self, unit, central),
        }
        self._supervision: asyncio.TimerHandle | None = None

    def direction_from(self, sender: object) -> LinkDirection:
        """The direction in which this controller sends."""
        return self._directions[id(sender)]

    def joins(self, one: hci.Address, other: hci.Address) -> bool:
        """Whether this is the connection between these two addresses, in either order."""
        return {one, other} == {self.central.address, self.unit.address}

    def event_after(self, at_s: float) -> float:
        """The time of the first connection event that can carry a packet which is ready at `at_s`."""
        number = math.floor((at_s - self._anchor_s + PREPARE_S) / self.interval_s) + 1
        return self._anchor_s + number * self.interval_s

    def retime(self, interval_s: float, supervision_s: float) -> None:
        """Use other connection parameters from now on."""
        self._anchor_s = self._loop.time()
        self.interval_s = interval_s
        self.supervision_s = supervision_s

    def mute(self) -> None:
        """Block all packets; the supervision timeout starts."""
        if self.is_open and not self.is_muted:
            self.is_muted = True
            self._supervision = self._loop.call_later(self.supervision_s, self._expire)

    def cut(self) -> None:
        """Block all packets for good."""
        self.is_cut = True
        self.mute()

    def unmute(self) -> None:
        """Send the waiting packets, unless the link is cut."""
        if self.is_open and self.is_muted and not self.is_cut and self._supervision is not None:
            self.is_muted = False
            self._supervision.cancel()
            for direction in self._directions.values():
                direction.arm()

    def close(self) -> None:
        """Drop the waiting packets and end the link. May be called at any time."""
        if self.is_open:
            self.is_open = False
            if self._supervision is not None:
                self._supervision.cancel()
            for direction in self._directions.values():
                direction.close()
            self._on_closed(self)

    def _expire(self) -> None:
        self.close()
        self.central.controller.lose_connection(self.unit.address)
        self.unit.controller.lose_connection(self.central.address)


class LinkDirection:
    """One direction of a connection: a FIFO queue, sent at the connection events."""

    def __init__(self, link: VirtualLink, sender: End, receiver: End) -> None:
        self._link = link
        self._sender = sender
        self._receiver = receiver
        self._packets: deque[tuple[float, bytes]] = deque()
        self._control: deque[ll.ControlPdu] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def waiting(self) -> int:
        """How many attribute packets wait to be sent."""
        return len(self._packets)

    def put(self, data: bytes) -> None:
        """Queue an attribute packet; there is no limit and no waiting, as in BlueZ."""
        conditions = self._link.conditions
        late_s = conditions.delay_s + conditions.jitter_s * self._link.rng.random()
        self._packets.append((self._loop.time() + late_s, data))
        self.arm()

    def put_control(self, packet: ll.ControlPdu) -> None:
        """Queue a link-layer packet; it overtakes all attribute packets."""
        self._control.append(packet)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.arm()

    def arm(self) -> None:
        """Set the timer for the next event with something to send, unless it is set."""
        if self._timer is not None or self._link.is_muted or not self._link.is_open:
            return
        if self._control or self._packets:
            now = self._loop.time()
            ready_s = now if self._control else max(now, self._packets[0][0])
            self._timer = self._loop.call_at(self._link.event_after(ready_s), self._carry)

    def close(self) -> None:
        """Drop all waiting packets."""
        self._packets.clear()
        self._control.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _carry(self) -> None:
        """Send the packets of one connection event."""
        self._timer = None
        if self._link.is_muted:
            return
        conditions = self._link.conditions
        if self._link.rng.random() >= conditions.loss:
            while self._control:
                self._deliver_control(self._control.popleft())
            ready_s = self._loop.time() + PREPARE_S
            for _ in range(conditions.packets_per_event):
                if self._packets and self._packets[0][0] <= ready_s:
                    self._deliver(self._packets.popleft()[1])
        self.arm()

    def _deliver(self, data: bytes) -> None:
        self._sender.controller.receive_sent(self._receiver.address, len(data))
        if self._sender.address in self._receiver.controller.le_connections:
            self._receiver.controller.on_link_acl_data(self._sender.address, PhysicalTransport.LE, data)

    def _deliver_control(self, packet: ll.ControlPdu) -> None:
        if self._sender.address in self._receiver.controller.le_connections:
            self._receiver.controller.on_ll_control_pdu(self._sender.address, packet)
        match packet:
            case ll.TerminateInd():
                self._link.close()
            case ll.ConnectionUpdateInd(interval=interval, timeout=timeout):
                self._link.retime(*times_s(interval, timeout))


def times_s(interval: int, timeout: int) -> tuple[float, float]:
    """Convert connection interval (1.25 ms) and supervision timeout (10 ms) from Bluetooth's units to seconds."""
    return interval * 0.00125, timeout * 0.010
