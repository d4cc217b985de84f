"""When a request began to arrive: noted where its bytes come in, asked for where it is carried out.

A request may wait in the kernel while the loop is held up, then for its own last byte, and then for its handler. Its
age counts from its first byte, so that none of that makes a wish of long ago look fresh.
"""

from __future__ import annotations

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
