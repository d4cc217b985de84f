"""One viewer's stream: slow and hostile peers, cuts, and ends, on virtual time."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from tests.stage.fakes import StageRig
from tests.stage.stream.fakes import SMALL_SPS, FakeFrameSocket, acknowledgement, frame_at

from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.stream.backlog import FIRST_PATH_S, SILENT_S, WAITING_S
from belvedere.stage.stream.messages import SharedMessages
from belvedere.stage.stream.peer import MESSAGES_BURST, StreamEnd, StreamPeer
from belvedere.stage.stream.stream_way import Stream
from belvedere.stage.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HD = VideoDescription(VideoFormat.RAW, 1280, 720, 30)


class PeerRig:
    """A stage with one viewer by WebSocket."""

    def __init__(self) -> None:
        self.clock = asyncio.get_running_loop().time
        self.stage_rig = StageRig()
        self.stage = self.stage_rig.stage
        self.socket = FakeFrameSocket()
        way = Stream(self.stage, clock=self.clock)
        self.viewer = self.stage.admit("ann", way)
        self.peer = StreamPeer(self.socket, self.viewer, SharedMessages(), lambda: self.stage.description, self.clock)
        self.viewer.connection = self.peer
        self.viewer.receive_connected()
        self.idrs = 0  # that were asked for
        self.running = asyncio.create_task(self.peer.run())
        self.describe(HD)

    def describe(self, description: VideoDescription) -> None:
        self.stage_rig.producer.listener.receive_description(description)

    async def capture(self, *, is_idr: bool = False) -> int:
        """A frame comes from the camera and gets as far as it does; returns its capture time."""
        self.stage_rig.now_s = self.clock()
        frame = frame_at(self.clock(), is_idr=is_idr)
        self.stage_rig.producer.listener.receive_frame(frame)
        for _ in range(5):
            await asyncio.sleep(0)
        return frame.ticks

    async def watch(self, seconds: float, *, acknowledges: bool = True) -> None:
        """Frames come at 30 a second, IDRs where they were requested."""
        for _ in range(round(seconds * 30)):
            await asyncio.sleep(1 / 30)
            wants_idr, self.stage_rig.producer.idrs = self.stage_rig.producer.idrs > 0, 0
            self.idrs += wants_idr
            await self.capture(is_idr=wants_idr)
            if acknowledges and self.socket.ticks():
                self.socket.say(acknowledgement(self.socket.ticks()[-1]))


@asynccontextmanager
async def watching() -> AsyncIterator[PeerRig]:
    rig = PeerRig()
    await asyncio.sleep(0)
    yield rig
    await rig.stage.close()
    await asyncio.wait({rig.running})


async def test_the_description_comes_first_and_then_every_frame_from_an_idr_on() -> None:
    async with watching() as rig:
        await rig.capture()
        times = [await rig.capture(is_idr=True), await rig.capture(), await rig.capture()]
        assert isinstance(rig.socket.sent[0], str)
        assert json.loads(rig.socket.sent[0]) == {"codec": "avc1.42c01f", "width": 1280, "height": 720, "fps": 30}
        assert rig.socket.ticks() == times


async def test_the_description_is_sent_again_only_when_it_is_another() -> None:
    async with watching() as rig:
        await rig.capture(is_idr=True)
        await rig.capture(is_idr=True)
        smaller = dataclasses.replace(frame_at(rig.clock(), is_idr=True), data=SMALL_SPS, ticks=2**40)
        rig.stage_rig.producer.listener.receive_frame(smaller)
        await asyncio.sleep(0.01)
        texts = [json.loads(message) for message in rig.socket.sent if isinstance(message, str)]
        assert [each["width"] for each in texts] == [1280, 640]
        assert isinstance(rig.socket.sent[-2], str)


async def test_a_viewer_who_reads_nothing_is_sent_nothing_more_and_costs_no_idr() -> None:
    async with watching() as rig:
        await rig.watch(1)
        rig.socket.stop_reading()
        idrs, sent = rig.idrs, len(rig.socket.sent)
        await rig.watch(3, acknowledges=False)
        assert len(rig.socket.sent) <= sent + 1
        assert rig.idrs == idrs
        assert not rig.peer._unsent


async def test_an_idr_for_others_does_not_wait_for_a_viewer_who_reads_nothing() -> None:
    async with watching() as rig:
        await rig.watch(1)
        rig.socket.stop_reading()
        await rig.watch(2, acknowledges=False)
        rig.socket.say(acknowledgement(rig.socket.ticks()[-1]))
        await asyncio.sleep(0.01)
        await rig.capture(is_idr=True)
        assert not rig.peer._unsent


async def test_a_viewer_who_acknowledges_what_has_not_left_is_ended_and_nothing_piles_up() -> None:
    async with watching() as rig:
        await rig.watch(1)
        rig.socket.stop_reading()
        for _ in range(90):
            rig.socket.say(acknowledgement(await rig.capture()))
            await asyncio.sleep(1 / 30)
        assert len(rig.peer._unsent) < 5
        assert await rig.running is StreamEnd.BAD_MESSAGE


async def test_a_viewer_who_reads_again_goes_on_with_an_idr_and_nothing_old() -> None:
    async with watching() as rig:
        await rig.watch(1)
        rig.socket.stop_reading()
        await rig.watch(2, acknowledges=False)
        again_at = rig.clock()
        before = len(rig.socket.sent)
        rig.socket.read_again()
        await rig.watch(1)
        newest = rig.socket.ticks()[-25:]
        assert min(newest) >= round(again_at * 90_000)
        assert len(rig.socket.sent) - before >= 25


async def test_a_proxy_that_takes_everything_and_delivers_nothing_gets_a_bounded_share() -> None:
    async with watching() as rig:
        await rig.watch(4, acknowledges=False)
        assert len(rig.socket.ticks()) <= (FIRST_PATH_S + WAITING_S) * 30 + 2


async def test_a_viewer_who_acknowledges_nothing_for_long_is_gone() -> None:
    async with watching() as rig:
        await rig.watch(SILENT_S + 1, acknowledges=False)
        assert await rig.running is StreamEnd.SILENT


async def test_a_cut_takes_back_what_is_queued_and_goes_on_with_an_idr() -> None:
    async with watching() as rig:
        await rig.watch(1)
        rig.socket.stop_reading()
        for _ in range(3):
            await rig.capture()
        sent = list(rig.socket.sent)
        rig.peer.cut()
        assert rig.socket.discards == 1
        rig.socket.read_again()
        await rig.capture()
        assert rig.socket.sent == sent
        rig.socket.say(acknowledgement(rig.socket.ticks()[-1]))
        await asyncio.sleep(0)
        idr = await rig.capture(is_idr=True)
        assert rig.socket.ticks()[-1] == idr


async def test_a_description_that_was_cut_is_sent_with_the_next_idr() -> None:
    async with watching() as rig:
        rig.socket.stop_reading()
        await rig.capture(is_idr=True)
        rig.peer.cut()
        rig.socket.read_again()
        await rig.capture(is_idr=True)
        assert [type(message) for message in rig.socket.sent] == [str, bytes]


class Reports(Viewer):
    """A viewer that records what is reported of its connection."""

    def __init__(self, viewer: Viewer) -> None:
        vars(self).update(vars(viewer))
        self.round_trips: list[float] = []
        self.capacities: list[float] = []

    def report_round_trip(self, seconds: float) -> None:
        self.round_trips.append(seconds)

    def report_capacity(self, bits_per_s: float) -> None:
        self.capacities.append(bits_per_s)


async def test_what_the_connection_carries_is_reported_by_its_round_trips_and_when_it_is_full() -> None:
    async with watching() as rig:
        reports = rig.peer._viewer = Reports(rig.viewer)
        await rig.watch(1)
        assert len(reports.round_trips) > 20
        assert max(reports.round_trips) < 0.1
        assert reports.capacities == []
        await rig.watch(2, acknowledges=False)
        assert len(reports.capacities) == 1


async def test_a_request_for_an_idr_is_passed_on_within_the_bounds_of_all() -> None:
    async with watching() as rig:
        await rig.capture(is_idr=True)
        rig.stage_rig.producer.idrs = 0
        for _ in range(50):
            rig.socket.say(b"\x03")
        await asyncio.sleep(0.01)
        assert rig.stage_rig.producer.idrs == 1


@pytest.mark.parametrize("message", [None, b"", b"\x09", b"\x01", acknowledgement(2**60)])
async def test_an_invalid_message_ends_the_stream(message: bytes | None) -> None:
    async with watching() as rig:
        await rig.capture(is_idr=True)
        rig.socket.say(message)
        assert await rig.running is StreamEnd.BAD_MESSAGE


async def test_a_flood_ends_the_stream_and_blocks_no_other_task() -> None:
    async with watching() as rig:
        for _ in range(int(MESSAGES_BURST) + 2):
            rig.socket.say(b"\x03")
        turns = 0
        while not rig.running.done():
            await asyncio.sleep(0)
            turns += 1
        assert await rig.running is StreamEnd.TOO_MUCH
        assert turns >= MESSAGES_BURST / 32


async def test_a_viewer_who_leaves_ends_the_stream() -> None:
    async with watching() as rig:
        rig.socket.leave()
        assert await rig.running is StreamEnd.LEFT


async def test_the_end_of_the_viewer_takes_back_what_is_unsent_and_ends_the_stream() -> None:
    async with watching() as rig:
        await rig.capture(is_idr=True)
        rig.socket.stop_reading()
        await rig.capture()
        sent = list(rig.socket.sent)
        await rig.stage.end_all_of("ann")
        assert rig.socket.discards >= 1
        rig.socket.read_again()
        assert await rig.running is StreamEnd.STOPPED
        assert rig.socket.sent == sent
