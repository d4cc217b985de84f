from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Self

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, rtp
from av import VideoFrame
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from belvedere.errors import StageError, StageReason
from belvedere.stage.aiortc_patches import PLAYOUT_DELAY_ID
from belvedere.stage.direct import DirectPeer
from belvedere.stage.hub import Outlet
from belvedere.stage.offer import read_offer
from belvedere.stage.options import StageOptions
from belvedere.stage.pattern import PatternSource
from belvedere.stage.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiortc import MediaStreamTrack

    from belvedere.stage.answer import Answer

pytestmark = pytest.mark.realtime
SMALL = StageOptions(width=320, height=192, fps=30, bitrate_kbps=800)
IDR_UNIT, AGGREGATE, FRAGMENT = 5, 24, 28


class Browser:
    """A viewer made of aiortc, who keeps the packets that come in."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.packets: list[tuple[float, rtp.RtpPacket, dict[int, bytes]]] = []
        self.track: MediaStreamTrack | None = None
        self.connection.on("track", self._receive_track)

    async def offer(self, *kinds: str) -> str:
        for kind in kinds or ("video",):
            self.connection.addTransceiver(kind, direction="recvonly")
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def accept(self, sdp: str) -> None:
        transport = self.connection.getTransceivers()[0].receiver.transport
        handle = transport._handle_rtp_data

        async def keep(data: bytes, arrival_time_ms: int) -> None:
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

    def idrs(self) -> int:
        """How many IDR pictures began so far."""
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


class Watching:
    """A stage with one viewer who sees the picture; leaves nothing behind."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        self.stage = Stage(PatternSource, SMALL, on_viewers=self.counts.append)
        self.browser = Browser()
        self.answer: Answer | None = None

    async def __aenter__(self) -> Self:
        self.answer = await self.stage.answer(await self.browser.offer(), "ann")
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
            age_ms = received_s * 1000 - watching.answer.capture_clock.captured_ms(packet.timestamp)
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


async def test_ending_a_connection_tells_the_viewer() -> None:
    async with Watching() as watching:
        assert watching.answer is not None
        await watching.stage.end(watching.answer.id, "ann")
        await until(lambda: watching.browser.connection.connectionState == "closed")
        assert watching.counts == [1, 0]


async def test_a_viewer_who_says_goodbye_is_let_go() -> None:
    async with Watching() as watching:
        await watching.browser.connection.close()
        await until(lambda: watching.stage.viewers == 0)


async def test_two_viewers_share_one_picture_and_one_may_leave() -> None:
    async with Watching() as watching:
        other = Browser()
        answer = await watching.stage.answer(await other.offer(), "bob")
        await other.accept(answer.sdp)
        assert await other.picture() == (320, 192)
        assert watching.stage.viewers == 2
        await other.connection.close()
        await until(lambda: watching.stage.viewers == 1)
        assert await watching.browser.picture() == (320, 192)


async def test_a_viewer_who_also_offers_voice_still_sees_the_picture() -> None:
    browser, stage = Browser(), Stage(PatternSource, SMALL, on_viewers=lambda _count: None)
    answer = await stage.answer(await browser.offer("video", "audio"), "ann")
    await browser.accept(answer.sdp)
    assert await browser.picture() == (320, 192)
    assert answer.sdp.count("a=sendonly") == 1
    await browser.connection.close()
    await stage.close()
    await asyncio.sleep(0.05)


class Quiet:
    """Listens to a connection that nobody uses."""

    def receive_connected(self) -> None:
        """Never happens."""

    def receive_ended(self) -> None:
        """Nothing to do."""


async def answered(offer: str) -> str | StageReason:
    """What a peer makes of an offer: its answer, or why there is none."""
    peer = DirectPeer(SMALL, Outlet(), 0, lambda: None, Quiet())
    try:
        return await peer.answer(read_offer(offer))
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
    stage = Stage(PatternSource, StageOptions(), on_viewers=lambda _count: None)
    asking = asyncio.create_task(stage.answer(await offered(), "ann"))
    await asyncio.sleep(0)  # the first viewer brings aiortc, in a thread
    await stage.end_all_of("ann")
    with pytest.raises(StageError):
        await asking


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
