"""A transport in memory: a protocol on one end, a test that plays the network and the peer on the other."""

from __future__ import annotations

import asyncio


class MemoryTransport(asyncio.Transport):
    """What a protocol writes arrives at once, unless `takes_nothing`; what the test sends arrives by `feed`.

    Attributes:
        sent: every byte that reached the peer.
        takes_nothing: the peer's window is full.
        is_aborted, is_ended: whether the connection was cut off, and whether our half was closed in order.
        is_paused: whether the protocol wants to receive nothing.
    """

    def __init__(self, peer: tuple[str, int] = ("192.0.2.1", 50_000)) -> None:
        super().__init__({"peername": peer, "sockname": ("192.0.2.99", 8080)})
        self.sent = b""
        self.takes_nothing = False
        self.is_aborted = self.is_ended = self.is_paused = False
        self._unsent = b""
        self._high = 64 * 1024
        self._is_full = self._is_closing = self._is_lost = False
        self._protocol: asyncio.BaseProtocol | None = None

    @property
    def is_over(self) -> bool:
        """Whether the connection exists no more."""
        return self._is_lost

    def connect(self, protocol: asyncio.Protocol) -> None:
        """Begin the connection."""
        self._protocol = protocol
        protocol.connection_made(self)

    def feed(self, data: bytes) -> None:
        """The peer sends; nothing arrives on a connection that is over."""
        if not self._is_lost and isinstance(self._protocol, asyncio.Protocol):
            self._protocol.data_received(data)

    def hang_up(self) -> None:
        """The peer closes its half."""
        if not self._is_lost and isinstance(self._protocol, asyncio.Protocol):
            self._protocol.eof_received()
            self.close()

    def take_all(self) -> None:
        """The peer reads again."""
        self.takes_nothing = False
        self.write(b"")

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol of now."""
        assert self._protocol is not None
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Another one from now on."""
        self._protocol = protocol

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._is_closing

    def pause_reading(self) -> None:
        """Receive nothing; a test that still feeds data simulates a kernel that had read it before."""
        self.is_paused = True

    def resume_reading(self) -> None:
        """Receive again."""
        self.is_paused = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """When the protocol must pause; the low-water mark is 0, as in asyncio for our high one."""
        del low
        self._high = 64 * 1024 if high is None else high

    def get_write_buffer_size(self) -> int:
        """How much waits."""
        return len(self._unsent)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, or keep what cannot be sent."""
        self._unsent += bytes(data)
        if not self.takes_nothing:
            self.sent, self._unsent = self.sent + self._unsent, b""
        if len(self._unsent) > self._high and not self._is_full:
            self._is_full = True
            self.get_protocol().pause_writing()
        elif not self._unsent and self._is_full:
            self._is_full = False
            self.get_protocol().resume_writing()
        if self._is_closing and not self._unsent:
            self._lose()

    def write_eof(self) -> None:
        """Close our half."""
        self.is_ended = True

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    def close(self) -> None:
        """Close as soon as all is sent."""
        self._is_closing = True
        if not self._unsent:
            self._lose()

    def abort(self) -> None:
        """Cut off."""
        self.is_aborted = self._is_closing = True
        self._lose()

    def _lose(self) -> None:
        if not self._is_lost:
            self._is_lost = True
            asyncio.get_running_loop().call_soon(self.get_protocol().connection_lost, None)
