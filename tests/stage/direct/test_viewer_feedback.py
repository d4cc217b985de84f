from __future__ import annotations

import asyncio
import types

import pytest
from aiortc import rtp
from aiortc.rtcdtlstransport import RTCDtlsParameters, State
from hypothesis import given
from hypothesis import strategies as st

from belvedere.stage.direct.retransmission import RetransmissionBudget
from belvedere.stage.direct.srtp_sources import MAX_SOURCES
from belvedere.stage.direct.viewer_feedback import FEEDBACK_BURST, PACKETS_PER_TURN, ViewerFeedback, bound_transport

SSRC = 77


class Sender:
    """The part of aiortc's sender that is used."""

    _ssrc = SSRC

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.reports: list[rtp.AnyRtcpPacket] = []

    async def _retransmit(self, number: int) -> None:
        self.sent.append(number)

    async def _handle_rtcp_packet(self, packet: rtp.AnyRtcpPacket) -> None:
        self.reports.append(packet)


class Bench:
    """The feedback of one viewer, with a clock that the test sets."""

    def __init__(self) -> None:
        self.sender = Sender()
        self.now_s = 100.0
        self.requests = 0
        budget = RetransmissionBudget(bitrate_kbps=3000, fps=30, packets=512)
        self.link: list[tuple[str, float]] = []
        self.feedback = ViewerFeedback(self.sender, budget, self._request, lambda: self.now_s, self)  # type: ignore[arg-type]  # a part

    async def say(self, *packets: rtp.AnyRtcpPacket) -> None:
        await self.feedback.receive(b"".join(map(bytes, packets)))

    def receive_connected(self) -> None:
        raise AssertionError

    receive_ended = receive_connected

    def report_capacity(self, bits_per_s: float) -> None:
        self.link.append(("capacity", bits_per_s))

    def report_loss(self, share: float) -> None:
        self.link.append(("loss", share))

    def report_round_trip(self, seconds: float) -> None:
        self.link.append(("round trip", seconds))

    def _request(self) -> None:
        self.requests += 1


def nack(*lost: int, ssrc: int = SSRC) -> rtp.RtcpRtpfbPacket:
    return rtp.RtcpRtpfbPacket(rtp.RTCP_RTPFB_NACK, 1, ssrc, list(lost))


def report_of(highest: int, lost: int) -> rtp.RtcpRrPacket:
    """A receiver report of our stream, and of another."""
    info = {"packets_lost": lost, "highest_sequence": highest, "jitter": 0, "lsr": 0, "dlsr": 0, "fraction_lost": 9}
    return rtp.RtcpRrPacket(1, [rtp.RtcpReceiverInfo(ssrc=ssrc, **info) for ssrc in (SSRC, SSRC + 1)])


async def test_a_lost_packet_is_retransmitted_once() -> None:
    bench = Bench()
    await bench.say(nack(5, 6), nack(6, 7), nack(9, ssrc=SSRC + 1))
    assert bench.sender.sent == [5, 6, 7]


async def test_a_measured_round_trip_is_waited_for() -> None:
    bench = Bench()
    bench.sender._RTCRtpSender__rtt = 0.2  # type: ignore[attr-defined]  # where aiortc keeps it
    await bench.say(nack(5))
    bench.now_s += 0.19
    await bench.say(nack(5))
    assert bench.sender.sent == [5]
    bench.now_s += 0.02
    await bench.say(nack(5))
    assert bench.sender.sent == [5, 5]


@pytest.mark.parametrize("kind", [rtp.RTCP_PSFB_PLI, rtp.RTCP_PSFB_FIR])
async def test_a_lost_picture_asks_for_a_key_frame(kind: int) -> None:
    bench = Bench()
    await bench.say(rtp.RtcpPsfbPacket(kind, 1, SSRC))
    assert bench.requests == 1


async def test_reports_reach_the_sender() -> None:
    bench = Bench()
    report = rtp.RtcpRrPacket(1)
    await bench.say(report)
    assert bench.sender.reports == [report]
    assert bench.link == []


async def test_what_the_viewer_tells_of_its_connection_is_reported() -> None:
    bench = Bench()
    for highest, lost in ((1000, 0), (1100, 25)):
        await bench.say(report_of(highest, lost))
        bench.now_s += 1
    assert bench.link == [("loss", 0.25)]
    bench.sender._RTCRtpSender__rtt = 0.2  # type: ignore[attr-defined]  # where aiortc keeps it
    await bench.say(report_of(1100, 25))
    assert bench.link[1:] == [("round trip", 0.2)]


async def test_nothing_is_sent_again_while_a_third_is_lost_because_too_much_is_sent() -> None:
    bench = Bench()
    for highest, lost, sent in ((1000, 0, [5]), (1100, 40, [5]), (1200, 45, [5, 7])):
        await bench.say(report_of(highest, lost), nack(5 + highest // 100 - 10))
        assert bench.sender.sent == sent
        bench.now_s += 1


async def test_the_estimated_capacity_is_reported_if_it_is_of_our_stream() -> None:
    bench = Bench()
    for fci in (rtp.pack_remb_fci(500_000, [SSRC]), rtp.pack_remb_fci(1000, [SSRC + 1]), b"REMB\xff\0\0\0", b"?"):
        await bench.say(rtp.RtcpPsfbPacket(rtp.RTCP_PSFB_APP, 1, 0, fci.ljust(len(fci) + -len(fci) % 4, b"\0")))
    assert bench.link == [("capacity", 500_000)]


async def test_feedback_is_read_at_a_bounded_rate() -> None:
    bench = Bench()
    for _ in range(1000):
        await bench.say(rtp.RtcpPsfbPacket(rtp.RTCP_PSFB_PLI, 1, SSRC))
    assert bench.requests == FEEDBACK_BURST


@given(
    st.binary(max_size=300) | st.binary(max_size=80).map(lambda tail: b"\x8f\xce\x00" + bytes([len(tail) // 4]) + tail)
)
def test_whatever_comes_nothing_is_raised(data: bytes) -> None:
    async def play() -> None:
        await Bench().feedback.receive(data)

    asyncio.run(play())


class Transport:
    """The part of aiortc's transport that is patched."""

    def __init__(self, ice: str = "completed") -> None:
        self.transport = types.SimpleNamespace(state=ice)
        self.starts = 0
        self.sent = 0
        self.error: BaseException = ValueError("a certificate of nonsense")
        self.state = State.NEW

    async def _send_rtp(self, _data: bytes) -> None:
        self.sent += 1

    async def start(self, _parameters: RTCDtlsParameters) -> None:
        self.starts += 1
        raise self.error

    async def _recv_next(self) -> None:
        raise self.error

    async def _handle_rtp_data(self, _data: bytes, arrival_time_ms: int) -> None:
        raise AssertionError(arrival_time_ms)

    async def _handle_rtcp_data(self, data: bytes) -> None:
        raise NotImplementedError

    def _set_state(self, state: State) -> None:
        self.state = state


def bounded(ice: str = "completed") -> Transport:
    transport = Transport(ice)
    bound_transport(transport, Bench().feedback)  # type: ignore[arg-type]  # a part
    return transport


async def test_other_tasks_run_while_a_large_picture_is_sent() -> None:
    transport = bounded()

    async def send() -> None:
        for _ in range(10 * PACKETS_PER_TURN):
            await transport._send_rtp(b"")

    sending = asyncio.create_task(send())
    turns = 0
    while not sending.done():
        await asyncio.sleep(0)
        turns += 1
    assert transport.sent == 10 * PACKETS_PER_TURN
    assert turns >= 10


async def test_media_of_a_viewer_is_not_even_read() -> None:
    await bounded()._handle_rtp_data(b"", 0)


async def test_a_viewer_whose_feedback_comes_from_ever_more_sources_is_disconnected() -> None:
    transport = bounded()
    for source in range(MAX_SOURCES):
        await transport._handle_rtcp_data(bytes(4) + source.to_bytes(4))
    with pytest.raises(ConnectionError):
        await transport._handle_rtcp_data(bytes(4) + MAX_SOURCES.to_bytes(4))


async def test_an_unexpected_handshake_error_ends_only_the_connection() -> None:
    transport = bounded()
    await transport.start(RTCDtlsParameters())
    assert transport.starts == 1
    assert transport.state is State.FAILED


@pytest.mark.parametrize("ice", ["failed", "closed"])
async def test_no_handshake_is_attempted_without_an_ice_connection(ice: str) -> None:
    transport = bounded(ice)
    await transport.start(RTCDtlsParameters())
    assert transport.starts == 0
    assert transport.state is State.FAILED


@pytest.mark.parametrize("error", [ValueError("nonsense"), ConnectionError("gone")])
async def test_a_packet_that_cannot_be_read_ends_the_connection_as_a_lost_one_does(error: Exception) -> None:
    transport = bounded()
    transport.error = error
    with pytest.raises(ConnectionError):
        await transport._recv_next()
