"""A voice over a real connection of aiortc's: both ways, only what is permitted, and on one clock with the picture."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Self

import pytest
from aiortc import rtp
from tests.stage.direct.capture_time import captured_ms
from tests.stage.direct.watching import SMALL, Browser, until
from tests.stage.voice.fake_hardware import TALKS, VoiceRig
from tests.stage.voice.test_talker import packets

from belvedere.stage.direct.srtp_sources import MAX_SOURCES
from belvedere.stage.direct.viewer_ice import ViewerLimits
from belvedere.stage.direct.viewer_voice import UNHEARD_PER_S, TalkerLimits
from belvedere.stage.direct.webrtc_way import WebRtc
from belvedere.stage.frames import EncodedFrame, MediaKind
from belvedere.stage.sources.pattern import PatternSource
from belvedere.stage.stage import Stage
from belvedere.stage.voice.interface import NO_VOICE

if TYPE_CHECKING:
    from belvedere.stage.direct.answer import Answer
    from belvedere.stage.voice.talker import Talker

pytestmark = pytest.mark.realtime

NTP_EPOCH_S = 2_208_988_800


class Visit:
    """A viewer who sees and hears the room, and can talk."""

    def __init__(self) -> None:
        self.rig = VoiceRig()
        self.stage = Stage(PatternSource, SMALL, on_viewers=lambda _count: None)
        self.webrtc = WebRtc(self.stage, SMALL, voice=self.rig.voice)
        self.browser = Browser()
        self.answer: Answer | None = None
        self.reports: list[rtp.RtcpSrPacket] = []
        self.receptions: list[rtp.RtcpReceiverInfo] = []
        self.spoken = 0

    async def __aenter__(self) -> Self:
        self.rig.permissions["ann"] = TALKS
        connection = self.browser.connection
        connection.addTransceiver("video", direction="recvonly")
        connection.addTransceiver("audio", direction="sendrecv")
        await connection.setLocalDescription(await connection.createOffer())
        self.answer = await self.webrtc.answer(connection.localDescription.sdp, "ann")
        await self.browser.accept(self.answer.sdp)
        self.browser.transport._handle_rtcp_data = self._keep_reports  # type: ignore[method-assign]  # the only way to see them
        await until(lambda: bool(self.browser.packets), 20)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.browser.connection.close()
        await self.stage.close()
        await self.rig.voice.close()
        await asyncio.sleep(0.05)

    @property
    def talker(self) -> Talker:
        return self.rig.voice._connections[0].talker

    @property
    def payload_type(self) -> int:
        found = self.browser.connection.getTransceivers()[1]._codecs[0].payloadType
        assert found is not None
        return found

    def heard(self) -> list[rtp.RtpPacket]:
        """The packets of sound that came."""
        return [packet for _, packet, _ in self.browser.packets if packet.payload_type == self.payload_type]

    async def say(self, payload: bytes, ssrc: int = 7) -> None:
        packet = rtp.RtpPacket(payload_type=self.payload_type, sequence_number=self.spoken, timestamp=self.spoken * 960)
        packet.ssrc, packet.payload = ssrc, payload
        self.spoken += 1
        await self.browser.transport._send_rtp(packet.serialize())

    async def _keep_reports(self, data: bytes) -> None:
        for packet in rtp.RtcpPacket.parse(data):
            if isinstance(packet, rtp.RtcpSrPacket):
                self.reports.append(packet)
            elif isinstance(packet, rtp.RtcpRrPacket):
                self.receptions += packet.reports


def sounds(count: int) -> list[EncodedFrame]:
    """Frames of sound, captured from a second ago on."""
    since_s = time.monotonic() - 1
    return [
        EncodedFrame(data, since_s + number * 0.02, 5000 + number * 1800, is_idr=False, kind=MediaKind.AUDIO)
        for number, data in enumerate(packets(count))
    ]


async def test_the_rooms_sound_comes_beside_the_picture_and_ends_with_the_permission() -> None:
    async with Visit() as visit:
        assert visit.answer is not None
        assert "a=sendrecv" in visit.answer.sdp
        await until(visit.rig.hardware.is_capturing, 20)
        frames = sounds(6)
        for frame in frames[:3]:
            visit.rig.hardware.deliver(frame)
        await until(lambda: len(visit.heard()) == 3, 20)
        assert [packet.payload for packet in visit.heard()] == [frame.data for frame in frames[:3]]
        stamps = [packet.timestamp for packet in visit.heard()]
        assert [(stamp - stamps[0]) % 2**32 for stamp in stamps] == [0, 960, 1920]
        visit.rig.permit(ann=NO_VOICE)
        for frame in frames[3:]:
            visit.rig.hardware.deliver(frame)
        await visit.browser.more_packets(10)  # of the picture
        assert len(visit.heard()) == 3


async def test_what_a_visitor_says_is_taken_only_while_it_is_heard() -> None:
    async with Visit() as visit:
        sent = packets(60)
        for payload in sent[:20]:
            await visit.say(payload)
        await visit.browser.more_packets(5)
        assert not visit.talker._inbox
        assert visit.rig.voice.hear("ann", is_allowed=True)
        for payload in sent[20:40]:
            await visit.say(payload)
        await until(lambda: len(visit.talker._inbox) == 20, 20)
        assert [payload for _, payload in visit.talker._inbox] == sent[20:40]
        await visit.say(sent[0], ssrc=8)  # another stream than the visitor's first
        visit.rig.voice.hear("ann", is_allowed=False)
        for payload in sent[40:]:
            await visit.say(payload)
        await visit.browser.more_packets(5)
        assert len(visit.talker._inbox) == 20


async def test_a_visitor_is_told_how_much_was_lost() -> None:
    async with Visit() as visit:
        visit.rig.voice.hear("ann", is_allowed=True)
        payload = packets(1)[0]
        async with asyncio.timeout(20):
            while not any(report.fraction_lost for report in visit.receptions):
                visit.spoken += visit.spoken % 4 == 3  # lost on the way
                await visit.say(payload)
                await asyncio.sleep(0.02)
        assert all(report.fraction_lost < 128 for report in visit.receptions)


async def test_sound_and_picture_are_on_one_clock() -> None:
    async with Visit() as visit:
        assert visit.answer is not None
        await until(visit.rig.hardware.is_capturing, 20)
        frames = sounds(50)
        for frame in frames[:8]:
            visit.rig.hardware.deliver(frame)
        await until(lambda: len({report.ssrc for report in visit.reports}) == 2 and len(visit.heard()) == 8, 20)
        utc_s = time.time() - time.monotonic()
        clock = visit.answer.capture_clock
        for report in visit.reports:
            info = report.sender_info
            reported_s = info.ntp_timestamp / 2**32 - NTP_EPOCH_S - utc_s
            if report.ssrc == visit.browser.ssrc:
                captured_s = captured_ms(clock, info.rtp_timestamp) / 1000
            else:
                since = (info.rtp_timestamp - visit.heard()[0].timestamp + 2**31) % 2**32 - 2**31
                captured_s = frames[0].captured_s + since / 48_000
            assert abs(captured_s - reported_s) < 0.02  # so each is off from the other by less than 40 ms


async def test_a_viewer_who_leaves_is_not_connected_any_more() -> None:
    async with Visit() as visit:
        assert visit.rig.voice.status.connected == {"ann"}
        await visit.browser.connection.close()
        await until(lambda: visit.rig.voice.status.connected == frozenset(), 20)
        await until(lambda: not visit.rig.hardware.is_capturing(), 20)


class Voice:
    """As much of a voice's connection as limits need."""

    is_heard = False


def limits(voice: Voice, now: list[float]) -> TalkerLimits:
    class Connection:
        _remote_candidates: tuple[object, ...] = ()

    class OfKnownAddresses(TalkerLimits):
        def _knows(self, address: tuple[str, int]) -> bool:  # noqa: ARG002 (every address has sent checks)
            return True

    return OfKnownAddresses(Connection(), voice, lambda: now[0])  # type: ignore[arg-type]  # parts of them


RTP = bytes([0x80, 111]) + bytes(60)
ADDRESS = ("192.0.2.7", 4000)


def test_packets_are_dropped_unread_while_nobody_hears_them_but_for_a_few() -> None:
    voice, now = Voice(), [0.0]
    bounded = limits(voice, now)
    accepted = 0
    for number in range(10_000):  # 1,000 a second for ten seconds
        now[0] = number / 1000
        accepted += bounded.accepts(RTP, ADDRESS)
    assert accepted <= 10 * UNHEARD_PER_S + 2
    voice.is_heard = True
    assert bounded.accepts(RTP, ADDRESS)


@pytest.mark.parametrize("data", [b"", RTP[:11], b"\x80" + bytes(1600), b"\xff" + bytes(60)])
def test_what_is_no_packet_of_sound_is_dropped_even_from_one_who_is_heard(data: bytes) -> None:
    voice = Voice()
    voice.is_heard = True
    assert not limits(voice, [0.0]).accepts(data, ADDRESS)


def test_what_every_viewer_sends_is_accepted_as_before() -> None:
    bounded = limits(Voice(), [0.0])
    receiver_report = bytes([0x80, 201]) + bytes(30)
    assert bounded.accepts(receiver_report, ADDRESS)
    assert bounded.accepts(b"\x00\x01" + bytes(18), ADDRESS)  # a check
    assert isinstance(bounded, ViewerLimits)


async def test_a_voice_that_comes_from_ever_more_sources_is_disconnected() -> None:
    async with Visit() as visit:
        assert visit.rig.voice.hear("ann", is_allowed=True)
        for source in range(1, MAX_SOURCES + 1):
            await visit.say(b"\0", source)
        await visit.say(b"\0", 1)
        await until(lambda: visit.rig.voice.status.connected == {"ann"}, 20)
        await visit.say(b"\0", MAX_SOURCES + 1)
        await until(lambda: not visit.rig.voice.status.connected, 20)
