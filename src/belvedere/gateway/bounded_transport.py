"""A transport that, once closed, is over within a bounded time: a peer that takes nothing cannot keep it open."""

from __future__ import annotations

import asyncio
from typing import Any

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
