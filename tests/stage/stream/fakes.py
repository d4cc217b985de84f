"""A socket that the test reads and writes, and frames to send over it."""

from __future__ import annotations

import asyncio
import struct

from belvedere.stage.frames import EncodedFrame, rtp_ticks
from belvedere.stage.stream.messages import ACKNOWLEDGEMENT
from belvedere.stage.stream.socket import SocketClosedError

SPS = bytes.fromhex("000000016742c01fda014016e840000003004000000f23c60ca8")  # of x264, as the next
SMALL_SPS = bytes.fromhex("000000016742c01eda0280bfe584000003000400000300f23c58ba80")
SLICE = bytes.fromhex("0000000141" + "9a00")


def frame_at(captured_s: float, *, is_idr: bool = False) -> EncodedFrame:
    """A frame that was captured then."""
    return EncodedFrame(SPS if is_idr else SLICE, captured_s, rtp_ticks(captured_s), is_idr)


def acknowledgement(ticks: int) -> bytes:
    """As a page sends it."""
    return struct.pack(">BQ", ACKNOWLEDGEMENT, ticks)


class FakeFrameSocket:
    """What was sent, and a peer that may stop reading.

    Attributes:
        sent: the messages that have left.
        discards: how often what was unsent was discarded.
    """

    def __init__(self) -> None:
        self.sent: list[bytes | str] = []
        self.discards = 0
        self._to_server: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._is_writable = asyncio.Event()
        self._is_writable.set()
        self._is_gone = False

    def say(self, message: bytes | None) -> None:
        """The peer sends a message; None for text."""
        self._to_server.put_nowait(message)

    def leave(self) -> None:
        """The peer closes the socket."""
        self._is_gone = True
        self._to_server.put_nowait(b"")

    def stop_reading(self) -> None:
        """The connection takes nothing from now on."""
        self._is_writable.clear()

    def read_again(self) -> None:
        """The connection takes what is sent."""
        self._is_writable.set()

    def ticks(self) -> list[int]:
        """The capture times of the frames that were sent."""
        return [struct.unpack_from(">Q", message, 4)[0] for message in self.sent if isinstance(message, bytes)]

    async def receive(self) -> bytes | None:
        message = await self._to_server.get()
        if self._is_gone:
            raise SocketClosedError
        return message

    async def writable(self) -> None:
        await self._is_writable.wait()

    def send(self, message: bytes | str) -> None:
        if self._is_gone:
            raise SocketClosedError
        self.sent.append(message)

    def discard(self) -> None:
        self.discards += 1
