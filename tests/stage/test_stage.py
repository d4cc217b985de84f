from __future__ import annotations

import asyncio
import logging
import queue
import threading
from typing import TYPE_CHECKING

import pytest
from tests.stage.fakes import ANSWER, IDR, OFFER, House

from belvedere.errors import StageError, StageReason
from belvedere.events import ViewerJoined, ViewerLeft
from belvedere.stage.hub import EncodedFrame
from belvedere.stage.options import (
    ANSWER_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    MAX_UNCONNECTED,
    SET_UPS_APART_S,
    STALL_TIMEOUT_S,
    StageOptions,
)
from belvedere.stage.pattern import PatternSource
from belvedere.stage.stage import Stage

if TYPE_CHECKING:
    from belvedere.stage.source import VideoSource


async def refusal(house: House, offer: str = OFFER, owner: str = "bob") -> StageReason:
    with pytest.raises(StageError) as caught:
        await house.stage.answer(offer, owner)
    return caught.value.reason


async def test_an_offer_gets_an_answer_and_a_clock_to_read_it_by() -> None:
    house = House()
    answer = await house.stage.answer(OFFER, "ann")
    assert answer.sdp == ANSWER
    assert answer.capture_clock.server_ms == 12500
    await house.stage.close()


async def test_the_picture_is_on_from_the_answer_and_off_when_nobody_is_left() -> None:
    house = House()
    first = await house.watch()
    assert house.is_on()
    second = await house.watch()
    await house.stage.end(first, "ann")
    assert house.is_on()
    await house.stage.end(second, "ann")
    assert not house.is_on()
    assert all(peer.is_closed for peer in house.peers)
    assert len(house.producers) == 1


async def test_those_who_watch_are_counted_once_they_are_connected() -> None:
    house = House()
    answer = await house.stage.answer(OFFER, "ann")
    assert house.stage.viewers == 0
    house.peers[0].listener.receive_connected()
    house.peers[0].listener.receive_connected()
    await house.watch("bob")
    await house.stage.end(answer.id, "ann")
    house.peers[1].listener.receive_ended()
    house.peers[1].listener.receive_ended()
    assert house.counts == [1, 2, 1, 0]
    assert house.stage.viewers == 0
    await house.stage.close()


async def test_who_watched_and_for_how_long_is_recorded_once() -> None:
    house = House()
    never = await house.stage.answer(OFFER, "bob")
    viewer = await house.watch("ann")
    house.now_s += 30
    await house.stage.end(viewer, "ann")
    await house.stage.end(never.id, "bob")
    await house.stage.close()
    assert house.events == [ViewerJoined(viewer, "ann", "WebRTC"), ViewerLeft(viewer, "ann", 30)]


async def test_a_viewer_gets_pictures_once_connected_and_an_idr_is_asked_for() -> None:
    house = House()
    await house.stage.answer(OFFER, "ann")
    house.producer.listener.receive_frame(IDR)
    assert house.producer.idrs == 0
    house.peers[0].listener.receive_connected()
    assert house.producer.idrs == 1
    house.producer.listener.receive_frame(IDR)
    assert await house.peers[0].outlet.next_frame() is IDR
    house.peers[0].request_idr()
    assert house.producer.idrs == 2
    await house.stage.close()
    assert await house.peers[0].outlet.next_frame() is None


DELTA = EncodedFrame(b"", (b"x",), 1, is_idr=False)


async def test_who_asks_for_key_frames_without_end_waits_and_is_then_heard() -> None:
    house = House()
    await house.watch()
    house.producer.listener.receive_frame(IDR)
    for _ in range(10):
        house.peers[0].request_idr()
    assert house.producer.idrs == 2
    house.now_s += 0.9
    house.producer.listener.receive_frame(DELTA)
    assert house.producer.idrs == 2
    house.now_s += 0.1
    house.producer.listener.receive_frame(DELTA)
    house.producer.listener.receive_frame(DELTA)
    assert house.producer.idrs == 3
    await house.stage.close()


async def test_a_key_frame_that_another_viewer_asked_for_serves_who_waits_and_delays_nobody() -> None:
    house = House()
    await house.watch("ann")
    await house.watch("bob")
    house.producer.listener.receive_frame(IDR)
    greedy, honest = house.peers
    greedy.request_idr()
    greedy.request_idr()
    honest.request_idr()
    assert house.producer.idrs == 4
    house.producer.listener.receive_frame(IDR)
    house.now_s += 5
    house.producer.listener.receive_frame(DELTA)
    assert house.producer.idrs == 4
    await house.stage.close()
    greedy.request_idr()
    assert house.producer.idrs == 4


async def test_only_the_owner_ends_a_connection() -> None:
    house = House()
    viewer = await house.watch("ann")
    for viewer_id, owner in ((viewer, "bob"), ("unknown", "ann")):
        with pytest.raises(StageError) as caught:
            await house.stage.end(viewer_id, owner)
        assert caught.value.reason is StageReason.NOT_FOUND
    await house.stage.end(viewer, "ann")
    with pytest.raises(StageError):
        await house.stage.end(viewer, "ann")


async def test_all_connections_of_an_owner_end_and_no_others() -> None:
    house = House()
    for owner in ("ann", "bob", "ann"):
        await house.watch(owner)
    await house.stage.end_all_of("ann")
    assert [peer.is_closed for peer in house.peers] == [True, False, True]
    await house.stage.close()


async def test_there_is_room_for_so_many_viewers_and_no_more() -> None:
    house = House(max_viewers=2)
    await house.watch("ann")
    await house.stage.answer(OFFER, "ann")
    assert await refusal(house, owner="bob") is StageReason.TOO_MANY_VIEWERS
    await house.stage.close()


async def test_where_there_is_no_room_an_owners_ghost_makes_it() -> None:
    house = House(max_viewers=2)
    ghost = await house.watch("ann")
    await house.watch("bob")
    await house.watch("ann")
    with pytest.raises(StageError):
        await house.stage.end(ghost, "ann")
    assert house.stage.viewers == 2
    await house.stage.close()
    assert all(peer.is_closed for peer in house.peers)


@pytest.mark.parametrize("reason", [StageReason.BAD_OFFER, StageReason.NO_COMMON_CODEC])
async def test_an_offer_that_cannot_be_answered_leaves_nothing_behind(reason: StageReason) -> None:
    house = House(max_viewers=1)
    house.error = StageError(reason)
    assert await refusal(house) is reason
    assert not house.producers
    house.error = None
    await house.watch()
    await house.stage.close()
    assert all(peer.is_closed for peer in house.peers)


async def test_a_bad_offer_builds_nothing_at_all() -> None:
    house = House()
    assert await refusal(house, "nonsense") is StageReason.BAD_OFFER
    assert not house.peers


async def test_connections_are_made_one_after_the_other_a_while_apart() -> None:
    house = House()
    began_at = asyncio.get_running_loop().time()
    await asyncio.gather(*(house.stage.answer(OFFER, owner) for owner in ("ann", "bob", "cid")))
    assert [made_at - began_at for made_at in house.made_at] == pytest.approx([0, SET_UPS_APART_S, 2 * SET_UPS_APART_S])
    await house.stage.close()


async def test_an_answer_that_is_long_in_coming_holds_up_nobody_elses() -> None:
    house = House()
    house.delay_s = ANSWER_TIMEOUT_S - 1
    slow = asyncio.create_task(house.stage.answer(OFFER, "ann"))
    await asyncio.sleep(SET_UPS_APART_S)
    house.delay_s = 0.0
    await house.stage.answer(OFFER, "bob")
    assert not slow.done()
    await slow
    await house.stage.close()


async def test_nothing_is_made_for_who_left_while_waiting_for_a_turn() -> None:
    house = House()
    answers = [asyncio.create_task(house.stage.answer(OFFER, owner)) for owner in ("ann", "bob", "cid")]
    await asyncio.sleep(SET_UPS_APART_S / 2)
    await house.stage.end_all_of("bob")
    await asyncio.wait(answers)
    assert len(house.peers) == 2
    error = answers[1].exception()
    assert isinstance(error, StageError)
    assert error.reason is StageReason.NO_PICTURE
    await house.stage.close()


async def test_connections_of_one_visitor_that_nobody_connects_to_replace_each_other() -> None:
    house = House()
    watching = await house.watch("ann")
    for _ in range(MAX_UNCONNECTED + 2):
        await house.stage.answer(OFFER, "ann")
    await asyncio.sleep(1)
    assert [peer.is_closed for peer in house.peers] == [False, True, True, *[False] * MAX_UNCONNECTED]
    await house.stage.end(watching, "ann")
    await house.stage.close()


async def test_an_answer_that_never_comes_is_given_up() -> None:
    house = House()
    house.delay_s = 10 * ANSWER_TIMEOUT_S
    assert await refusal(house) is StageReason.NO_PICTURE
    await house.stage.close()
    assert house.peers[0].is_closed


async def test_a_request_that_is_taken_back_leaves_nothing_behind() -> None:
    house = House(max_viewers=1)
    house.delay_s = 1.0
    asking = asyncio.create_task(house.stage.answer(OFFER, "ann"))
    await asyncio.sleep(0.5)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    house.delay_s = 0.0
    await house.watch("bob")
    await house.stage.close()
    assert all(peer.is_closed for peer in house.peers)


async def test_a_viewer_who_never_connects_is_let_go() -> None:
    house = House()
    await house.stage.answer(OFFER, "ann")
    await asyncio.sleep(CONNECT_TIMEOUT_S - 1)
    assert house.is_on()
    await asyncio.sleep(2)
    assert not house.is_on()
    assert house.peers[0].is_closed
    assert house.counts == []


async def test_a_viewer_who_has_connected_stays() -> None:
    house = House()
    await house.watch()
    await asyncio.sleep(10 * CONNECT_TIMEOUT_S)
    assert house.stage.viewers == 1
    await house.stage.close()


async def test_an_owner_who_leaves_while_being_answered_gets_no_picture() -> None:
    house = House()
    house.delay_s = 1.0
    asking = asyncio.create_task(house.stage.answer(OFFER, "ann"))
    await asyncio.sleep(0.5)
    await house.stage.end_all_of("ann")
    with pytest.raises(StageError) as caught:
        await asking
    assert caught.value.reason is StageReason.NO_PICTURE
    assert not house.producers


async def test_when_the_picture_breaks_off_everyone_is_told_once_and_the_next_viewer_tries_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            await house.watch("ann")
            house.producer.stop()
            house.producer.listener.receive_failure(OSError("unplugged"))
            await asyncio.sleep(1)
    assert house.counts == [1, 0] * 3
    assert all(peer.is_closed for peer in house.peers)
    assert len(caplog.records) == 1
    await house.watch("ann")
    assert house.is_on()
    await house.stage.close()


async def test_the_picture_is_not_available_from_when_it_broke_off_until_one_comes_again() -> None:
    house = House()
    told: list[tuple[int, bool]] = []
    house.stage._on_viewers = lambda viewers: told.append((viewers, house.stage.is_available))
    assert house.stage.is_available
    await house.watch("ann")
    house.producer.listener.receive_failure(OSError("unplugged"))
    await house.watch("ann")
    house.producer.listener.receive_frame(IDR)
    house.producer.listener.receive_frame(IDR)
    assert told == [(1, True), (0, False), (1, False), (1, True)]
    await house.stage.close()
    assert not house.stage.is_available


async def test_that_it_broke_off_is_told_even_where_nobody_has_seen_it_yet() -> None:
    house = House()
    await house.stage.answer(OFFER, "ann")
    house.producer.listener.receive_failure(OSError("unplugged"))
    assert house.counts == [0]
    assert not house.stage.is_available
    await house.stage.close()


async def test_a_failure_is_worth_a_line_again_after_pictures_came(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            await house.watch("ann")
            house.producer.listener.receive_frame(IDR)
            house.producer.listener.receive_failure(OSError("unplugged"))
    assert len(caplog.records) == 2
    await house.stage.close()


async def test_a_source_that_hangs_is_left_behind() -> None:
    house = House()
    await house.watch()
    house.producer.silence_s = STALL_TIMEOUT_S - 1
    await asyncio.sleep(60)
    assert house.stage.viewers == 1
    house.producer.silence_s = STALL_TIMEOUT_S + 1
    await asyncio.sleep(5)
    assert house.producer.abandoned == 1
    assert house.stage.viewers == 0
    assert house.peers[0].is_closed


async def test_a_closed_stage_takes_nobody_in() -> None:
    house = House()
    await house.watch()
    await house.stage.close()
    assert house.peers[0].is_closed
    assert not house.is_on()
    assert await refusal(house) is StageReason.NO_PICTURE
    await house.stage.close()


class PreparedSource(PatternSource):
    """Notes that it was prepared."""

    def __init__(self, prepared: queue.Queue[tuple[int, int, int]]) -> None:
        super().__init__()
        self._prepared = prepared

    def prepare(self, width: int, height: int, fps: int) -> None:
        self._prepared.put((width, height, fps))


@pytest.mark.realtime
async def test_warming_up_prepares_a_source_once() -> None:
    prepared: queue.Queue[tuple[int, int, int]] = queue.Queue()
    stage = Stage(lambda: PreparedSource(prepared), StageOptions(), on_viewers=lambda _count: None)
    stage.warm()
    stage.warm()
    assert await asyncio.to_thread(prepared.get, timeout=10) == (1280, 720, 30)
    assert prepared.empty()
    await stage.close()


@pytest.mark.realtime
async def test_a_source_that_cannot_be_prepared_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def no_camera() -> VideoSource:
        raise OSError("no camera")

    stage = Stage(no_camera, StageOptions(), on_viewers=lambda _count: None)
    stage.warm()
    for thread in threading.enumerate():
        if thread.name == "stage-warm":
            thread.join(10)
    assert "getting the camera ready failed" in caplog.text
    await stage.close()
