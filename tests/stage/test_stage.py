from __future__ import annotations

import asyncio
import queue
import threading
from typing import TYPE_CHECKING

import pytest
from tests.stage.fakes import IDR, OFFER, StageRig

from belvedere.errors import Refusal, StageError, StageReason, VisitorError
from belvedere.events import ViewerJoined, ViewerLeft
from belvedere.stage.frames import EncodedFrame, rtp_ticks
from belvedere.stage.options import (
    CONNECT_TIMEOUT_S,
    MAX_UNCONNECTED,
    StageOptions,
)
from belvedere.stage.sources.pattern import PatternSource
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.stage import Stage

if TYPE_CHECKING:
    from belvedere.stage.sources.source import VideoSource


async def refusal(rig: StageRig, offer: str = OFFER, owner: str = "bob") -> StageReason:
    with pytest.raises(StageError) as caught:
        await rig.webrtc.answer(offer, owner)
    return caught.value.reason


async def test_the_picture_is_on_from_the_answer_and_off_when_nobody_is_left() -> None:
    rig = StageRig()
    first = await rig.watch()
    assert rig.is_on()
    second = await rig.watch()
    await rig.stage.end(first, "ann")
    assert rig.is_on()
    await rig.stage.end(second, "ann")
    assert not rig.is_on()
    assert all(peer.is_closed for peer in rig.peers)
    assert rig.producer.starts == 1


async def test_viewers_are_counted_once_they_are_connected() -> None:
    rig = StageRig()
    answer = await rig.webrtc.answer(OFFER, "ann")
    assert rig.stage.viewers == 0
    rig.peers[0].listener.receive_connected()
    rig.peers[0].listener.receive_connected()
    await rig.watch("bob")
    await rig.stage.end(answer.id, "ann")
    rig.peers[1].listener.receive_ended()
    rig.peers[1].listener.receive_ended()
    assert rig.counts == [1, 2, 1, 0]
    assert rig.stage.viewers == 0
    await rig.stage.close()


async def test_each_visit_is_recorded_once_with_its_length() -> None:
    rig = StageRig()
    never = await rig.webrtc.answer(OFFER, "bob")
    viewer = await rig.watch("ann")
    rig.now_s += 30
    await rig.stage.end(viewer, "ann")
    await rig.stage.end(never.id, "bob")
    await rig.stage.close()
    assert rig.events == [
        ViewerJoined(viewer, "ann", "WebRTC", viewer),
        ViewerLeft(viewer, "ann", 30, viewer),
    ]


async def test_a_viewer_gets_pictures_once_connected_and_an_idr_is_asked_for() -> None:
    rig = StageRig()
    await rig.webrtc.answer(OFFER, "ann")
    rig.producer.listener.receive_frame(IDR)
    assert rig.producer.idrs == 0
    rig.peers[0].listener.receive_connected()
    assert rig.producer.idrs == 1
    rig.producer.listener.receive_frame(IDR)
    assert await rig.peers[0].subscriber.next_frame() is IDR
    rig.peers[0].request_idr()
    assert rig.producer.idrs == 2
    await rig.stage.close()
    assert await rig.peers[0].subscriber.next_frame() is None


DELTA = EncodedFrame(b"", 0.0, 1, is_idr=False)


def frame_at(captured_s: float, *, is_idr: bool = True) -> EncodedFrame:
    return EncodedFrame(b"", captured_s, rtp_ticks(captured_s), is_idr)


async def test_endless_requests_for_key_frames_wait_and_are_then_served() -> None:
    rig = StageRig()
    await rig.watch()
    rig.producer.listener.receive_frame(IDR)
    for _ in range(10):
        rig.peers[0].request_idr()
    assert rig.producer.idrs == 2
    rig.now_s += 0.9
    rig.producer.listener.receive_frame(DELTA)
    assert rig.producer.idrs == 2
    rig.now_s += 0.1
    rig.producer.listener.receive_frame(DELTA)
    rig.producer.listener.receive_frame(DELTA)
    assert rig.producer.idrs == 3
    await rig.stage.close()


async def test_a_key_frame_requested_by_another_viewer_satisfies_a_waiting_request() -> None:
    rig = StageRig()
    await rig.watch("ann")
    await rig.watch("bob")
    rig.producer.listener.receive_frame(IDR)
    greedy, honest = rig.peers
    greedy.request_idr()
    greedy.request_idr()
    honest.request_idr()
    assert rig.producer.idrs == 4
    rig.producer.listener.receive_frame(IDR)
    rig.now_s += 5
    rig.producer.listener.receive_frame(DELTA)
    assert rig.producer.idrs == 4
    await rig.stage.close()
    greedy.request_idr()
    assert rig.producer.idrs == 4


async def test_only_the_owner_ends_a_connection() -> None:
    rig = StageRig()
    viewer = await rig.watch("ann")
    for viewer_id, owner in ((viewer, "bob"), ("unknown", "ann")):
        with pytest.raises(StageError) as caught:
            await rig.stage.end(viewer_id, owner)
        assert caught.value.reason is StageReason.NOT_FOUND
    await rig.stage.end(viewer, "ann")
    with pytest.raises(StageError):
        await rig.stage.end(viewer, "ann")


async def test_all_connections_of_an_owner_end_and_no_others() -> None:
    rig = StageRig()
    for owner in ("ann", "bob", "ann"):
        await rig.watch(owner)
    await rig.stage.end_all_of("ann")
    assert [peer.is_closed for peer in rig.peers] == [True, False, True]
    await rig.stage.close()


async def test_viewers_beyond_the_limit_are_refused() -> None:
    rig = StageRig(max_viewers=2)
    await rig.watch("ann")
    await rig.webrtc.answer(OFFER, "cid")
    assert await refusal(rig, owner="bob") is StageReason.TOO_MANY_VIEWERS
    await rig.stage.close()


async def test_at_the_limit_whoever_has_several_gives_one_to_a_visitor_who_has_none() -> None:
    rig = StageRig(max_viewers=3)
    for owner in ("bob", "ann", "ann"):
        await rig.watch(owner)
    await rig.watch("cid")
    assert await refusal(rig, owner="dan") is StageReason.TOO_MANY_VIEWERS
    await asyncio.sleep(1)
    assert [peer.is_closed for peer in rig.peers[:4]] == [False, True, False, False]
    await rig.stage.close()


async def test_one_person_with_many_sessions_does_not_fill_all_places() -> None:
    rig = StageRig(max_viewers=3, person_of=lambda owner: owner[0])
    for owner in ("ann", "ann2", "ann3"):
        await rig.watch(owner)
    await rig.watch("bob")
    await rig.watch("cid")
    assert await refusal(rig, owner="dan") is StageReason.TOO_MANY_VIEWERS
    await asyncio.sleep(1)
    assert [peer.is_closed for peer in rig.peers[:5]] == [True, True, False, False, False]
    await rig.stage.close()


async def test_at_the_limit_the_oldest_connection_of_ones_other_devices_is_ended() -> None:
    rig = StageRig(max_viewers=2, person_of=lambda owner: owner[0])
    for owner in ("bob", "ann", "ann2"):
        await rig.watch(owner)
    await asyncio.sleep(1)
    assert [peer.is_closed for peer in rig.peers] == [False, True, False]
    await rig.stage.close()


async def test_at_the_limit_an_owners_own_oldest_connection_is_ended() -> None:
    rig = StageRig(max_viewers=2)
    stale = await rig.watch("ann")
    await rig.watch("bob")
    await rig.watch("ann")
    with pytest.raises(StageError):
        await rig.stage.end(stale, "ann")
    assert rig.stage.viewers == 2
    await rig.stage.close()
    assert all(peer.is_closed for peer in rig.peers)


async def test_unconnected_connections_of_one_visitor_replace_each_other() -> None:
    rig = StageRig()
    watching = await rig.watch("ann")
    for _ in range(MAX_UNCONNECTED + 2):
        await rig.webrtc.answer(OFFER, "ann")
    await asyncio.sleep(1)
    assert [peer.is_closed for peer in rig.peers] == [False, True, True, *[False] * MAX_UNCONNECTED]
    await rig.stage.end(watching, "ann")
    await rig.stage.close()


async def test_a_viewer_who_never_connects_is_removed() -> None:
    rig = StageRig()
    await rig.webrtc.answer(OFFER, "ann")
    await asyncio.sleep(CONNECT_TIMEOUT_S - 1)
    assert rig.is_on()
    await asyncio.sleep(2)
    assert not rig.is_on()
    assert rig.peers[0].is_closed
    assert rig.counts == []


async def test_a_viewer_who_has_connected_stays() -> None:
    rig = StageRig()
    await rig.watch()
    await asyncio.sleep(10 * CONNECT_TIMEOUT_S)
    assert rig.stage.viewers == 1
    await rig.stage.close()


async def test_a_cut_empties_all_that_is_on_its_way_to_anyone() -> None:
    rig = StageRig()
    rig.stage.cut()  # nobody is there, nothing is on
    await rig.watch("ann")
    await rig.webrtc.answer(OFFER, "bob")
    rig.producer.listener.receive_frame(frame_at(12.4))
    rig.stage.cut()
    assert rig.producer.cuts == 2
    assert [peer.cuts for peer in rig.peers] == [1, 1]
    late, first = frame_at(12.5), frame_at(12.501)
    rig.producer.listener.receive_frame(late)  # it was being encoded when everything else was cut
    rig.producer.listener.receive_frame(frame_at(12.5005, is_idr=False))
    rig.producer.listener.receive_frame(first)
    assert await rig.peers[0].subscriber.next_frame() is first
    assert rig.counts == [1]
    await rig.stage.close()


async def test_a_connection_that_cannot_be_cut_is_ended_and_the_others_are_cut(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = StageRig()
    await rig.watch("ann")
    await rig.watch("bob")
    del rig.peers[0].cuts
    rig.stage.cut()
    assert (rig.peers[1].cuts, rig.stage.viewers) == (1, 1)
    assert "could not cut" in caplog.text
    await rig.stage.close()


async def test_after_a_cut_an_idr_is_asked_for_those_who_watch() -> None:
    rig = StageRig()
    await rig.watch("ann")
    rig.producer.listener.receive_frame(frame_at(12.4))
    before = rig.producer.idrs
    rig.stage.cut()
    assert rig.producer.idrs == before + 1
    await rig.stage.close()


class Broadcast:
    """Another way, which has its connections at once."""

    name = "broadcast"

    def load(self) -> None:
        """Import nothing."""


class Channel:
    """A connection of that way."""

    def __init__(self) -> None:
        self.is_closed = False

    def cut(self) -> None:
        """Do nothing: it takes nothing from its subscriber."""

    async def close(self) -> None:
        self.is_closed = True


async def test_viewers_of_all_ways_are_counted_and_limited_together() -> None:
    rig = StageRig(max_viewers=2)
    await rig.watch("ann")
    viewer = rig.stage.admit("bob", Broadcast())
    viewer.connection = channel = Channel()
    viewer.receive_connected()
    assert rig.counts == [1, 2]
    assert rig.events[-1] == ViewerJoined(viewer.id, "bob", "broadcast", viewer.id)
    assert await refusal(rig, owner="cid") is StageReason.TOO_MANY_VIEWERS
    await rig.stage.end_all_of("ann")
    assert rig.is_on()
    viewer.receive_ended()
    viewer.receive_connected()  # too late
    viewer.receive_connecting()
    assert not rig.is_on()
    await rig.stage.close()
    assert channel.is_closed
    assert rig.counts == [1, 2, 1, 0]


async def test_a_way_turns_the_picture_on_before_it_is_connected() -> None:
    rig = StageRig()
    viewer = rig.stage.admit("ann", Broadcast())
    assert rig.producer.starts == 0
    viewer.receive_connecting()
    viewer.receive_connecting()
    assert rig.producer.starts == 1
    await asyncio.sleep(CONNECT_TIMEOUT_S + 1)
    assert viewer.is_ended
    assert not rig.producer.is_on


async def test_a_closed_stage_refuses_offers() -> None:
    rig = StageRig()
    await rig.watch()
    await rig.stage.close()
    assert rig.peers[0].is_closed
    assert not rig.is_on()
    assert await refusal(rig) is StageReason.NO_PICTURE
    await rig.stage.close()


async def test_a_viewer_of_a_camera_that_encodes_starts_with_the_last_idr() -> None:
    rig = StageRig()
    await rig.webrtc.answer(OFFER, "ann")
    rig.producer.listener.receive_description(VideoDescription(VideoFormat.H264, 320, 192, 30))
    rig.producer.listener.receive_frame(IDR)
    rig.peers[0].listener.receive_connected()
    assert await rig.peers[0].subscriber.next_frame() is IDR
    assert rig.producer.idrs == 0
    rig.producer.listener.receive_description(raw := VideoDescription(VideoFormat.RAW, 320, 192, 30))
    assert rig.stage.description is raw
    await rig.watch("bob")
    assert rig.producer.idrs == 1
    await rig.stage.close()


class PreparedSource(PatternSource):
    """A source that counts its preparations, each of which lasts until it may end."""

    def __init__(self, prepared: queue.Queue[tuple[int, int, int]], may_end: threading.Event) -> None:
        super().__init__()
        self._prepared, self._may_end = prepared, may_end

    def prepare(self, width: int, height: int, fps: int) -> None:
        self._prepared.put((width, height, fps))
        self._may_end.wait(10)


@pytest.mark.realtime
async def test_preloading_prepares_a_source_once_and_once_more_for_those_who_come_later() -> None:
    prepared: queue.Queue[tuple[int, int, int]] = queue.Queue()
    may_end = threading.Event()
    stage = Stage(lambda: PreparedSource(prepared, may_end), StageOptions(), on_viewers=lambda _count: None)
    stage.preload()
    stage.preload()
    assert await asyncio.to_thread(prepared.get, timeout=10) == (1280, 720, 30)
    stage.preload()
    may_end.set()
    for thread in threading.enumerate():
        if thread.name == "stage-warm":
            thread.join(10)
    assert prepared.empty()
    stage.preload()
    assert await asyncio.to_thread(prepared.get, timeout=10) == (1280, 720, 30)
    await stage.close()


@pytest.mark.realtime
async def test_a_failed_preparation_of_a_source_is_logged_and_has_no_effect(caplog: pytest.LogCaptureFixture) -> None:
    def no_camera() -> VideoSource:
        raise OSError("no camera")

    stage = Stage(no_camera, StageOptions(), on_viewers=lambda _count: None)
    stage.preload()
    for thread in threading.enumerate():
        if thread.name == "stage-warm":
            thread.join(10)
    assert "could not prepare the video source" in caplog.text
    await stage.close()


@pytest.mark.realtime
async def test_the_hardware_encoder_is_tried_after_all_else_and_may_fail(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: queue.Queue[tuple[int, int, int]] = queue.Queue()
    tried: queue.Queue[tuple[StageOptions, bool]] = queue.Queue()

    def prepare_encoder(options: StageOptions) -> None:
        tried.put((options, prepared.empty()))
        raise OSError("no memory")

    monkeypatch.setattr("belvedere.stage.stage.prepare_encoder", prepare_encoder)
    options, may_end = StageOptions(fps=20), threading.Event()
    may_end.set()
    stage = Stage(lambda: PreparedSource(prepared, may_end), options, on_viewers=lambda _count: None)
    stage.preload()
    assert await asyncio.to_thread(tried.get, timeout=10) == (options, False)
    for thread in threading.enumerate():
        if thread.name == "stage-warm":
            thread.join(10)
    assert "could not try the hardware encoder" in caplog.text
    await stage.close()


async def test_an_owner_watches_from_the_connection_until_its_end() -> None:
    rig = StageRig()
    answer = await rig.webrtc.answer(OFFER, "ann")
    assert not rig.stage.is_watching("ann")
    rig.peers[0].listener.receive_connected()
    assert rig.stage.is_watching("ann")
    assert not rig.stage.is_watching("bob")
    await rig.stage.end(answer.id, "ann")
    assert not rig.stage.is_watching("ann")


async def test_what_was_captured_until_a_cut_stays_cut() -> None:
    rig = StageRig()
    assert not rig.stage.is_cut(12.5)
    rig.stage.cut()
    assert rig.stage.is_cut(12.5)
    assert not rig.stage.is_cut(12.6)


async def test_covering_turns_everything_off_at_once_and_admits_nobody() -> None:
    rig = StageRig()
    await rig.watch("ann")
    joining = rig.stage.admit("bob", Broadcast())
    joining.receive_connecting()
    waiting = asyncio.create_task(rig.stage.take_still())
    await asyncio.sleep(0)
    rig.producer.listener.receive_frame(frame_at(12.4))
    rig.stage.cover()
    assert not rig.is_on()
    assert rig.stage.viewers == 0
    assert rig.peers[0].cuts == 1
    assert rig.stage.is_cut(12.5)
    joining.receive_connected()  # too late
    rig.stage.cover()  # another tap
    assert not rig.is_on()
    with pytest.raises(StageError):
        await waiting
    for refused in (lambda: rig.stage.admit("ann", Broadcast()), rig.stage.open_tap):
        with pytest.raises(VisitorError) as caught:
            refused()
        assert caught.value.refusal is Refusal.CURTAIN_CLOSED
    await rig.stage.close()
    assert rig.peers[0].is_closed


async def test_uncovering_leaves_the_source_off_until_a_viewer_comes() -> None:
    rig = StageRig()
    rig.stage.cover()
    rig.stage.preload()  # nothing is prepared meanwhile
    assert "stage-warm" not in {thread.name for thread in threading.enumerate()}
    rig.stage.uncover()
    assert rig.producer.starts == 0
    await rig.watch()
    assert rig.is_on()
    rig.stage.uncover()
    assert rig.is_on()
    await rig.stage.close()
    rig.stage.cover()
    rig.stage.uncover()
    with pytest.raises(StageError):
        rig.stage.open_tap()


async def test_covering_ends_an_outage_and_what_cannot_be_cut_is_off_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = StageRig()
    await rig.watch()
    rig.producer.fail(RuntimeError("unplugged"))
    monkeypatch.setattr(rig.producer, "cut", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        rig.stage.cover()
    await asyncio.sleep(100)  # no retry, and nobody is given up
    assert not rig.is_on()
    assert rig.stage.viewers == 0
    await rig.stage.close()
