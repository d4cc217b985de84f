"""Our patches of aiortc, and of aioice beneath it; importing this module applies them.

1. The playout-delay header extension (0, 0) is negotiated and sent, so that Chromium shows a picture as soon as it is
   decoded: after 6 ms instead of 30.
2. Sent packets are kept for longer, so that a lost one can be retransmitted.
3. A sender passes encoded frames through, with timestamps that begin at an origin of ours, and can be made to forget
   what it has sent and what it is sending. Its reports say when frames were captured, not when they were sent, so that
   sound and picture are shown together.
4. A peer cannot renegotiate the keys of a connection, which would cost as much as a new connection; and its
   certificate may have an RSA key, as GStreamer's has, where aiortc only offers ciphers for ECDSA.
5. A host that has only the loopback address offers 127.0.0.1, so that the demo works without a network. The system
   is asked for its addresses at most every two seconds.
6. A connection has no bandwidth estimator for received media, because viewers send none: aiortc creates a thousand
   objects for it, a fifth of a connection's cost, which also trigger a garbage collection.
7. aioice logs its peers' addresses at INFO; its log level is set to WARNING.

The patches that limit what a viewer can cause are in `viewer_ice.py` and `viewer_feedback.py`. All of them replace
private names of aiortc. So the version is checked, each name must exist already, and a release without one is refused
with an error that says so, instead of sending pictures that nobody can see.
"""

from __future__ import annotations

import inspect
import logging
import math
import time
from typing import TYPE_CHECKING, Protocol

import aiortc
from aioice import ice
from aiortc import codecs, rtcpeerconnection, rtcrtpreceiver, rtcrtpsender, rtp
from aiortc.clock import current_ntp_time
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcdtlstransport import RTCCertificate, SRTPProtectionProfile
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters
from OpenSSL import SSL

from belvedere.errors import OwnerError
from belvedere.stage.direct.answer import RTP_WRAP
from belvedere.stage.frames import RTP_CLOCK_HZ

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiortc.rtcrtpparameters import RTCRtpParameters

    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.hub import Subscriber

WRITTEN_FOR = "1.16"
PLAYOUT_DELAY_URI = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
PLAYOUT_DELAY_ID = 5  # not used in `codecs.HEADER_EXTENSIONS`; an answer uses the id of the offer
NO_DELAY = b"\x00\x00\x00"  # 12 bits of minimum and 12 of maximum, in units of 10 ms
ONE_BYTE_HEADERS = 0xBEDE  # RFC 8285, section 4.2
ONE_BYTE_MAX_ID = 14
HISTORY_PACKETS = 512  # almost 2 s at 3 Mbit/s, where aiortc keeps 0.4 s; viewers share the payloads
# Ours is an ECDSA certificate, so as DTLS server we choose one of the first; the others are for servers with RSA.
CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:"
    b"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305"
)
LOOPBACK = "127.0.0.1"
ADDRESSES_VALID_S = 2.0  # after a change of networks the page requests the picture again within this time


def check_version(found: str) -> None:
    """Refuse a release of aiortc for which these patches were not tested. Raises OwnerError."""
    if not f"{found}.".startswith(f"{WRITTEN_FOR}."):
        raise OwnerError(
            f"aiortc {found} is installed, but Belvedere needs {WRITTEN_FOR}: pip install 'aiortc=={WRITTEN_FOR}.*'"
        )


def replace(owner: object, name: str, value: object) -> None:
    """Set an attribute that exists already. Raises OwnerError if it does not."""
    if not hasattr(owner, name):
        raise OwnerError(f"this release of aiortc or aioice has no {name}: pip install 'aiortc=={WRITTEN_FOR}.*'")
    setattr(owner, name, value)


class AbsoluteTimestamp(int):
    """An RTP timestamp to send unchanged: the sender does not add its random origin, which we could not know."""


def _add_timestamp(origin: int, timestamp: int) -> int:
    if isinstance(timestamp, AbsoluteTimestamp):
        return int(timestamp)
    return (origin + timestamp) % RTP_WRAP


class ViewerExtensions(rtp.HeaderExtensionsMap):
    """aiortc's header extensions, and the playout delay if the viewer accepted it."""

    def __init__(self) -> None:
        super().__init__()
        self._playout_delay_id: int | None = None

    def configure(self, parameters: RTCRtpParameters) -> None:
        """Store the negotiated ids."""
        super().configure(parameters)
        for extension in parameters.headerExtensions:
            if extension.uri == PLAYOUT_DELAY_URI:
                self._playout_delay_id = extension.id

    def set(self, values: rtp.HeaderExtensions) -> tuple[int, bytes]:
        """Return the extensions of one packet as profile and bytes, ours first."""
        profile, packed = super().set(values)
        number = self._playout_delay_id
        if number is None:
            return profile, packed
        if profile == ONE_BYTE_HEADERS and number <= ONE_BYTE_MAX_ID:  # runs for every packet, so avoid unpacking
            return profile, bytes([number << 4 | len(NO_DELAY) - 1]) + NO_DELAY + packed
        return rtp.pack_header_extensions([(number, NO_DELAY), *rtp.unpack_header_extensions(profile, packed)])


class ViewerCertificate(RTCCertificate):
    """A certificate whose connections cannot be renegotiated, and accept a peer's RSA certificate."""

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_options(SSL.OP_NO_RENEGOTIATION)
        context.set_cipher_list(CIPHERS)
        return context


class NoEstimator:
    """Replaces aiortc's estimator of the received bandwidth."""

    def add(self, **_packet: object) -> None:
        """Do nothing: there is nothing to estimate or report."""


class Payloads(Protocol):
    """Cuts frames into what packets carry."""

    def of(self, frame: EncodedFrame) -> tuple[bytes, ...]:
        """The payloads of a frame, in order."""
        ...


class PassThroughSender:
    """Makes a sender that has not started yet send a subscriber's frames unchanged.

    A frame's RTP timestamp is `origin` plus its ticks, on a clock of `clock_hz`, modulo 2^32.
    """

    def __init__(
        self,
        sender: rtcrtpsender.RTCRtpSender,
        subscriber: Subscriber,
        origin: int,
        payloads: Payloads,
        *,
        clock: Callable[[], float],
        clock_hz: int = RTP_CLOCK_HZ,
    ) -> None:
        self._sender = sender
        self._subscriber = subscriber
        self._origin = origin
        self._shared = payloads
        self._clock, self._clock_hz = clock, clock_hz
        self._newest: EncodedFrame | None = None
        self._send_reports = sender._send_rtcp  # noqa: SLF001 (replaced below)
        self._sending: list[bytes] = []  # the payloads of the current frame; aiortc iterates over this list
        self._history: dict[int, rtp.RtpPacket] = {}
        replace(sender, "_next_encoded_frame", self._next_encoded_frame)
        replace(sender, "_send_rtcp", self._send_rtcp)
        replace(sender, "_RTCRtpSender__rtp_history", self._history)
        replace(sender, "_RTCRtpSender__rtp_header_extensions_map", ViewerExtensions())

    def cut(self) -> None:
        """Forget all packets: no more of the current frame is sent, and none is retransmitted."""
        self._sending.clear()
        self._history.clear()

    async def _next_encoded_frame(self, _codec: object) -> rtcrtpsender.RTCEncodedFrame:
        frame = await self._subscriber.next_frame()
        if frame is None:
            raise MediaStreamError
        self._newest = frame
        self._sending = list(self._shared.of(frame))
        return rtcrtpsender.RTCEncodedFrame(self._sending, AbsoluteTimestamp(self._timestamp(frame.ticks)), 0)

    def _timestamp(self, ticks: int) -> int:
        return (self._origin + ticks * self._clock_hz // RTP_CLOCK_HZ) % RTP_WRAP

    async def _send_rtcp(self, packets: list[rtp.AnyRtcpPacket]) -> None:
        """Send reports, which name the timestamp of what is captured at that moment."""
        for packet in packets:
            if isinstance(packet, rtp.RtcpSrPacket) and self._newest is not None:
                since_s = self._clock() - self._newest.captured_s
                packet.sender_info.ntp_timestamp = ntp = current_ntp_time()
                packet.sender_info.rtp_timestamp = self._timestamp(self._newest.ticks + round(since_s * RTP_CLOCK_HZ))
                replace(self._sender, "_RTCRtpSender__lsr", ntp >> 16 & 0xFFFFFFFF)  # by which a round trip is known
        await self._send_reports(packets)


def _with_loopback(find_addresses: Callable[[bool, bool], list[str]]) -> Callable[[bool, bool], list[str]]:
    def find(use_ipv4: bool, use_ipv6: bool) -> list[str]:  # noqa: FBT001 (aioice's signature)
        return find_addresses(use_ipv4, use_ipv6) or [LOOPBACK]

    return find


def _cached(
    find_addresses: Callable[[bool, bool], list[str]], clock: Callable[[], float] = time.monotonic
) -> Callable[[bool, bool], list[str]]:
    known: dict[tuple[bool, bool], tuple[float, list[str]]] = {}

    def find(use_ipv4: bool, use_ipv6: bool) -> list[str]:  # noqa: FBT001 (aioice's signature)
        now = clock()
        asked_at, addresses = known.get((use_ipv4, use_ipv6), (-math.inf, []))
        if now - asked_at >= ADDRESSES_VALID_S:
            addresses = find_addresses(use_ipv4, use_ipv6)
            known[use_ipv4, use_ipv6] = now, addresses
        return list(addresses)

    return find


def _apply() -> None:
    check_version(aiortc.__version__)
    if list(inspect.signature(ice.get_host_addresses).parameters) != ["use_ipv4", "use_ipv6"]:
        raise OwnerError(f"this release of aioice is not supported: pip install 'aiortc=={WRITTEN_FOR}.*'")
    codecs.HEADER_EXTENSIONS["video"].append(
        RTCRtpHeaderExtensionParameters(id=PLAYOUT_DELAY_ID, uri=PLAYOUT_DELAY_URI)
    )
    replace(rtcrtpsender, "RTP_HISTORY_SIZE", HISTORY_PACKETS)
    replace(rtcrtpsender, "uint32_add", _add_timestamp)
    replace(rtcpeerconnection, "RTCCertificate", ViewerCertificate)
    ViewerCertificate.generateCertificate()  # its first call imports much of cryptography: not on the loop
    replace(rtcrtpreceiver, "RemoteBitrateEstimator", NoEstimator)
    replace(ice, "get_host_addresses", _cached(_with_loopback(ice.get_host_addresses)))
    logging.getLogger("aioice").setLevel(logging.WARNING)


_apply()
