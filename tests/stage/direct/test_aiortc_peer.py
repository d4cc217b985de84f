from __future__ import annotations

import asyncio
import socket
import threading
import time
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from aiortc import MediaStreamTrack, rtp
from av import Packet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.async_api import async_playwright
from tests.stage.direct.capture_time import captured_ms
from tests.stage.direct.watching import SMALL, Browser, Watching, open_stage, until

from belvedere.errors import StageError, StageReason
from belvedere.stage.direct.aiortc_patches import PLAYOUT_DELAY_ID
from belvedere.stage.direct.aiortc_peer import AiortcPeer
from belvedere.stage.direct.offer import read_offer
from belvedere.stage.direct.retransmission import PAYLOAD_BYTES
from belvedere.stage.direct.rtp_payloads import SharedPayloads
from belvedere.stage.direct.viewer_network import ViewerNetwork
from belvedere.stage.encoding.x264 import X264Encoder
from belvedere.stage.hub import Subscriber

if TYPE_CHECKING:
    from av.stream import Stream

    from belvedere.stage.stage import Stage

pytestmark = pytest.mark.realtime


def peer_of(stage: Stage) -> AiortcPeer:
    """The connection of a stage's only viewer."""
    (viewer,) = stage._viewers.values()
    assert isinstance(viewer.connection, AiortcPeer)
    return viewer.connection


def came(browser: Browser) -> set[int]:
    """The sequence numbers of all received packets, retransmitted ones included."""
    packets = [packet for _, packet, _ in browser.packets]
    return {
        packet.sequence_number if packet.ssrc == browser.ssrc else int.from_bytes(packet.payload[:2], "big")
        for packet in packets
    }


async def test_a_viewer_sees_the_picture() -> None:
    async with Watching() as watching:
        assert await watching.browser.picture() == (320, 192)
        assert watching.stage.viewers == 1


async def test_every_packet_asks_to_be_shown_at_once() -> None:
    async with Watching() as watching:
        found = [extensions for _, _, extensions in watching.browser.packets]
        assert found
        assert all(extensions[PLAYOUT_DELAY_ID] == b"\0\0\0" for extensions in found)


async def test_timestamps_lead_back_to_the_time_of_capture() -> None:
    async with Watching() as watching:
        assert watching.answer is not None
        for _ in range(10):
            await watching.browser.picture()
        for received_s, packet, _ in watching.browser.packets:
            age_ms = received_s * 1000 - captured_ms(watching.answer.capture_clock, packet.timestamp)
            assert -1 <= age_ms < 500


async def test_a_viewer_who_lost_the_picture_gets_an_idr() -> None:
    async with Watching() as watching:
        receiver = watching.browser.connection.getTransceivers()[0].receiver
        before = watching.browser.idrs()
        await receiver._send_rtcp_pli(watching.browser.packets[0][1].ssrc)
        await until(lambda: watching.browser.idrs() > before, timeout_s=2)


async def test_a_lost_packet_is_sent_again() -> None:
    async with Watching() as watching:
        receiver = watching.browser.connection.getTransceivers()[0].receiver
        first = watching.browser.packets[0][1]
        await receiver._send_rtcp_nack(first.ssrc, [first.sequence_number])
        again = first.sequence_number.to_bytes(2, "big") + first.payload
        await until(lambda: any(packet.payload == again for _, packet, _ in watching.browser.packets))


async def test_a_cut_takes_packets_out_of_the_history_so_that_no_nack_brings_them_back() -> None:
    async with Watching() as watching:
        browser = watching.browser
        receiver = browser.connection.getTransceivers()[0].receiver
        before = browser.packets[0][1]
        watching.stage.cut()
        cut_s = time.monotonic()
        await until(lambda: browser.packets[-1][0] > cut_s + 0.2)
        after = browser.packets[-1][1]
        await receiver._send_rtcp_nack(before.ssrc, [before.sequence_number, after.sequence_number])
        again = after.sequence_number.to_bytes(2, "big") + after.payload
        await until(lambda: any(packet.payload == again for _, packet, _ in browser.packets))
        gone = before.sequence_number.to_bytes(2, "big") + before.payload
        assert all(packet.payload != gone for _, packet, _ in browser.packets)


async def test_nothing_captured_before_a_cut_is_sent_after_it() -> None:
    async with Watching() as watching:
        assert watching.answer is not None
        browser, clock = watching.browser, watching.answer.capture_clock
        for _ in range(5):
            await browser.picture()
            cut_ms = time.monotonic() * 1000
            watching.stage.cut()
            await asyncio.sleep(0)  # what the sockets already had arrives now
            await asyncio.sleep(0.02)
            received = len(browser.packets)
            await browser.more_packets(6)
            assert all(captured_ms(clock, each.timestamp) >= cut_ms for _, each, _ in browser.packets[received:])


async def test_ending_a_connection_closes_it_for_the_viewer() -> None:
    async with Watching() as watching:
        assert watching.answer is not None
        await watching.stage.end(watching.answer.id, "ann")
        await until(lambda: watching.browser.connection.connectionState == "closed")
        assert watching.counts == [1, 0]


async def test_a_viewer_who_closes_the_connection_is_removed() -> None:
    async with Watching() as watching:
        await watching.browser.connection.close()
        await until(lambda: watching.stage.viewers == 0)


async def test_two_viewers_share_one_picture_and_one_may_leave() -> None:
    async with Watching() as watching:
        other = Browser()
        answer = await watching.webrtc.answer(await other.offer(), "bob")
        await other.accept(answer.sdp)
        assert await other.picture() == (320, 192)
        assert watching.stage.viewers == 2
        await other.connection.close()
        await until(lambda: watching.stage.viewers == 1)
        assert await watching.browser.picture() == (320, 192)


class UploadTrack(MediaStreamTrack):
    """A track of small H.264 frames."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0
        encoder = X264Encoder(SMALL)
        frame = encoder.encode(0.0, wants_idr=True)
        assert frame is not None
        self._data = frame.data

    async def recv(self) -> Packet[Stream]:
        await asyncio.sleep(0.002)
        packet = Packet(self._data)
        packet.pts, packet.time_base = self.sent * 180, Fraction(1, 90_000)
        self.sent += 1
        return packet


def decoders() -> int:
    """The number of threads that decode video."""
    return sum(thread.name == "video-decoder" for thread in threading.enumerate())


async def test_nothing_is_decoded_or_kept_of_what_a_viewer_uploads() -> None:
    browser, (stage, webrtc), upload = Browser(), open_stage(), UploadTrack()
    browser.connection.addTransceiver(upload, direction="sendrecv")
    await browser.connection.setLocalDescription(await browser.connection.createOffer())
    answer = await webrtc.answer(browser.connection.localDescription.sdp, "ann")
    assert "a=sendonly" in answer.sdp
    await browser.accept(answer.sdp.replace("a=sendonly", "a=sendrecv"))
    await browser.picture()
    await until(lambda: upload.sent > 300)
    assert decoders() == 1  # the browser's own
    connection = peer_of(stage)._connection
    receiver = vars(connection.getReceivers()[0])
    assert not receiver["_RTCRtpReceiver__started"]
    assert not receiver["_RTCRtpReceiver__remote_streams"]
    assert connection.sctp is None
    await browser.picture()
    await browser.connection.close()
    await stage.close()
    await asyncio.sleep(0.05)


AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n"
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\na=sctp-port:5000\r\n"


async def test_audio_and_data_are_refused_and_the_picture_comes() -> None:
    browser, (stage, webrtc) = Browser(), open_stage()
    offer = (await browser.offer()).replace("BUNDLE 0", "BUNDLE 0 1 2") + AUDIO + DATA
    answer = await webrtc.answer(offer, "ann")
    assert "a=group:BUNDLE 0\r\n" in answer.sdp
    picture, voice, data = answer.sdp.split("\r\nm=")[1:]
    assert "a=sendonly" in picture
    assert voice.startswith("audio 0 ")
    assert data.startswith("application 0 ")
    connection = peer_of(stage)._connection
    assert len(connection.getTransceivers()) == 1
    assert connection.sctp is None
    await browser.accept(answer.sdp.partition("m=audio")[0])
    assert await browser.picture() == (320, 192)
    await browser.connection.close()
    await stage.close()
    await asyncio.sleep(0.05)


async def test_a_flood_of_nacks_gets_a_share_of_the_stream() -> None:
    async with Watching() as watching:
        browser = watching.browser
        first = browser.packets[0][1].sequence_number
        before, started_s = len(browser.packets), time.monotonic()
        while time.monotonic() < started_s + 1.0:
            lost = [first + number for number in range(100)]
            await browser.say(*[rtp.RtcpRtpfbPacket(rtp.RTCP_RTPFB_NACK, 1, browser.ssrc, lost)] * 4)
            await asyncio.sleep(0.005)
        stream_per_s = SMALL.bitrate_kbps * 1000 / 8 / PAYLOAD_BYTES + SMALL.fps
        assert len(browser.packets) - before < 2.5 * stream_per_s
        assert await browser.picture() == (320, 192)


async def test_a_lossy_path_is_repaired() -> None:
    lost: list[int] = []
    seen: list[bytes] = []

    def loses(data: bytes) -> bool:
        """Every twentieth packet of the picture."""
        if seen and data[8:12] != seen[0][8:12]:
            return False
        seen.append(data)
        if len(seen) % 20:
            return False
        lost.append(int.from_bytes(data[2:4], "big"))
        return True

    browser = Browser(loses)
    async with Watching(browser):
        await until(lambda: len(lost) >= 5)
        await until(lambda: set(lost[:5]) <= came(browser))
        await browser.picture()


async def test_one_viewer_who_asks_for_key_frames_without_end_gets_one_a_second() -> None:
    async with Watching() as watching:
        await asyncio.sleep(0.3)
        before = watching.browser.idrs()
        for _ in range(20):
            await watching.browser.say(rtp.RtcpPsfbPacket(rtp.RTCP_PSFB_PLI, 1, watching.browser.ssrc))
            await asyncio.sleep(0.1)
        assert 2 <= watching.browser.idrs() - before <= 3


async def test_feedback_that_cannot_be_read_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with Watching() as watching:
        remb = rtp.RtcpPsfbPacket(rtp.RTCP_PSFB_APP, 1, 0, b"REMB\xff\x00\x00\x00")
        await watching.browser.say(remb)
        await asyncio.sleep(0.1)
        for _ in range(5):
            await watching.browser.picture()
        assert watching.stage.viewers == 1
    assert not caplog.records


async def test_a_strangers_packets_end_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with Watching() as watching:
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        candidate = watching.browser.transport.transport.getRemoteCandidates()[0]
        short_priority = b"\x00\x01\x00\x08\x21\x12\xa4\x42" + bytes(12) + b"\x00\x24\x00\x02" + bytes(4)
        for data in (b"", b"\x16", b"\x15\xfe\xfd" + bytes(12), bytes(1400), short_priority):
            stranger.sendto(data, (candidate.ip, candidate.port))
        stranger.close()
        await asyncio.sleep(0.1)
        for _ in range(5):
            await watching.browser.picture()
        assert watching.stage.viewers == 1
    assert not caplog.records


class Quiet:
    """A listener for a connection that is not used."""

    def receive_connected(self) -> None:
        """Not called."""

    def receive_ended(self) -> None:
        """Ignore it."""

    def report_capacity(self, bits_per_s: float) -> None:
        """Ignore it."""

    def report_loss(self, share: float) -> None:
        """Ignore it."""

    def report_round_trip(self, seconds: float) -> None:
        """Ignore it."""


async def answered(offer: str) -> str | StageReason:
    """A peer's answer to an offer, or the reason for refusing it."""
    peer = AiortcPeer(
        SMALL, Subscriber(), 0, lambda: None, Quiet(), payloads=SharedPayloads(), network=ViewerNetwork(time.monotonic)
    )
    try:
        read = read_offer(offer)
        return read.complete(await peer.answer(read.video))
    except StageError as error:
        return error.reason
    finally:
        await peer.close()
        await asyncio.sleep(0.05)  # aioice looks up from its checks every 20 ms


async def offered() -> str:
    browser = Browser()
    try:
        return await browser.offer("video", "audio")
    finally:
        await browser.connection.close()


async def test_an_owner_who_leaves_while_aiortc_is_loaded_leaves_no_connection_behind() -> None:
    stage, webrtc = open_stage()
    asking = asyncio.create_task(webrtc.answer(await offered(), "ann"))
    await asyncio.sleep(0)  # the first viewer brings aiortc, in a thread
    await stage.end_all_of("ann")
    with pytest.raises(StageError):
        await asking


async def test_other_tasks_run_between_reading_an_offer_and_answering_it() -> None:
    peer = AiortcPeer(
        SMALL, Subscriber(), 0, lambda: None, Quiet(), payloads=SharedPayloads(), network=ViewerNetwork(time.monotonic)
    )
    steps: list[str] = []

    def receive_step() -> None:
        step = peer._connection.signalingState
        steps.append(step)
        asyncio.get_running_loop().call_soon(steps.append, f"others after {step}")

    peer._connection.on("signalingstatechange", receive_step)
    await peer.answer(read_offer(await offered()).video)
    await peer.close()
    await asyncio.sleep(0.05)
    assert steps[:3] == ["have-remote-offer", "others after have-remote-offer", "stable"]


async def test_a_connection_that_is_closed_while_it_is_answered_has_no_picture() -> None:
    peer = AiortcPeer(
        SMALL, Subscriber(), 0, lambda: None, Quiet(), payloads=SharedPayloads(), network=ViewerNetwork(time.monotonic)
    )
    answering = asyncio.create_task(peer.answer(read_offer(await offered()).video))
    await asyncio.sleep(0)
    await peer.close()
    with pytest.raises(StageError) as caught:
        await answering
    assert caught.value.reason is StageReason.NO_PICTURE
    await asyncio.sleep(0.05)


async def test_h264_in_a_way_we_do_not_send_is_no_common_codec() -> None:
    offer = (await offered()).replace("packetization-mode=1", "packetization-mode=0")
    assert await answered(offer) is StageReason.NO_COMMON_CODEC


async def test_an_answer_names_our_addresses_and_h264_only() -> None:
    answer = await answered(await offered())
    assert isinstance(answer, str)
    assert "a=candidate:" in answer
    assert "VP8" not in answer


OFFER = asyncio.run(offered())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_mutilated_offer_is_answered_or_refused(data: st.DataObject) -> None:
    lines = OFFER.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "cut", "garble", "double"])):
            case "drop":
                del lines[place]
            case "cut":
                lines[place] = lines[place][: data.draw(st.integers(0, len(lines[place])))]
            case "garble":
                lines[place] = lines[place][:6] + data.draw(st.text(max_size=8))
            case _:
                lines.insert(place, lines[place])
    result = asyncio.run(answered("\r\n".join(lines) + "\r\n"))
    assert result in {StageReason.BAD_OFFER, StageReason.NO_COMMON_CODEC} or "a=setup" in result


CHROMIUM_ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--allow-loopback-in-peer-connection"]
WATCH = """async (policy) => {
  const pc = (window.pc = new RTCPeerConnection({ bundlePolicy: policy }));
  const kinds = policy === "max-bundle" ? ["video", "audio"] : ["audio", "video"];
  for (const kind of kinds) pc.addTransceiver(kind, { direction: "sendrecv" });
  pc.createDataChannel("data");
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
}"""
SEEN = """async (sdp) => {
  await pc.setRemoteDescription({ type: "answer", sdp });
  for (let i = 0; i < 200; i++) {
    for (const stat of (await pc.getStats()).values()) {
      if (stat.framesDecoded > 5) return pc.getTransceivers().map((one) => one.currentDirection);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return [pc.connectionState];
}"""


@pytest.mark.browser
@pytest.mark.parametrize(("policy", "seen"), [("balanced", ["inactive", "recvonly"]), ("max-bundle", ["recvonly"])])
async def test_chromium_sees_the_picture_though_it_gets_no_audio_and_no_data(policy: str, seen: list[str]) -> None:
    stage, webrtc = open_stage()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGUMENTS)
        page = await browser.new_page()
        answer = await webrtc.answer(await page.evaluate(WATCH, policy), "ann")
        assert await page.evaluate(SEEN, answer.sdp) == seen
        await browser.close()
    await stage.close()
    await asyncio.sleep(0.05)
