"""Bounds what waits for a TURN server, and takes it back at a cut: patches of aioice.

aioice sends each packet to a relay in a task of its own, which may also wait for the relay to be ready for the viewer's
address. A task cannot be cancelled, because others wait for what it does; so the packet is dropped where it is sent.
Over TCP packets also wait, without a bound, in the connection's buffer and in the kernel's.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import socket
import struct
from typing import TYPE_CHECKING
from weakref import WeakSet

from aioice import turn

from belvedere.stage.direct.aiortc_patches import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiortc import RTCIceTransport

KIND_BITS, CHANNEL_DATA = 0xC0, 0x40  # of the first byte: a viewer's packet, and no STUN (RFC 8656, section 12)
MAX_WAITING = 256  # packets that wait for a channel to the viewer: almost a second at 3 Mbit/s
MAX_BUFFERED_BYTES = 32_768  # of a connection by TCP; more would be late, and the viewer asks again for what is lost
MAX_UNSENT_BYTES = 16_384  # in the kernel
TCP_NOTSENT_LOWAT = 25  # of linux/tcp.h; Python 3.11 has no name for it
SIOCOUTQNSD = 0x894B  # of linux/sockios.h: how many bytes were not sent yet

logger = logging.getLogger(__name__)


class _RelaySender:
    """Sends to a relay, except the packets of tasks that were cut, and what would wait for too long."""

    def __init__(self, send: Callable[[bytes], None], transport: asyncio.BaseTransport) -> None:
        self._send = send
        self._transport = transport
        self.cut_tasks: WeakSet[asyncio.Task[None]] = WeakSet()

    def __call__(self, data: bytes) -> None:
        is_packet = data[0] & KIND_BITS == CHANNEL_DATA
        if is_packet and (asyncio.current_task() in self.cut_tasks or _buffered(self._transport) > MAX_BUFFERED_BYTES):
            return
        self._send(data)


def bound_relay(relay: turn.TurnTransport) -> None:
    """Limit what can wait for a relay that was just opened, and make it ready to be cut."""
    client, waiting = _parts(relay)
    send_to = relay.sendto

    def send(data: bytes, addr: tuple[str, int]) -> None:
        if len(waiting) < MAX_WAITING:
            send_to(data, addr)

    replace(relay, "sendto", send)
    replace(client, "_send", _RelaySender(client._send, client.transport))
    if _is_stream(client):
        client.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, MAX_UNSENT_BYTES)


def cut_relays(transport: RTCIceTransport) -> None:
    """Drop all packets that were handed to a relay's connection and not sent yet.

    What the connection itself has in its buffer cannot be taken out: such a connection is ended, and so is its viewer.
    """
    for protocol in transport._connection._protocols:
        if isinstance(protocol.transport, turn.TurnTransport):
            _cut(protocol.transport)


def _parts(relay: turn.TurnTransport) -> tuple[turn.TurnClientProtocol, set[asyncio.Task[None]]]:
    """The client beneath a relay, and the tasks in which it sends."""
    return vars(relay)["_TurnTransport__inner_protocol"], vars(relay)["_TurnTransport__send_tasks"]


def _cut(relay: turn.TurnTransport) -> None:
    client, unsent = _parts(relay)
    client._send.cut_tasks.update(unsent)  # type: ignore[attr-defined]  # a _RelaySender
    if _is_stream(client) and _holds_packets(client.transport):
        logger.info("ended a connection to a TURN server that still held packets from before a cut")
        reset = struct.pack("ii", 1, 0)  # the kernel forgets what it has not sent
        client.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        client.transport.abort()


def _is_stream(client: turn.TurnClientProtocol) -> bool:
    return isinstance(client, turn.TurnClientTcpProtocol)


def _holds_packets(transport: asyncio.BaseTransport) -> bool:
    """Whether packets wait in a connection, or may: a TLS layer does not tell what is in the transport below it."""
    if transport.get_extra_info("ssl_object") is not None or _buffered(transport):
        return True
    unsent = fcntl.ioctl(transport.get_extra_info("socket").fileno(), SIOCOUTQNSD, bytes(4))
    return int.from_bytes(unsent, "little") > 0


def _buffered(transport: asyncio.BaseTransport) -> int:
    return int(getattr(transport, "get_write_buffer_size", int)())
