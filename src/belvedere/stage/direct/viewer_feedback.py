"""Limits what a viewer's RTCP can cause, and how long sending blocks the event loop: patches of aiortc's transport.

Receiver reports measure the round trip and tell of loss, REMB of what the connection carries, both of which go to the
rate control, which bounds what one viewer can do to the others. Lost packets (NACK) are retransmitted within a budget;
a lost picture (PLI, FIR) requests a key frame. Everything else is ignored.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from typing import TYPE_CHECKING, Protocol

from aiortc.rtcdtlstransport import State
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

from belvedere.stage.direct.aiortc_patches import replace
from belvedere.stage.direct.loss_window import LossWindow
from belvedere.stage.direct.srtp_sources import SrtpSources
from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from aiortc.rtcdtlstransport import RTCDtlsParameters, RTCDtlsTransport
    from aiortc.rtcrtpsender import RTCRtpSender
    from aiortc.rtp import AnyRtcpPacket

    from belvedere.stage.direct.peer import PeerListener
    from belvedere.stage.direct.retransmission import RetransmissionBudget

PACKETS_PER_TURN = 16  # about 1 ms of work; then other tasks run
FEEDBACK_PER_S = 100.0  # Chromium reports loss at most every 20 ms
FEEDBACK_BURST = 100.0
CONGESTION_LOSS = 0.3  # so many packets are lost only where more is sent than fits; sending them again adds to it

logger = logging.getLogger(__name__)


class ViewerFeedback:
    """Processes one viewer's RTCP."""

    def __init__(
        self,
        sender: RTCRtpSender,
        budget: RetransmissionBudget,
        request_idr: Callable[[], None],
        clock: Callable[[], float],
        listener: PeerListener,
    ) -> None:
        self._sender = sender
        self._listener = listener
        self._budget = budget
        self._request_idr = request_idr
        self._clock = clock
        self._losses = LossWindow()
        self._is_congested = False
        self._packets = TokenBucket(FEEDBACK_PER_S, FEEDBACK_BURST)

    async def receive(self, data: bytes) -> None:
        """Process one decrypted RTCP datagram. Datagrams above the rate limit and invalid ones are ignored."""
        if not self._packets.take(self._clock()):
            return
        try:
            packets = RtcpPacket.parse(data)
        except (ValueError, struct.error) as error:
            logger.debug("ignored invalid RTCP of a viewer: %s", error)
            return
        lost: list[int] = []
        for packet in packets:
            lost += await self._receive_packet(packet)
        await self._retransmit(lost)

    async def _receive_packet(self, packet: AnyRtcpPacket) -> list[int]:
        """Returns the sequence numbers that are reported as lost."""
        match packet:
            case RtcpRrPacket() | RtcpSrPacket():
                await self._sender._handle_rtcp_packet(packet)
                self._report(packet)
            case RtcpRtpfbPacket(fmt=fmt, media_ssrc=ssrc) if fmt == RTCP_RTPFB_NACK and ssrc == self._sender._ssrc:
                return packet.lost
            case RtcpPsfbPacket(fmt=fmt) if fmt in {RTCP_PSFB_PLI, RTCP_PSFB_FIR}:
                self._request_idr()
            case RtcpPsfbPacket(fmt=fmt) if fmt == RTCP_PSFB_APP:
                self._receive_remb(packet.fci)
            case _:
                pass
        return []

    def _report(self, packet: RtcpRrPacket | RtcpSrPacket) -> None:
        for report in packet.reports:
            if report.ssrc == self._sender._ssrc:
                share = self._losses.receive_report(self._clock(), report.highest_sequence, report.packets_lost)
                if share is not None:
                    self._is_congested = share > CONGESTION_LOSS
                    self._listener.report_loss(share)
                if round_trip_s := self._round_trip_s():
                    self._listener.report_round_trip(round_trip_s)

    def _receive_remb(self, fci: bytes) -> None:
        """The receiver's estimate of what the connection carries (draft-alvestrand-rmcat-remb-03)."""
        try:
            bits_per_s, ssrcs = unpack_remb_fci(fci)
        except (ValueError, struct.error, IndexError):
            return
        if self._sender._ssrc in ssrcs:
            self._listener.report_capacity(bits_per_s)

    def _round_trip_s(self) -> float:
        """Smoothed; 0 until it is known."""
        return getattr(self._sender, "_RTCRtpSender__rtt", None) or 0.0

    async def _retransmit(self, lost: list[int]) -> None:
        if self._is_congested:
            return
        chosen = self._budget.select(self._clock(), dict.fromkeys(lost), self._round_trip_s())
        for number in chosen:
            await self._sender._retransmit(number)


class RtcpReceiver(Protocol):
    """Processes RTCP, such as `ViewerFeedback`."""

    async def receive(self, data: bytes) -> None:
        """Process one decrypted RTCP datagram."""
        ...


def bound_transport(transport: RTCDtlsTransport, feedback: RtcpReceiver) -> None:
    """Patch a transport that has not started: ignore received media, yield while sending, fail without a traceback."""
    send, start, receive_next = transport._send_rtp, transport.start, transport._recv_next
    sent = 0

    async def send_and_yield(data: bytes) -> None:
        nonlocal sent
        await send(data)
        sent += 1
        if sent % PACKETS_PER_TURN == 0:
            await asyncio.sleep(0)

    async def receive_media(data: bytes, arrival_time_ms: int) -> None:
        """Ignore it: a viewer has no media to send."""

    async def start_quietly(parameters: RTCDtlsParameters) -> None:
        if not await _has_started(transport, start(parameters)):
            transport._set_state(State.FAILED)

    async def receive_quietly() -> None:
        try:
            await receive_next()
        except ConnectionError:
            raise
        except Exception as error:
            logger.debug("could not read a packet of a viewer: %r", error)
            raise ConnectionError from error

    for name, value in {
        "_send_rtp": send_and_yield,
        "_handle_rtp_data": receive_media,
        "_handle_rtcp_data": _of_few_sources(feedback),
        "start": start_quietly,
        "_recv_next": receive_quietly,
    }.items():
        replace(transport, name, value)


def _of_few_sources(feedback: RtcpReceiver) -> Callable[[bytes], Coroutine[None, None, None]]:
    """Receives RTCP, and ends the connection where it comes from too many sources."""
    sources = SrtpSources()

    async def receive(data: bytes) -> None:
        sources.receive(data[4:8])  # whoever sent it (RFC 3550, section 6.4)
        await feedback.receive(data)

    return receive


async def _has_started(transport: RTCDtlsTransport, starting: Coroutine[None, None, None]) -> bool:
    """Do the DTLS handshake; returns whether it succeeded. Without an ICE connection it is not attempted."""
    if transport.transport.state != "completed":
        starting.close()
        return False
    try:
        await starting
    except Exception as error:  # noqa: BLE001 (a viewer's certificate can cause any exception)
        logger.debug("the DTLS handshake with a viewer failed: %r", error)
        return False
    return True
