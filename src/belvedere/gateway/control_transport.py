"""What the runner of a control session needs of whatever carries its messages: a WebSocket, or a data channel."""

from __future__ import annotations

from typing import Protocol


class TransportClosedError(Exception):
    """The peer has closed the transport, or can no longer be reached."""


class ControlTransport(Protocol):
    """Carries text messages in both directions, in order, and bounds how much it buffers.

    `receive` and `send` are called at the same time, each by one task only. Both may be cancelled at any `await`; after
    that the last messages are sent and `close` is called, unless the peer is gone.
    """

    async def receive(self) -> str | None:
        """The next message; None for one that is not text, which is invalid. Raises TransportClosedError.

        The transport bounds the length of a message; the session refuses those above MAX_MESSAGE_BYTES.
        """
        ...

    def set_urgent(self, *, is_urgent: bool) -> None:
        """Whether what this peer sends is received before what waits of others: it drives."""
        ...

    async def send(self, text: str) -> None:
        """Send a message; raises TransportClosedError.

        Back-pressure: while the peer takes less than is sent, this waits, and must not buffer more than some dozens of
        messages. The runner meanwhile keeps the newest message of each kind, and gives up a peer for which one `send`
        takes longer than SEND_TIMEOUT_S.
        """
        ...

    async def close(self, code: int, reason: str) -> None:
        """Close with a close code and a reason of at most 123 bytes; raises TransportClosedError.

        It may wait for the peer; the runner bounds that, and does not use the transport afterwards.
        """
        ...
