"""One connection on the air: a lane each way on a grid of connection events, and what radio does to them."""

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
"""A packet handed over less than this before a connection event goes with the next one: chips prepare an event about
a millisecond ahead, and an event loop may wake that much early."""


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """How well one unit is heard.

    Attributes:
        packets_per_event: how many attribute packets a connection event carries, each way. 1 is the worst that was
            seen (BlueZ 5.82, 60 commands in 2.9 s at an interval of 48.75 ms).
        delay_s: every packet, either way, is on the way this much longer.
        jitter_s: and up to this much more, at random.
        loss: the share of connection events in which nothing gets through, in [0, 1). Nothing is lost for good: the
            link layer sends again.
    """

    packets_per_event: int = 1
    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0

    def __post_init__(self) -> None:
        if self.packets_per_event < 1 or min(self.delay_s, self.jitter_s) < 0 or not 0 <= self.loss < 1:
            raise ValueError("at least one packet an event, no negative time, and a loss in [0, 1)")


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """One side of a connection."""

    controller: VirtualController
    address: hci.Address


class VirtualLink:
    """The connection between a central and one unit.

    Packets each way keep their order and wait for connection events. While muted, nothing passes and everything
    waits; after `supervision_s` of that, both sides are told that the connection is lost. A wire that is cut, because
    one side knows nothing of the connection, stays muted. `on_closed` is called once, when it is over for both.
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
        # Links of one central share its radio, each at a phase of its own.
        self._anchor_s = self._loop.time() + rng.random() * interval_s
        self._directions = {
            id(central.controller): LinkDirection(self, central, unit),
            id(unit.controller): LinkDirection(self, unit, central),
        }
        self._supervision: asyncio.TimerHandle | None = None

    def direction_from(self, sender: object) -> LinkDirection:
        """The lane in which this controller's packets travel."""
        return self._directions[id(sender)]

    def joins(self, one: hci.Address, other: hci.Address) -> bool:
        """Whether this is the connection between these two addresses, in either order."""
        return {one, other} == {self.central.address, self.unit.address}

    def event_after(self, at_s: float) -> float:
        """The time of the first connection event that a packet ready at `at_s` can still go with."""
        number = math.floor((at_s - self._anchor_s + PREPARE_S) / self.interval_s) + 1
        return self._anchor_s + number * self.interval_s

    def retime(self, interval_s: float, supervision_s: float) -> None:
        """Go on with other connection parameters, from now on."""
        self._anchor_s = self._loop.time()
        self.interval_s = interval_s
        self.supervision_s = supervision_s

    def mute(self) -> None:
        """Let nothing pass; the supervision time starts to run."""
        if self.is_open and not self.is_muted:
            self.is_muted = True
            self._supervision = self._loop.call_later(self.supervision_s, self._expire)

    def cut(self) -> None:
        """Let nothing pass any more."""
        self.is_cut = True
        self.mute()

    def unmute(self) -> None:
        """Let pass again whatever waited, unless the wire is cut."""
        if self.is_open and self.is_muted and not self.is_cut and self._supervision is not None:
            self.is_muted = False
            self._supervision.cancel()
            for direction in self._directions.values():
                direction.arm()

    def close(self) -> None:
        """Forget all that is still on the way. May be called at any time."""
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
    """One direction of a connection: first in, first out, at the pace of the connection events."""

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
        """How many attribute packets have not gone over the air."""
        return len(self._packets)

    def put(self, data: bytes) -> None:
        """Send one attribute packet; never refuses and never waits, however many there are."""
        conditions = self._link.conditions
        late_s = conditions.delay_s + conditions.jitter_s * self._link.rng.random()
        self._packets.append((self._loop.time() + late_s, data))
        self.arm()

    def put_control(self, packet: ll.ControlPdu) -> None:
        """Send a packet of the link layer itself: it overtakes all attribute packets."""
        self._control.append(packet)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.arm()

    def arm(self) -> None:
        """Set the timer for the next event that has something to carry, if there is none set."""
        if self._timer is not None or self._link.is_muted or not self._link.is_open:
            return
        if self._control or self._packets:
            now = self._loop.time()
            ready_s = now if self._control else max(now, self._packets[0][0])
            self._timer = self._loop.call_at(self._link.event_after(ready_s), self._carry)

    def close(self) -> None:
        """Drop everything."""
        self._packets.clear()
        self._control.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _carry(self) -> None:
        """One connection event."""
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
    """Connection interval and supervision time in seconds, from the units that Bluetooth counts them in."""
    return interval * 0.00125, timeout * 0.010
