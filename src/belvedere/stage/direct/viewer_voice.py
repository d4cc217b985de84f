"""The sound of one viewer's WebRTC connection: sends the room's, and takes what the visitor says.

aiortc would decode every packet as it comes, in a thread that it joins on the event loop. So its receiver is never
started. While the visitor is not heard, packets are dropped as they come from the socket, but for a few, by which SRTP
knows how far the sender's count has got.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, Final

from aiortc import RTCRtpSender
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket

from belvedere.errors import BitstreamError
from belvedere.stage.direct.aiortc_patches import PassThroughSender, replace
from belvedere.stage.direct.answer import RTP_WRAP
from belvedere.stage.direct.depacketizer import read_packet
from belvedere.stage.direct.reception import Reception
from belvedere.stage.direct.rtp_payloads import WholePayloads
from belvedere.stage.direct.srtp_sources import SrtpSources
from belvedere.stage.direct.viewer_ice import MAX_DATAGRAM_BYTES, ViewerLimits
from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioice import ice
    from aiortc import RTCRtpTransceiver

    from belvedere.stage.direct.peer import ViewerSound
    from belvedere.stage.voice.voice import VoiceConnection

OPUS_CLOCK_HZ: Final = 48_000  # RFC 7587, section 4.1
UNHEARD_PER_S: Final = 2.0  # packets that are decrypted while nobody hears them
REPORT_S: Final = 1.0
HEADER_BYTES: Final = 12


class TalkerLimits(ViewerLimits):
    """As a viewer's, but with room for a voice, while it is heard."""

    def __init__(self, connection: ice.Connection, voice: VoiceConnection, clock: Callable[[], float]) -> None:
        super().__init__(connection)
        self._voice, self._clock = voice, clock
        self._unheard = TokenBucket(UNHEARD_PER_S, UNHEARD_PER_S)

    def accepts(self, data: bytes, address: tuple[str, int]) -> bool:
        """Whether to process a datagram: as a viewer's, or RTP from an address that sent checks."""
        is_media = HEADER_BYTES <= len(data) <= MAX_DATAGRAM_BYTES and 128 <= data[0] <= 191 and not self._is_rtcp(data)  # noqa: PLR2004 (RFC 7983)
        if not is_media:
            return super().accepts(data, address)
        return (self._voice.is_heard or self._unheard.take(self._clock())) and self._knows(address)


class ViewerVoice:
    """Both directions. Belongs to the event loop; the transceiver has not started yet."""

    def __init__(self, transceiver: RTCRtpTransceiver, sound: ViewerSound, clock: Callable[[], float]) -> None:
        self._voice = sound.connection
        self._payload_type = sound.offer.payload_type
        self._clock = clock
        self._ours = transceiver.sender._ssrc
        self._send = transceiver.sender.transport._send_rtp
        self._reception = Reception()
        self._sources = SrtpSources()
        self._ssrc: int | None = None
        self._report_at_s = clock()
        self._sender = PassThroughSender(
            transceiver.sender,
            self._voice.subscriber,
            secrets.randbelow(RTP_WRAP),
            WholePayloads(),
            clock=clock,
            clock_hz=OPUS_CLOCK_HZ,
        )
        codecs = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType == "audio/opus"])
        replace(transceiver.receiver, "receive", _receive_nothing)
        replace(transceiver.receiver.transport, "_handle_rtp_data", self._receive_rtp)

    def limits(self, connection: ice.Connection) -> TalkerLimits:
        """What of the viewer's packets is processed."""
        return TalkerLimits(connection, self._voice, self._clock)

    def cut(self) -> None:
        """Send nothing more of the frames that were taken from the subscriber."""
        self._voice.subscriber.cut()
        self._sender.cut()

    def receive_connected(self) -> None:
        """The connection is established."""
        self._voice.receive_connected()

    def leave(self) -> None:
        """The connection has ended; may be called more than once."""
        self._voice.leave()

    async def _receive_rtp(self, data: bytes, arrival_time_ms: int) -> None:  # noqa: ARG002 (of another clock)
        self._sources.receive(data[8:12])
        try:
            packet = read_packet(data)
        except BitstreamError:
            return
        if packet.payload_type != self._payload_type:
            return
        self._ssrc = packet.ssrc if self._ssrc is None else self._ssrc
        if packet.ssrc != self._ssrc or not self._voice.is_heard:
            return
        self._voice.receive_packet(packet.timestamp, packet.payload)
        self._reception.receive(packet.sequence)
        if self._clock() >= self._report_at_s:
            self._report_at_s = self._clock() + REPORT_S
            await self._report(packet.ssrc)

    async def _report(self, ssrc: int) -> None:
        """Tell how much was lost: by that, a browser decides how much of a copy each packet has."""
        found = self._reception.report()
        info = RtcpReceiverInfo(ssrc=ssrc, **found._asdict(), jitter=0, lsr=0, dlsr=0)
        with contextlib.suppress(ConnectionError):
            await self._send(bytes(RtcpRrPacket(ssrc=self._ours, reports=[info])))


async def _receive_nothing(_parameters: object) -> None:
    """Replaces the start of aiortc's receiver, with its decoder."""
