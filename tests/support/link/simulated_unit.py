"""A simulated unit and its radio link, with BlueZ's invisible queue and the faults of real radio.

For tests and benchmarks of `link`. Units below bleak are in `sim`.
"""

from __future__ import annotations

import asyncio
import enum
from collections import deque
from typing import TYPE_CHECKING

import msgspec
from tests.support.link.simulated_connection import Packet, SimulatedConnection

from belvedere.errors import LinkError, LinkReason
from belvedere.link.port import LinkDetails
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_FRAMES = 100_000  # half an hour at 50 a second


class ReceivedFrame(msgspec.Struct, frozen=True):
    """What the unit received: when (the loop's time), over which connection (counted from 1), and whether it obeyed."""

    at_s: float
    frame: bytes
    connection: int
    is_obeyed: bool


class Call(enum.StrEnum):
    """A call of the port."""

    OPEN = "open"
    WRITE = "write"
    KEEP_ALIVE = "keep_alive"
    CLOSE = "close"


class SimulatedRadio:
    """The adapter that the units share: it connects one at a time.

    Attributes:
        interval_s: the connection interval that a new link gets.
        supervision_s: a link is lost after this time without packets.
        packets_per_event: how many packets one connection event carries to the unit.
        connect_s: how long connecting takes, services included.
        close_s: how long closing a link takes.
        search_s: how long a search for a unit that is not there takes.
    """

    def __init__(
        self,
        *,
        interval_s: float = 0.040,
        supervision_s: float = 0.420,
        packets_per_event: int = 1,
        connect_s: float = 0.3,
        close_s: float = 2.0,
        search_s: float = 1.5,
    ) -> None:
        self.interval_s = interval_s
        self.supervision_s = supervision_s
        self.packets_per_event = packets_per_event
        self.connect_s = connect_s
        self.close_s = close_s
        self.search_s = search_s
        self.connecting = asyncio.Lock()
        self._links = 0

    def next_phase_s(self) -> float:
        """The time until a new link's first event; like a controller, it gives each link another phase."""
        self._links += 1
        return self.interval_s * (self._links * 0.381966 % 1)  # golden section: spreads the phases evenly


class SimulatedUnit:
    """A unit and the link to it, as `UnitLink`.

    Attributes:
        frames: every frame that the unit received, oldest first.
        connections: how often it was connected to.
        is_refusing: it answers writes with an error and ignores them.
        is_silent: its firmware hangs: the link stays up, but it ignores every packet.
        is_zombie: the link is dead without `on_lost`: calls fail at once.
        connects_to_fail: the number of connection attempts that fail although the unit is found.
    """

    def __init__(
        self,
        radio: SimulatedRadio,
        name: str = "PONS-PAN-SIM",
        *,
        can_write_without_response: bool = True,
        can_write_with_response: bool = True,
        can_keep_alive: bool = True,
    ) -> None:
        self.frames: deque[ReceivedFrame] = deque(maxlen=KEPT_FRAMES)
        self.connections = 0
        self.is_refusing = False
        self.is_silent = False
        self.is_zombie = False
        self.connects_to_fail = 0
        self._radio = radio
        self._details = LinkDetails(
            name=name,
            address="simulated",
            can_write_without_response=can_write_without_response,
            can_write_with_response=can_write_with_response,
            can_keep_alive=can_keep_alive,
            rssi_dbm=-50,
        )
        self._connection: SimulatedConnection | None = None
        self._closed = 0
        self._is_within_reach = True
        self._can_be_found = asyncio.Event()
        self._can_be_found.set()
        self._hanging: dict[Call, bool] = {}
        self._released = asyncio.Event()

    # the port

    async def open(self, on_lost: Callable[[], None], on_found: Callable[[], None]) -> LinkDetails:
        """Find the unit and connect; fails if `close` was called meanwhile."""
        closed = self._closed
        await self._hang(Call.OPEN)
        try:
            async with timeout(self._radio.search_s):
                await self._can_be_found.wait()
        except TimeoutError as error:
            raise LinkError(LinkReason.NOT_FOUND, "no advertisement") from error
        on_found()
        async with self._radio.connecting:
            await asyncio.sleep(self._radio.connect_s)
        if self.connects_to_fail or closed != self._closed or not self._can_be_found.is_set():
            self.connects_to_fail = max(0, self.connects_to_fail - 1)
            raise LinkError(LinkReason.CONNECT_FAILED, "the unit did not answer")
        self._connect(on_lost)
        return self._details

    async def write(self, frame: bytes, *, response: bool) -> None:
        """Write a frame."""
        connection = self._open_connection()
        await self._hang(Call.WRITE)
        await connection.send(Packet(frame, wants_answer=response))

    async def keep_alive(self) -> bool:
        """Send a request."""
        connection = self._open_connection()
        await self._hang(Call.KEEP_ALIVE)
        if not self._details.can_keep_alive:
            return False
        await connection.send(Packet(b"", wants_answer=True))
        return True

    async def close(self) -> None:
        """Close the link and drop what is queued."""
        self._closed += 1
        connection, self._connection = self._connection, None
        if connection is not None and connection.is_open:
            self._end(connection, after_s=self._radio.close_s)
        await self._hang(Call.CLOSE)
        if connection is not None:
            await asyncio.sleep(self._radio.close_s)

    # faults

    @property
    def is_connected(self) -> bool:
        """Whether there is a link, working or not."""
        return self._connection is not None

    @property
    def waiting(self) -> int:
        """The number of queued packets."""
        return self._connection.waiting if self._connection is not None else 0

    def drop(self) -> None:
        """Make the unit disconnect; it can be found again at once."""
        connection = self._connection
        if connection is not None and connection.is_open:
            self._end(connection, after_s=0)
            self._connection = None
            connection.on_lost()

    def vanish(self) -> None:
        """Take the unit out of reach: it cannot be found, and its link is lost after the supervision time."""
        self._is_within_reach = False
        self._can_be_found.clear()
        if self._connection is not None:
            self._connection.mute(self._radio.supervision_s, self.drop)

    def come_back(self) -> None:
        """Bring the unit back within reach."""
        self._is_within_reach = True
        if self._connection is not None:
            self._connection.unmute()
        self._receive_free()

    def retime(self, interval_s: float) -> None:
        """Change the connection interval, as a unit can request without our knowing."""
        if self._connection is not None:
            self._connection.interval_s = interval_s

    def hang(self, call: Call, *, even_when_cancelled: bool = False) -> None:
        """Make this call hang until `release`."""
        self._hanging[call] = even_when_cancelled
        self._released.clear()

    def release(self) -> None:
        """Let the calls that hang continue."""
        self._hanging.clear()
        self._released.set()

    # internals

    async def _hang(self, call: Call) -> None:
        while call in self._hanging:
            try:
                await self._released.wait()
            except asyncio.CancelledError:
                if not self._hanging.get(call, False):
                    raise

    def _open_connection(self) -> SimulatedConnection:
        if self._connection is None:
            raise LinkError(LinkReason.CLOSED, "not open")
        if self.is_zombie:
            raise LinkError(LinkReason.LOST, "not connected")
        return self._connection

    def _connect(self, on_lost: Callable[[], None]) -> None:
        self.connections += 1
        self.is_zombie = False
        self._can_be_found.clear()
        self._connection = SimulatedConnection(
            first_event_in_s=self._radio.next_phase_s(),
            interval_s=self._radio.interval_s,
            packets_per_event=self._radio.packets_per_event,
            on_packet=self._receive_packet,
            on_lost=on_lost,
        )

    def _receive_packet(self, packet: Packet) -> LinkReason | None:
        """Return how the unit responds to a packet; UNANSWERED for no answer."""
        if self.is_silent:
            return LinkReason.UNANSWERED
        if not packet.frame:
            return None
        now = asyncio.get_running_loop().time()
        self.frames.append(ReceivedFrame(now, packet.frame, self.connections, not self.is_refusing))
        return LinkReason.REFUSED if self.is_refusing else None

    def _end(self, connection: SimulatedConnection, *, after_s: float) -> None:
        connection.close()
        if after_s:
            asyncio.get_running_loop().call_later(after_s, self._receive_free)
        else:
            self._receive_free(connection)

    def _receive_free(self, ended: SimulatedConnection | None = None) -> None:
        """The link has ended: the unit advertises again if it is within reach."""
        if self._is_within_reach and self._connection in (None, ended):
            self._can_be_found.set()
