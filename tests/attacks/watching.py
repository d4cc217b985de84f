"""Watches with aiortc, but without decoding: sends and receives what a well-behaved viewer does, at little cost."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

from aioice import ice
from aiortc import RTCPeerConnection, RTCSessionDescription, rtcrtpreceiver

if TYPE_CHECKING:
    from aiortc import RTCDtlsTransport, RTCRtpReceiver
    from aiortc.rtp import RtpPacket
    from tests.attacks.client import Session

WHEP = "/api/v1/stage/whep"
CONNECT_TIMEOUT_S = 10.0
NAL_FU_A, NAL_IDR = 28, 5


class WhepError(Exception):
    """The offer was refused."""


class Viewer:
    """One connection that watches.

    Attributes:
        connection: aiortc's; an attack adds what it needs before `watch`.
        newest: the latest packet of the picture.
        seen: how many `packets`, `bytes`, `idrs`, and retransmitted packets (`sent again`) arrived.
    """

    def __init__(self) -> None:
        self.connection = RTCPeerConnection()
        self.newest: RtpPacket | None = None
        self.seen: Counter[str] = Counter()
        self._first = asyncio.Event()
        self._idr_timestamp = -1

    async def watch(self, session: Session) -> None:
        """Send an offer, and wait for the first packet. Raises WhepError, TimeoutError."""
        video = [each for each in self.connection.getTransceivers() if each.kind == "video"]
        if not video:
            video = [self.connection.addTransceiver("video", direction="recvonly")]
        self._count(video[0].receiver)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        offer = self.connection.localDescription.sdp
        reply = await session.ask("POST", WHEP, offer, "application/sdp")
        if reply.status != 201:
            raise WhepError(f"{reply.status} {reply.body}")
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await self.connection.setRemoteDescription(RTCSessionDescription(reply.body, "answer"))
            await self._first.wait()

    @property
    def transport(self) -> RTCDtlsTransport:
        """What carries the packets."""
        return self.connection.getTransceivers()[0].receiver.transport

    async def send(self, packet: bytes) -> None:
        """Send an RTP or RTCP packet, encrypted, whether it was negotiated or not."""
        await self.transport._send_rtp(packet)

    def stop_listening(self) -> None:
        """Let the kernel drop what arrives, so that a flood of replies costs this side nothing."""
        for protocol in self.transport.transport._connection._protocols:
            asyncio.get_running_loop()._remove_reader(protocol.transport._sock_fd)  # type: ignore[attr-defined]  # asyncio closes what it pauses

    async def close(self) -> None:
        """Close the connection."""
        await self.connection.close()

    def _count(self, receiver: RTCRtpReceiver) -> None:
        """Look at each packet before the receiver does."""
        handle = receiver._handle_rtp_packet

        async def count(packet: RtpPacket, arrival_time_ms: int) -> None:
            self._receive(packet)
            await handle(packet, arrival_time_ms=arrival_time_ms)

        receiver._handle_rtp_packet = count  # type: ignore[method-assign]  # aiortc has no other way to see packets

    def _receive(self, packet: RtpPacket) -> None:
        if self.newest is not None and packet.ssrc != self.newest.ssrc:
            self.seen["sent again"] += 1
            return
        self.newest = packet
        self.seen["packets"] += 1
        self.seen["bytes"] += len(packet.payload)
        if _is_idr(packet.payload) and packet.timestamp != self._idr_timestamp:
            self._idr_timestamp = packet.timestamp
            self.seen["idrs"] += 1
        self._first.set()


def _is_idr(payload: bytes) -> bool:
    if len(payload) < 2:
        return False
    kind = payload[0] & 0x1F
    return kind == NAL_IDR or (kind == NAL_FU_A and payload[1] & 0x9F == 0x80 | NAL_IDR)


def watch_cheaply() -> None:
    """Decode nothing in this process, and stay on loopback."""
    logging.getLogger("aiortc").setLevel(logging.ERROR)
    logging.getLogger("aioice").setLevel(logging.ERROR)
    rtcrtpreceiver.decoder_worker = _discard  # type: ignore[assignment]  # it wants less than aiortc gives
    ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]  # noqa: ARG005 - as aioice calls it


def _discard(_loop: object, frames: object, *_rest: object) -> None:
    while frames.get() is not None:  # type: ignore[attr-defined]  # a queue, untyped in aiortc
        pass
