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


_BEGAN_AT = "request_began_at"  # in the ASGI scope's state; seconds of `time.monotonic`
_LAST_DATA_RECEIVED = 52  # offset of tcpi_last_data_recv in Linux's struct tcp_info, milliseconds
_TCP_INFO_BYTES = 104


def begins_now(transport: BaseTransport) -> dict[str, Any]:
    """What to put into the ASGI scope's `state` when the first bytes of a request were just read."""
    return {_BEGAN_AT: time.monotonic() - _waited_s(transport.get_extra_info("socket"))}


def age_s(scope: Mapping[str, Any]) -> float:
    """How long ago the first byte of this request came, in seconds; 0 where no server has noted it."""
    began_at = scope.get("state", {}).get(_BEGAN_AT)
    return 0.0 if began_at is None else max(0.0, time.monotonic() - began_at)


def _waited_s(reading: socket.socket | None) -> float:
    """How long the newest of what was just read had waited in the kernel; 0 where the system does not tell."""
    if reading is None or not hasattr(socket, "TCP_INFO"):
        return 0.0
    try:
        info = reading.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        (waited_ms,) = struct.unpack_from("=I", info, _LAST_DATA_RECEIVED)
    except (OSError, struct.error):  # not TCP, a socket that is gone, or a kernel that tells less
        return 0.0
    return float(waited_ms) / 1000


FLUSH_TIMEOUT_S = 5.0  # for what is still unsent at the close


class BoundedTransport:
    """Everything that the transport can do, with a `close` that does not wait for its peer without end."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._flushing: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has
        return getattr(self._transport, name)

    def close(self) -> None:
        """Close as soon as everything is sent, and after FLUSH_WITHIN_S in any case."""
        self._transport.close()
        if self._flushing is None and self._transport.get_write_buffer_size():
            self._flushing = asyncio.get_running_loop().call_later(FLUSH_TIMEOUT_S, self._transport.abort)

    def receive_lost(self) -> None:
        """The connection is over."""
        if self._flushing is not None:
            self._flushing.cancel()
