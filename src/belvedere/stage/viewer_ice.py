"""ICE for one viewer with bounded work, whatever arrives at its sockets and from whom: our changes to aioice.

aioice reads as much as comes, keeps it in a queue without end, hands packets of strangers on to DTLS, remembers every
address that a check came from, and lets an unusual packet end in a traceback. Here a viewer's sockets are read at a
bounded rate (what is more is lost in the kernel), and only what a viewer who watches can have to say passes.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING

from aioice import ice, stun
from aioice.candidate import Candidate, candidate_foundation, candidate_priority

from belvedere.stage.aiortc_patches import replace
from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from _typeshed import ReadableBuffer
    from aiortc import RTCIceTransport

Address = tuple[str, int]

MAX_DATAGRAM_BYTES = 1500  # what an Ethernet carries; WebRTC stays below 1300
MAX_RTCP_BYTES = 600  # a report of loss that names 140 runs of packets, where hundreds are remembered
MAX_DTLS_BYTES = 24_576  # in a connection's life; a handshake takes 2,000, and a lost flight is repeated a few times
READS_PER_S = 300.0  # all sockets of a viewer together; one who loses packets and changes networks sends 100
READ_BURST = 300.0
READS_A_TURN = 4  # then the event loop looks after others
RESUME_READS = 16.0  # a socket that is paused wakes no more often than this
MAX_QUEUED = 64
MAX_REMOTE_CANDIDATES = 32  # those of the offer, and as many that were learned from checks
MAX_ROLE_CONFLICTS = 3  # an honest one is settled by the first answer

logger = logging.getLogger(__name__)


class ViewerLimits:
    """What one viewer has used up, over all its sockets."""

    def __init__(self, connection: ice.Connection) -> None:
        self.reads = TokenBucket(READS_PER_S, READ_BURST)
        self._connection = connection
        self._dtls_bytes = 0
        self._conflicts = 0

    def admits(self, data: bytes, address: Address) -> bool:
        """Whether a datagram is worth a look: a check of anybody's, or DTLS or RTCP from where checks came."""
        if not 0 < len(data) <= MAX_DATAGRAM_BYTES:
            return False
        first = data[0]  # RFC 7983, section 7
        if first <= 3:  # noqa: PLR2004 (as the RFC has it)
            return True
        if 20 <= first <= 63:  # noqa: PLR2004 (as the RFC has it)
            self._dtls_bytes += len(data)
            return self._dtls_bytes <= MAX_DTLS_BYTES and self._knows(address)
        return 128 <= first <= 191 and self._is_rtcp(data) and self._knows(address)  # noqa: PLR2004 (as the RFC has it)

    def accepts_check_from(self, address: Address) -> bool:
        """Whether a check from there may lead to one of ours."""
        return self._knows(address) or len(self._connection._remote_candidates) < MAX_REMOTE_CANDIDATES

    def receive_role_conflict(self) -> bool:
        """Returns whether it is worth another try."""
        self._conflicts += 1
        return self._conflicts <= MAX_ROLE_CONFLICTS

    def _is_rtcp(self, data: bytes) -> bool:
        return len(data) <= MAX_RTCP_BYTES and data[1:2] >= b"\xc0" and data[1:2] <= b"\xdf"  # RFC 5761, section 4

    def _knows(self, address: Address) -> bool:
        return any((found._network_host, found.port) == address for found in self._connection._remote_candidates)


class ViewerProtocol(ice.StunProtocol):
    """Takes what a socket or a relay receives, and passes on what is admitted."""

    def __init__(self, connection: ice.Connection, limits: ViewerLimits) -> None:
        super().__init__(connection)
        self._limits = limits

    def datagram_received(self, data: bytes | str, addr: tuple[object, ...]) -> None:
        """A datagram came; never raises, whatever is in it."""
        address = (str(addr[0]), int(str(addr[1])))
        if isinstance(data, str) or not self._limits.admits(data, address):
            return
        try:
            super().datagram_received(data, address)
        except Exception as error:  # noqa: BLE001 (its parser fails in whatever way Python does)
            logger.debug("a datagram of %d bytes was ignored: %r", len(data), error)

    async def request(
        self,
        request: stun.Message,
        addr: Address,
        integrity_key: bytes | None = None,
        retransmissions: int | None = None,
    ) -> tuple[stun.Message, Address]:
        """As aioice has it, but for an end of role conflicts: it would try again, deeper and deeper, without end."""
        try:
            return await super().request(request, addr, integrity_key, retransmissions)
        except stun.TransactionFailed as error:
            if error.response.error_code == 487 and not self._limits.receive_role_conflict():  # noqa: PLR2004 (RFC 8445)
                raise stun.TransactionTimeout from error
            raise


class ViewerSocket(asyncio.DatagramTransport):
    """A UDP socket that is read at its viewer's rate; what cannot be sent at once is lost, as on the way."""

    def __init__(self, address: str, protocol: ViewerProtocol, reads: TokenBucket) -> None:
        super().__init__()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.bind((address, 0))
        except OSError:
            self._socket.close()
            raise
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._reads = reads
        self._resumption: asyncio.TimerHandle | None = None
        self._is_closing = False
        protocol.connection_made(self)
        self._loop.add_reader(self._socket.fileno(), self._read)

    def get_extra_info(self, name: str, default: object = None) -> object:
        """`sockname`: the address."""
        return self._socket.getsockname() if name == "sockname" else default

    def sendto(self, data: ReadableBuffer, addr: tuple[object, ...] | ReadableBuffer | str | None = None) -> None:
        """Send, or lose."""
        try:
            self._socket.sendto(data, addr or ())
        except OSError as error:
            self._protocol.error_received(error)

    def is_closing(self) -> bool:
        """Whether `close` was called."""
        return self._is_closing

    def close(self) -> None:
        """Let go of the socket."""
        if self._is_closing:
            return
        self._is_closing = True
        if self._resumption is not None:
            self._resumption.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._loop.call_soon(self._finish)

    def abort(self) -> None:
        """The same: nothing waits to be sent."""
        self.close()

    def _finish(self) -> None:
        self._socket.close()
        self._protocol.connection_lost(None)

    def _read(self) -> None:
        for _ in range(READS_A_TURN):
            if self._reads.wait_s(self._loop.time()) > 0:
                self._pause()
                return
            try:
                data, address = self._socket.recvfrom(MAX_DATAGRAM_BYTES + 1)
            except OSError:  # nothing is left, or a packet of ours did not arrive
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


def bound_ice(transport: RTCIceTransport) -> None:
    """Let a transport, before it gathers its candidates, keep to the limits of one viewer."""
    connection = transport._connection
    limits = ViewerLimits(connection)
    check_incoming = connection.check_incoming

    def check(message: stun.Message, addr: Address, protocol: ice.StunProtocol) -> None:
        if limits.accepts_check_from(addr):
            check_incoming(message, addr, protocol)

    def queue(data: bytes, component: int) -> None:
        if data[0] > 3 and connection._queue.qsize() < MAX_QUEUED:  # noqa: PLR2004 (no STUN after all, but looks so)
            connection._queue.put_nowait((data, component))

    def gather(*, component: int, addresses: list[str], timeout: int = 5) -> Coroutine[None, None, list[Candidate]]:
        return _gather(connection, limits, component, addresses, timeout)

    for name, value in {"check_incoming": check, "data_received": queue, "get_component_candidates": gather}.items():
        replace(connection, name, value)


async def _gather(
    connection: ice.Connection, limits: ViewerLimits, component: int, addresses: list[str], timeout_s: float
) -> list[Candidate]:
    """What `Connection.get_component_candidates` does, with sockets of ours."""
    protocols = [found for address in addresses if (found := _open(connection, limits, component, address))]
    connection._protocols += protocols
    candidates = [protocol.local_candidate for protocol in protocols]
    asking = [asyncio.ensure_future(way) for way in _ask_servers(connection, limits, component, protocols)]
    if asking:
        done, pending = await asyncio.wait(asking, timeout=timeout_s)
        for task in pending:
            task.cancel()
        for candidate, relay in (task.result() for task in done if task.exception() is None):
            candidates.append(candidate)
            connection._protocols += [] if relay is None else [relay]
    return candidates


def _open(connection: ice.Connection, limits: ViewerLimits, component: int, address: str) -> ViewerProtocol | None:
    protocol = ViewerProtocol(connection, limits)
    try:
        transport = ViewerSocket(address, protocol, limits.reads)
    except OSError as error:
        logger.debug("no picture from %s: %s", address, error)
        return None
    sockname = transport._socket.getsockname()
    protocol.local_candidate = Candidate(
        foundation=candidate_foundation("host", "udp", sockname[0]),
        component=component,
        transport="udp",
        priority=candidate_priority(component, "host"),
        host=sockname[0],
        port=sockname[1],
        type="host",
    )
    return protocol


def _ask_servers(
    connection: ice.Connection, limits: ViewerLimits, component: int, protocols: list[ViewerProtocol]
) -> list[Coroutine[None, None, tuple[Candidate, ice.StunProtocol | None]]]:
    asking: list[Coroutine[None, None, tuple[Candidate, ice.StunProtocol | None]]] = []
    if connection.stun_server is not None:
        ipv4 = [protocol for protocol in protocols if ":" not in protocol.local_candidate.host]
        asking += [ice.server_reflexive_candidate(protocol, connection.stun_server) for protocol in ipv4]
    if connection.turn_server is not None:
        relay = ice.relayed_candidate(
            component=component,
            hide_related_address=False,
            protocol_factory=lambda: ViewerProtocol(connection, limits),
            turn_server=connection.turn_server,
            turn_username=connection.turn_username,
            turn_password=connection.turn_password,
            turn_ssl=connection.turn_ssl,
            turn_transport=connection.turn_transport,
        )
        asking.append(relay)
    return asking
