"""What asyncio's transports lack: a close that ends in a bounded time, and how long a request waited in the kernel."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import BaseTransport
    from collections.abc import Mapping


_BEGAN_AT = "request_began_at"  # key in the ASGI scope's state; value in seconds of `time.monotonic`
_LAST_DATA_RECEIVED = 52  # offset of tcpi_last_data_recv in Linux's struct tcp_info, milliseconds
_TCP_INFO_BYTES = 104


def arrival_state(transport: BaseTransport) -> dict[str, Any]:
    """What to add to the ASGI scope's `state` of a request whose first bytes were just read.

    They may have waited in the kernel while the loop was blocked; Linux says for how long.
    """
    return {_BEGAN_AT: time.monotonic() - _waited_s(transport.get_extra_info("socket"))}


def age_s(scope: Mapping[str, Any]) -> float:
    """How long ago the first byte of this request arrived, in seconds; 0 where the server has not recorded it."""
    began_at = scope.get("state", {}).get(_BEGAN_AT)
    return 0.0 if began_at is None else max(0.0, time.monotonic() - began_at)


def _waited_s(reading: socket.socket | None) -> float:
    """How long the newest of the bytes just read had waited in the kernel; 0 where the system does not say."""
    if reading is None or not hasattr(socket, "TCP_INFO"):
        return 0.0
    try:
        info = reading.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        (waited_ms,) = struct.unpack_from("=I", info, _LAST_DATA_RECEIVED)
    except (OSError, struct.error):  # not TCP, a closed socket, or a kernel with a shorter struct
        return 0.0
    return float(waited_ms) / 1000


FLUSH_TIMEOUT_S = 5.0  # for what is still unsent when it is closed


class BoundedTransport:
    """A transport whose `close` does not wait for ever for a peer that reads nothing; otherwise the same."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._flushing: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of the transport
        return getattr(self._transport, name)

    def close(self) -> None:
        """Close as soon as everything is sent, or abort after FLUSH_TIMEOUT_S."""
        self._transport.close()
        if self._flushing is None and self._transport.get_write_buffer_size():
            self._flushing = asyncio.get_running_loop().call_later(FLUSH_TIMEOUT_S, self._transport.abort)

    def receive_lost(self) -> None:
        """The connection is closed; cancels the timeout."""
        if self._flushing is not None:
            self._flushing.cancel()
