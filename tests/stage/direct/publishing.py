"""A publisher made with aiortc, over loopback: sends what a test says, or a moving grey."""

from __future__ import annotations

import asyncio
import fractions
from typing import TYPE_CHECKING

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription, VideoStreamTrack
from av import VideoFrame

if TYPE_CHECKING:
    from aiortc import RTCDtlsTransport

SIZE = (320, 192)


class Grey(VideoStreamTrack):
    """Grey pictures, each of another brightness."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0

    async def recv(self) -> VideoFrame:
        """The next picture, when it is due."""
        pts, time_base = await self.next_timestamp()
        picture = VideoFrame(*SIZE, "yuv420p")
        self._number += 1
        for plane in picture.planes:
            plane.update(bytes([20 + 3 * self._number % 200]) * plane.buffer_size)
        picture.pts, picture.time_base = pts, fractions.Fraction(time_base)
        return picture


class Silence(VideoStreamTrack):
    """No picture ever."""

    async def recv(self) -> VideoFrame:
        """Wait for the end."""
        await asyncio.Event().wait()
        raise AssertionError


class Publisher:
    """One connection that sends H.264: a track of its own, or packets that a test sends by `transport`."""

    def __init__(self, track: VideoStreamTrack | None = None) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.connection.addTrack(track or Grey())
        self._is_connected = asyncio.Event()
        self.connection.on("connectionstatechange", self._receive_state)

    async def offer(self) -> str:
        """An offer to send."""
        (video,) = self.connection.getTransceivers()
        video.direction = "sendonly"
        known = RTCRtpSender.getCapabilities("video")
        assert known is not None
        video.setCodecPreferences([codec for codec in known.codecs if codec.mimeType in {"video/H264", "video/rtx"}])
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def accept(self, sdp: str) -> None:
        """Take the answer, and wait until it is connected."""
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        async with asyncio.timeout(10):
            await self._is_connected.wait()

    @property
    def payload_type(self) -> int:
        """The payload type of the packets."""
        return int(self.connection.remoteDescription.sdp.partition("m=video ")[2].split()[2])

    @property
    def transport(self) -> RTCDtlsTransport:
        """What carries the packets."""
        return self.connection.getTransceivers()[0].sender.transport

    def _receive_state(self) -> None:
        if self.connection.connectionState == "connected":
            self._is_connected.set()
