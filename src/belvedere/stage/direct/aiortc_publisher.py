"""A publisher's WebRTC connection, made with aiortc: the answering side of WHIP.

aiortc would decode what it receives, in a thread with an unbounded queue. So its receiver is never started: packets go
from its transport to our `Depacketizer`, and what RTCP must say is said here. What a publisher sends is read at a
limited rate, and dropped before any work while nobody watches.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import struct
import time
from typing import TYPE_CHECKING

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.exceptions import OperationError
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    pack_remb_fci,
)

from belvedere.errors import BitstreamError, StageError, StageReason
from belvedere.stage.direct.aiortc_patches import replace
from belvedere.stage.direct.depacketizer import Depacketizer, read_packet
from belvedere.stage.direct.sender_clock import SenderClock
from belvedere.stage.direct.srtp_sources import SrtpSources
from belvedere.stage.direct.viewer_feedback import bound_transport
from belvedere.stage.direct.viewer_ice import MAX_DATAGRAM_BYTES, ViewerLimits, bound_ice
from belvedere.stage.options import CLOSE_TIMEOUT_S
from belvedere.stage.sources.published import PublishedFrame
from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aioice import ice
    from aiortc.rtp import AnyRtcpPacket

    from belvedere.stage.direct.depacketizer import Packet
    from belvedere.stage.direct.peer import ConnectionListener
    from belvedere.stage.direct.viewer_network import ViewerNetwork
    from belvedere.stage.sources.published import Publication

PACKETS_PER_S = 2000.0  # 19 Mbit/s in packets of the usual 1,200 bytes
PACKETS_BURST = 600.0  # an IDR comes at once
PICTURES_PER_S = 130.0  # twice what cameras deliver; each wakes the source's thread, and goes to every viewer
PICTURES_BURST = 30.0
REPORT_S = 1.0
MAX_BITRATE = 20_000_000  # what the publisher is told that it may send
IDRS_PER_S = 1.0  # requests; of more than one at a time, one is enough
NACKS_PER_S = 25.0
MAX_NACK = 64  # lost packets that are asked for at a time
REPORTS_PER_S = 20.0  # RTCP datagrams that are read

logger = logging.getLogger(__name__)


class PublisherLimits(ViewerLimits):
    """As a viewer's, but with room for pictures."""

    def __init__(self, connection: ice.Connection) -> None:
        super().__init__(connection)
        self.reads = TokenBucket(PACKETS_PER_S, PACKETS_BURST)

    def accepts(self, data: bytes, address: tuple[str, int]) -> bool:
        """Whether to process a datagram: as a viewer's, or RTP from an address that sent checks."""
        is_media = 12 <= len(data) <= MAX_DATAGRAM_BYTES and 128 <= data[0] <= 191 and not self._is_rtcp(data)  # noqa: PLR2004 (RFC 7983)
        return self._knows(address) if is_media else super().accepts(data, address)


class AiortcPublisher:
    """A WebRTC connection from one publisher. Belongs to the event loop."""

    def __init__(
        self,
        publication: Publication,
        listener: ConnectionListener,
        clock: Callable[[], float],
        *,
        network: ViewerNetwork,
    ) -> None:
        self._publication = publication
        self._listener = listener
        self._clock = clock
        self._is_ended = False
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))  # `network` knows them
        self._connection.on("connectionstatechange", self._receive_state)
        self._transceiver = self._connection.addTransceiver("video", direction="recvonly")
        self._transport = self._transceiver.receiver.transport
        self._sources = SrtpSources()
        self._stream = _Stream(self._transport._send_rtp)
        replace(self._transceiver.receiver, "receive", _receive_nothing)
        bound_transport(self._transport, self)
        replace(self._transport, "_handle_rtp_data", self._receive_rtp)
        bound_ice(self._transport.transport, network, PublisherLimits)
        self._rtcp = TokenBucket(REPORTS_PER_S, REPORTS_PER_S)
        self._idrs = TokenBucket(IDRS_PER_S, 2.0)
        self._reporting: asyncio.Task[None] | None = None
        self._wants_idr = False

    async def answer(self, offer: str) -> str:
        """Accept the video section of an offer (`PublisherOffer.video`); returns the answer, with all our addresses.

        Raises StageError (BAD_OFFER, NO_COMMON_CODEC; NO_PICTURE if the connection is closed meanwhile).
        """
        self._stream.payload_type = int(offer.partition("m=video ")[2].split()[2])
        known = RTCRtpReceiver.getCapabilities("video")
        codecs = known.codecs if known is not None else []
        self._transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/H264"])
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            await asyncio.sleep(0)
            await self._connection.setLocalDescription(await self._connection.createAnswer())
        except OperationError as error:
            raise StageError(StageReason.NO_COMMON_CODEC) from error
        except Exception as error:  # aiortc's parser has no error type: bad SDP raises any built-in exception
            raise StageError(StageReason.NO_PICTURE if self._is_ended else StageReason.BAD_OFFER) from error
        return self._connection.localDescription.sdp

    def request_idr(self) -> None:
        """Ask the publisher for an IDR, as soon as it may be asked."""
        self._wants_idr = True

    async def close(self) -> None:
        """Close the connection and free its resources, within CLOSE_TIMEOUT_S; never raises."""
        self._is_ended = True
        if self._reporting is not None:
            self._reporting.cancel()
        closing = asyncio.ensure_future(self._connection.close())
        done, _ = await asyncio.wait({closing}, timeout=CLOSE_TIMEOUT_S)
        if not done:
            closing.cancel()
            logger.warning("a publisher's connection did not close within %g s and is abandoned", CLOSE_TIMEOUT_S)
        elif error := closing.exception():
            logger.warning("could not close a publisher's connection cleanly: %r", error)

    async def receive(self, data: bytes) -> None:
        """Process one decrypted RTCP datagram; only sender reports matter. Others, and too many, are ignored."""
        if not self._rtcp.take(self._clock()):
            return
        try:
            packets = RtcpPacket.parse(data)
        except (ValueError, struct.error) as error:
            logger.debug("ignored invalid RTCP of a publisher: %s", error)
            return
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                self._stream.receive_report(packet, self._clock())

    async def _receive_rtp(self, data: bytes, arrival_time_ms: int) -> None:  # noqa: ARG002 (of another clock)
        self._sources.receive(data[8:12])
        now_s = self._clock()
        if self._is_ended or not self._publication.is_wanted:
            self._stream.pause()
            return
        try:
            packet = read_packet(data)
        except BitstreamError:
            return
        for frame in self._stream.receive(packet, now_s):
            self._publication.receive(frame)
        if (self._wants_idr or self._stream.needs_idr) and self._idrs.take(now_s):
            self._wants_idr = False
            await self._stream.ask_for_idr()
        await self._stream.ask_for_lost(now_s)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            await self._stream.report(self._clock())

    def _receive_state(self) -> None:
        state = self._connection.connectionState
        logger.debug("a publisher's connection changed to %s", state)
        if self._is_ended:
            return
        if state == "connected" and self._reporting is None:
            self._reporting = asyncio.ensure_future(self._report())
            self._listener.receive_connected()
        elif state in {"failed", "closed"}:
            self._is_ended = True
            self._listener.receive_ended()


async def _receive_nothing(_parameters: object) -> None:
    """Replaces the start of aiortc's receiver, with its decoder."""


class _Stream:
    """The one stream that is received, and what we say about it."""

    def __init__(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._send = send
        self._ours = secrets.randbelow(2**32)
        self._ssrc: int | None = None
        self.payload_type = -1  # what was negotiated; others, such as sound, are not for us
        self._packets = Depacketizer()
        self._clock = SenderClock()
        self._pictures = TokenBucket(PICTURES_PER_S, PICTURES_BURST)
        self._nacks = TokenBucket(NACKS_PER_S, NACKS_PER_S)
        self._highest = 0
        self._last_report: tuple[int, float] | None = None

    @property
    def needs_idr(self) -> bool:
        """Whether nothing can be shown before an IDR comes."""
        return self._packets.needs_idr

    def pause(self) -> None:
        """Packets are dropped from now on; what comes later begins anew."""
        if not self._packets.is_new:
            self._packets = Depacketizer()

    def receive(self, packet: Packet, now_s: float) -> list[PublishedFrame]:
        """The frames that are complete now."""
        if packet.payload_type != self.payload_type:
            return []
        self._ssrc = packet.ssrc if self._ssrc is None else self._ssrc
        if packet.ssrc != self._ssrc:
            return []
        self._highest = packet.sequence
        frames = []
        for unit in self._packets.receive(packet):
            if not self._pictures.take(now_s):
                self._packets.skip_to_idr()
                break
            captured_s = self._clock.captured_s(unit.timestamp, now_s)
            frames.append(PublishedFrame(unit.data, captured_s, unit.is_idr))
        return frames

    def receive_report(self, report: RtcpSrPacket, now_s: float) -> None:
        """Remember what the sender says of its clock."""
        if report.ssrc != self._ssrc:
            return
        about = report.sender_info
        self._clock.receive_report(about.ntp_timestamp, about.rtp_timestamp, time.time() - now_s)
        self._last_report = about.ntp_timestamp >> 16 & 0xFFFFFFFF, now_s

    async def ask_for_idr(self) -> None:
        """Say that the picture is lost."""
        if self._ssrc is not None:
            await self._say(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=self._ours, media_ssrc=self._ssrc))

    async def ask_for_lost(self, now_s: float) -> None:
        """Ask for the packets that others wait for."""
        lost = self._packets.missing(MAX_NACK)  # all of a thousand, for each packet, would take a tenth of a core
        if self._ssrc is None or not lost or not self._nacks.take(now_s):
            return
        rising = [number for number in lost if number >= lost[0]]  # aiortc cannot write numbers that wrap
        nack = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=self._ours, media_ssrc=self._ssrc, lost=rising)
        await self._say(nack)

    async def report(self, now_s: float) -> None:
        """Say that packets arrive, and how much may be sent."""
        if self._ssrc is None:
            return
        lsr, at_s = self._last_report or (0, now_s)
        delay = min(int((now_s - at_s) * 65536), 2**32 - 1)
        info = RtcpReceiverInfo(
            ssrc=self._ssrc,
            fraction_lost=0,
            packets_lost=0,
            highest_sequence=self._highest,
            jitter=0,
            lsr=lsr,
            dlsr=delay,
        )
        await self._say(RtcpRrPacket(ssrc=self._ours, reports=[info]))
        fci = pack_remb_fci(MAX_BITRATE, [self._ssrc])
        await self._say(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=self._ours, media_ssrc=0, fci=fci))

    async def _say(self, packet: AnyRtcpPacket) -> None:
        with contextlib.suppress(ConnectionError):
            await self._send(bytes(packet))
