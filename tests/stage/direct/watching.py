"""A stage with a viewer made of aiortc, over loopback."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Self

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, rtp
from av import VideoFrame

from belvedere.stage.direct.webrtc_way import WebRtc
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.pattern import PatternSource
from belvedere.stage.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiortc import MediaStreamTrack
    from aiortc.rtcdtlstransport import RTCDtlsTransport

    from belvedere.stage.direct.answer import Answer

SMALL = StageOptions(width=320, height=192, fps=30, bitrate_kbps=800)
IDR_UNIT, AGGREGATE, FRAGMENT = 5, 24, 28


class Browser:
    """A viewer made with aiortc, who stores the received packets."""

    def __init__(self, loses: Callable[[bytes], bool] = lambda _data: False) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._loses = loses
        self.packets: list[tuple[float, rtp.RtpPacket, dict[int, bytes]]] = []
        self.track: MediaStreamTrack | None = None
        self.connection.on("track", self._receive_track)

    async def offer(self, *kinds: str) -> str:
        for kind in kinds or ("video",):
            self.connection.addTransceiver(kind, direction="recvonly")
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def accept(self, sdp: str) -> None:
        transport = self.transport
        handle = transport._handle_rtp_data

        async def keep(data: bytes, arrival_time_ms: int) -> None:
            if self._loses(data):
                return
            profile, length = int.from_bytes(data[12:14], "big"), int.from_bytes(data[14:16], "big") * 4
            found = dict(rtp.unpack_header_extensions(profile, data[16 : 16 + length]))
            self.packets.append((time.monotonic(), rtp.RtpPacket.parse(data), found))
            await handle(data, arrival_time_ms=arrival_time_ms)

        transport._handle_rtp_data = keep  # type: ignore[method-assign]  # the only way to see raw packets
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def picture(self) -> tuple[int, int]:
        """The size of the next picture."""
        assert self.track is not None
        async with asyncio.timeout(10):
            frame = await self.track.recv()
        assert isinstance(frame, VideoFrame)
        return frame.width, frame.height

    @property
    def transport(self) -> RTCDtlsTransport:
        return self.connection.getTransceivers()[0].receiver.transport

    @property
    def ssrc(self) -> int:
        """The SSRC of the video."""
        return self.packets[0][1].ssrc

    async def say(self, *packets: rtp.AnyRtcpPacket) -> None:
        """Send RTCP."""
        await self.transport._send_rtp(b"".join(map(bytes, packets)))

    async def more_packets(self, count: int) -> None:
        """Wait for this many packets."""
        wanted = len(self.packets) + count
        await until(lambda: len(self.packets) >= wanted)

    def idrs(self) -> int:
        """How many IDR pictures have begun so far."""
        return sum(_begins_idr(packet.payload) for _, packet, _ in self.packets)

    def _receive_track(self, track: MediaStreamTrack) -> None:
        self.track = track


def _begins_idr(payload: bytes) -> bool:
    kind = payload[0] & 0x1F
    if kind == FRAGMENT:
        return bool(payload[1] & 0x80) and payload[1] & 0x1F == IDR_UNIT
    if kind == AGGREGATE:
        position, kinds = 1, []
        while position < len(payload):
            kinds.append(payload[position + 2] & 0x1F)
            position += 2 + int.from_bytes(payload[position : position + 2], "big")
        return IDR_UNIT in kinds
    return kind == IDR_UNIT


def open_stage(on_viewers: Callable[[int], None] = lambda _count: None) -> tuple[Stage, WebRtc]:
    """A stage that shows the pattern, and the way to watch it."""
    stage = Stage(PatternSource, SMALL, on_viewers=on_viewers)
    return stage, WebRtc(stage, SMALL)


class Watching:
    """A stage with one viewer who sees the picture; closes everything at the end."""

    def __init__(self, browser: Browser | None = None) -> None:
        self.counts: list[int] = []
        self.stage, self.webrtc = open_stage(self.counts.append)
        self.browser = browser or Browser()
        self.answer: Answer | None = None

    async def __aenter__(self) -> Self:
        self.answer = await self.webrtc.answer(await self.browser.offer(), "ann")
        await self.browser.accept(self.answer.sdp)
        await self.browser.picture()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.browser.connection.close()
        await self.stage.close()
        await asyncio.sleep(0.05)


async def until(is_so: Callable[[], bool], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not is_so():  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.01)
