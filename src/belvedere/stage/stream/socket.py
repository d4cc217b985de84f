"""The interface to the socket that carries one viewer's frames, so that the stage knows no web framework."""

from __future__ import annotations

from typing import Protocol


class SocketClosedError(Exception):
    """The viewer has closed the socket, or can no longer be reached."""


class FrameSocket(Protocol):
    """An accepted WebSocket. `receive` and `writable` may be waited for at the same time, each by one task only."""

    async def receive(self) -> bytes | None:
        """The next message; None for text, which is invalid. Raises SocketClosedError."""
        ...

    async def writable(self) -> None:
        """Wait until what was sent has left our own buffers, but for less than a frame."""
        ...

    def send(self, message: bytes | str) -> None:
        """Send a binary message, or text, without waiting. Raises SocketClosedError."""
        ...

    def discard(self) -> None:
        """Take back what `send` was given, except what the kernel has already. Never raises.

        A message that is sent in part cannot be taken back: the connection is aborted then.
        """
        ...
