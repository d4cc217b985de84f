"""Takes packets back that are on their way to a TURN server: a patch of aioice.

aioice sends each packet to a relay in a task of its own, which may also wait for the relay to be ready for the viewer's
address. A task cannot be cancelled, because others wait for what it does; so the packet is dropped where it is sent.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING
from weakref import WeakSet

from aioice import turn

from belvedere.stage.direct.aiortc_patches import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiortc import RTCIceTransport

KIND_BITS, CHANNEL_DATA = 0xC0, 0x40  # of the first byte: a viewer's packet, and no STUN (RFC 8656, section 12)

logger = logging.getLogger(__name__)


class _RelaySender:
    """Sends to a relay, except the packets of tasks that were cut."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self.cut_tasks: WeakSet[asyncio.Task[None]] = WeakSet()

    def __call__(self, data: bytes) -> None:
        is_packet = data[0] & KIND_BITS == CHANNEL_DATA
        if not (is_packet and asyncio.current_task() in self.cut_tasks):
            self._send(data)


def cut_relays(transport: RTCIceTransport) -> None:
    """Drop all packets that were handed to a relay's connection and not sent yet.

    What the connection itself has in its buffer cannot be taken out: such a connection is ended, and so is its viewer.
    """
    for protocol in transport._connection._protocols:
        if isinstance(protocol.transport, turn.TurnTransport):
            _cut(protocol.transport)


def _cut(relay: turn.TurnTransport) -> None:
    client, unsent = vars(relay)["_TurnTransport__inner_protocol"], vars(relay)["_TurnTransport__send_tasks"]
    buffered = getattr(client.transport, "get_write_buffer_size", int)()
    if buffered:
        logger.warning("ended a connection to a TURN server, which had %d bytes to send from before a cut", buffered)
        client.transport.abort()
        return
    if not isinstance(client._send, _RelaySender):
        replace(client, "_send", _RelaySender(client._send))
    client._send.cut_tasks.update(unsent)
