"""Limits the work that packets to a viewer's ICE sockets can cause, from anyone: patches of aioice.

aioice reads everything that arrives, into an unbounded queue; passes packets of unknown senders on to DTLS; stores
every address that a check came from; and some packets end in a traceback. Here a viewer's sockets are read at a limited
rate (the kernel drops the rest), and only the kinds of packets that a viewer needs to send are accepted.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aioice import ice, stun
from aioice.candidate import Candidate, candidate_foundation, candidate_priority

from belvedere.stage.direct.aiortc_patches import replace
from belvedere.stage.direct.viewer_servers import give_back, server_candidates
from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine, Iterator

    from _typeshed import ReadableBuffer
    from aiortc import RTCIceTransport

    from belvedere.stage.direct.viewer_network import ViewerNetwork

Address = tuple[str, int]

MAX_DATAGRAM_BYTES = 1500  # the MTU of Ethernet; WebRTC stays below 1300
MAX_RTCP_BYTES = 600  # room for a NACK with 140 ranges of packets
MAX_DTLS_BYTES = 24_576  # over a connection's life; a handshake takes 2,000, and lost flights are repeated
READS_PER_S = 300.0  # for all sockets of a viewer; one who loses packets and changes networks sends 100
READ_BURST = 300.0
READS_PER_TURN = 4  # then other tasks run
RESUME_READS = 16.0  # a paused socket waits for this many reads, so that it does not wake for each one
MAX_QUEUED = 64
MAX_REMOTE_CANDIDATES = 32  # those of the offer, and as many learned from checks
MAX_ROLE_CONFLICTS = 3  # a real conflict is resolved by the first answer

logger = logging.getLogger(__name__)


class ViewerLimits:
    """The limits of one viewer, over all its sockets, and how much of them is used up."""

    def __init__(self, connection: ice.Connection) -> None:
        self.reads = TokenBucket(READS_PER_S, READ_BURST)
        self._connection = connection
        self._dtls_bytes = 0
        self._conflicts = 0

    def accepts(self, data: bytes, address: Address) -> bool:
        """Whether to process a datagram: STUN from anyone, or DTLS or RTCP from an address that sent checks."""
        if not 0 < len(data) <= MAX_DATAGRAM_BYTES:
            return False
        first = data[0]  # its value tells STUN, DTLS and SRTP apart (RFC 7983, section 7)
        if first <= 3:  # noqa: PLR2004 (as the RFC has it)
            return True
        if 20 <= first <= 63:  # noqa: PLR2004 (as the RFC has it)
            self._dtls_bytes += len(data)
            return self._dtls_bytes <= MAX_DTLS_BYTES and self._knows(address)
        return 128 <= first <= 191 and self._is_rtcp(data) and self._knows(address)  # noqa: PLR2004 (as the RFC has it)

    def accepts_check_from(self, address: Address) -> bool:
        """Whether a check from there may make us check that address: only for a bounded number of addresses."""
        return self._knows(address) or len(self._connection._remote_candidates) < MAX_REMOTE_CANDIDATES

    def receive_role_conflict(self) -> bool:
        """Count a conflict; returns whether to try again."""
        self._conflicts += 1
        return self._conflicts <= MAX_ROLE_CONFLICTS

    def _is_rtcp(self, data: bytes) -> bool:
        return len(data) <= MAX_RTCP_BYTES and data[1:2] >= b"\xc0" and data[1:2] <= b"\xdf"  # RFC 5761, section 4

    def _knows(self, address: Address) -> bool:
        return any((found._network_host, found.port) == address for found in self._connection._remote_candidates)


class ViewerProtocol(ice.StunProtocol):
    """Receives datagrams from a socket or a relay, and passes on those that the limits accept."""

    def __init__(self, connection: ice.Connection, limits: ViewerLimits) -> None:
        super().__init__(connection)
        self._limits = limits

    def datagram_received(self, data: bytes | str, addr: tuple[object, ...]) -> None:
        """Process a datagram. Never raises, whatever its content."""
        address = (str(addr[0]), int(str(addr[1])))
        if isinstance(data, str) or not self._limits.accepts(data, address):
            return
        try:
            super().datagram_received(data, address)
        except Exception as error:  # noqa: BLE001 (aioice's parser may raise anything)
            logger.debug("ignored a datagram of %d bytes: %r", len(data), error)

    async def request(
        self,
        request: stun.Message,
        addr: Address,
        integrity_key: bytes | None = None,
        retransmissions: int | None = None,
    ) -> tuple[stun.Message, Address]:
        """As in aioice, which however answers role conflicts by unbounded recursion: here they end as a timeout."""
        try:
            return await super().request(request, addr, integrity_key, retransmissions)
        except stun.TransactionFailed as error:
            if error.response.error_code == 487 and not self._limits.receive_role_conflict():  # noqa: PLR2004 (RFC 8445)
                raise stun.TransactionTimeout from error
            raise


class ViewerSocket(asyncio.DatagramTransport):
    """A UDP socket that is read at its viewer's rate; a datagram that cannot be sent at once is dropped."""

    def __init__(self, bound: socket.socket, protocol: ViewerProtocol, reads: TokenBucket) -> None:
        super().__init__()
        self._socket = bound
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._reads = reads
        self._resumption: asyncio.TimerHandle | None = None
        self._is_closing = False
        protocol.connection_made(self)
        self._loop.add_reader(self._socket.fileno(), self._read)

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return the local address for `sockname`, else `default`."""
        return self._socket.getsockname() if name == "sockname" else default

    def sendto(self, data: ReadableBuffer, addr: tuple[object, ...] | ReadableBuffer | str | None = None) -> None:
        """Send a datagram, or drop it."""
        try:
            self._socket.sendto(data, addr or ())
        except OSError as error:
            self._protocol.error_received(error)

    def is_closing(self) -> bool:
        """Whether `close` was called."""
        return self._is_closing

    def close(self) -> None:
        """Stop reading, and close the socket in the loop's next iteration."""
        if self._is_closing:
            return
        self._is_closing = True
        if self._resumption is not None:
            self._resumption.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._loop.call_soon(self._finish)

    def abort(self) -> None:
        """Close; there is nothing buffered that could be lost."""
        self.close()

    def _finish(self) -> None:
        self._socket.close()
        self._protocol.connection_lost(None)

    def _read(self) -> None:
        for _ in range(READS_PER_TURN):
            if self._reads.wait_s(self._loop.time()) > 0:
                self._pause()
                return
            try:
                data, address = self._socket.recvfrom(MAX_DATAGRAM_BYTES + 1)
            except OSError:  # nothing left to read, or an ICMP error about a packet that we sent
                return
            self._reads.take(self._loop.time())
            self._protocol.datagram_received(data, address)
            if self._is_closing:
                return

    def _pause(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        wait_s = self._reads.wait_s(self._loop.time(), RESUME_READS)
        self._resumption = self._loop.call_later(wait_s, self._resume)

    def _resume(self) -> None:
        self._resumption = None
        self._loop.add_reader(self._socket.fileno(), self._read)


class RelayProtocol(ViewerProtocol):
    """Receives datagrams by way of a relay, at the viewer's rate."""

    def datagram_received(self, data: bytes | str, addr: tuple[object, ...]) -> None:
        """Process a datagram if the viewer's rate allows it. Never raises, whatever its content."""
        now = asyncio.get_running_loop().time()
        if self._limits.reads.wait_s(now) <= 0:
            self._limits.reads.take(now)
            super().datagram_received(data, addr)


def bound_ice(
    transport: RTCIceTransport,
    network: ViewerNetwork,
    make_limits: Callable[[ice.Connection], ViewerLimits] = ViewerLimits,
) -> None:
    """Patch a transport that has not gathered candidates yet, so that one viewer's limits apply to it."""
    connection = transport._connection
    limits = make_limits(connection)
    check_incoming = connection.check_incoming

    def check(message: stun.Message, addr: Address, protocol: ice.StunProtocol) -> None:
        if limits.accepts_check_from(addr):
            check_incoming(message, addr, protocol)

    def queue(data: bytes, component: int) -> None:
        if data[0] > 3 and connection._queue.qsize() < MAX_QUEUED:  # noqa: PLR2004 (STUN was handled before)
            connection._queue.put_nowait((data, component))

    def gather(*, component: int, addresses: list[str], timeout: int = 5) -> Coroutine[None, None, list[Candidate]]:  # noqa: ARG001 (aioice's signature; servers have a shorter timeout)
        return _gather(connection, limits, network, component, addresses)

    for name, value in {"check_incoming": check, "data_received": queue, "get_component_candidates": gather}.items():
        replace(connection, name, value)


async def _gather(
    connection: ice.Connection, limits: ViewerLimits, network: ViewerNetwork, component: int, addresses: list[str]
) -> list[Candidate]:
    """Replaces `Connection.get_component_candidates`, with our own sockets. Raises StageError if no port is free."""
    bound = network.ports.open(addresses)
    protocols = [_protocol(connection, limits, component, each) for each in bound]
    connection._protocols += protocols
    announced = list(_announced(protocols, await network.announced_now()))
    candidates = [protocol.local_candidate for protocol in protocols] + announced
    for candidate, relay in await server_candidates(
        network, protocols, component, lambda: RelayProtocol(connection, limits)
    ):
        if connection._closing:  # meanwhile, and `close` is not called again
            give_back(candidate, relay)
            continue
        candidates.append(candidate)
        connection._protocols += [] if relay is None else [relay]
    return candidates


def _protocol(connection: ice.Connection, limits: ViewerLimits, component: int, bound: socket.socket) -> ViewerProtocol:
    protocol = ViewerProtocol(connection, limits)
    ViewerSocket(bound, protocol, limits.reads)
    host, port = bound.getsockname()[:2]
    protocol.local_candidate = Candidate(
        foundation=candidate_foundation("host", "udp", host),
        component=component,
        transport="udp",
        priority=candidate_priority(component, "host"),
        host=host,
        port=port,
        type="host",
    )
    return protocol


def _announced(protocols: list[ViewerProtocol], addresses: list[str]) -> Iterator[Candidate]:
    """Each address with each port behind it, as candidates of a translating router (RFC 8445, section 5.1.1.2)."""
    known: set[Address] = set()
    for address in addresses:
        for base in (protocol.local_candidate for protocol in protocols):
            if (":" in address) == (":" in base.host) and (address, base.port) not in known:
                known.add((address, base.port))
                yield Candidate(
                    foundation=candidate_foundation("srflx", "udp", base.host),
                    component=base.component,
                    transport="udp",
                    priority=candidate_priority(base.component, "srflx"),
                    host=address,
                    port=base.port,
                    type="srflx",
                    related_address=base.host,
                    related_port=base.port,
                )
