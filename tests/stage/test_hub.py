from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.stage.frames import EncodedFrame, MediaKind
from belvedere.stage.hub import KEPT_BYTES, KEPT_FRAMES, SUBSCRIBER_FRAMES, Hub, Subscriber


def frame(number: int, *, is_idr: bool = False) -> EncodedFrame:
    return EncodedFrame(b"", number / 90_000, number, is_idr)


class Requests:
    """Counts the requests for an IDR."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


async def taken(subscriber: Subscriber) -> list[EncodedFrame]:
    """All frames in the queue."""
    frames: list[EncodedFrame] = []
    while True:
        try:
            async with asyncio.timeout(0.001):
                got = await subscriber.next_frame()
        except TimeoutError:
            return frames
        if got is None:
            return frames
        frames.append(got)


async def test_a_subscriber_of_key_frames_only_gets_no_others_and_requests_none_for_it() -> None:
    requests = Requests()
    hub, subscriber = Hub(requests), Subscriber()
    hub.attach(subscriber)
    hub.receive_frame(frame(0, is_idr=True))
    subscriber.takes_keyframes_only = True
    for number in range(1, 8):
        hub.receive_frame(frame(number, is_idr=number == 4))
    assert [got.ticks for got in await taken(subscriber)] == [0, 4]
    assert requests.count == 1
    subscriber.takes_keyframes_only = False
    hub.receive_frame(frame(8))
    assert requests.count == 2
    hub.receive_frame(frame(9, is_idr=True))
    hub.receive_frame(frame(10))
    assert [got.ticks for got in await taken(subscriber)] == [9, 10]
    hub.detach(subscriber)


async def test_a_new_viewer_starts_with_an_idr_and_misses_nothing_after_it() -> None:
    hub, subscriber = Hub(Requests()), Subscriber()
    hub.attach(subscriber)
    for number in range(6):
        hub.receive_frame(frame(number, is_idr=number == 2))
    assert [got.ticks for got in await taken(subscriber)] == [2, 3, 4, 5]


async def test_an_idr_is_asked_for_when_a_viewer_comes_and_until_there_is_one() -> None:
    requests = Requests()
    hub = Hub(requests)
    hub.attach(Subscriber())
    assert requests.count == 1
    hub.receive_frame(frame(1))
    assert requests.count == 2
    hub.receive_frame(frame(2, is_idr=True))
    hub.receive_frame(frame(3))
    assert requests.count == 2


async def test_a_slow_viewer_continues_at_the_next_idr_and_delays_nobody() -> None:
    requests = Requests()
    hub, slow, quick = Hub(requests), Subscriber(), Subscriber()
    hub.attach(slow)
    hub.attach(quick)
    asked = requests.count
    received = []
    for number in range(SUBSCRIBER_FRAMES + 2):
        hub.receive_frame(frame(number, is_idr=number == 0))
        received += await taken(quick)
    assert [got.ticks for got in received] == list(range(SUBSCRIBER_FRAMES + 2))
    assert requests.count > asked
    assert await taken(slow) == []
    hub.receive_frame(frame(100, is_idr=True))
    hub.receive_frame(frame(101))
    assert [got.ticks for got in await taken(slow)] == [100, 101]
    assert slow.dropped == SUBSCRIBER_FRAMES + 2


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=60))
def test_whatever_comes_a_viewer_sees_unbroken_runs_that_start_at_an_idr(steps: list[tuple[bool, int]]) -> None:
    subscriber = Subscriber()

    async def play() -> list[EncodedFrame]:
        seen: list[EncodedFrame] = []
        for number, (is_idr, reads) in enumerate(steps):
            subscriber.receive_frame(frame(number, is_idr=is_idr))
            for _ in range(reads):
                if len(subscriber._frames):
                    got = await subscriber.next_frame()
                    assert got is not None
                    seen.append(got)
            assert len(subscriber._frames) <= SUBSCRIBER_FRAMES
        return seen

    seen = asyncio.run(play())
    for before, after in zip([None, *seen], seen, strict=False):
        assert after.is_idr or (before is not None and after.ticks == before.ticks + 1)


async def test_closing_a_subscriber_wakes_its_reader_and_ends_it() -> None:
    hub, subscriber = Hub(Requests()), Subscriber()
    hub.attach(subscriber)
    hub.receive_frame(frame(1, is_idr=True))
    hub.detach(subscriber)
    assert await subscriber.next_frame() is None
    assert subscriber.receive_frame(frame(2, is_idr=True)) is False
    assert await subscriber.next_frame() is None


async def test_a_reader_that_waits_is_woken_by_the_next_frame() -> None:
    subscriber = Subscriber()
    reader = asyncio.create_task(subscriber.next_frame())
    await asyncio.sleep(1)
    assert not reader.done()
    subscriber.receive_frame(frame(7, is_idr=True))
    got = await reader
    assert got is not None
    assert got.ticks == 7


async def test_a_cut_drops_what_is_queued_and_what_comes_late_and_goes_on_with_an_idr() -> None:
    requests = Requests()
    hub, subscriber = Hub(requests), Subscriber()
    hub.attach(subscriber)
    hub.receive_frame(frame(1, is_idr=True))
    hub.receive_frame(frame(2))
    before = requests.count
    hub.cut(4 / 90_000)
    assert requests.count == before + 1
    for number, is_idr in ((3, True), (4, True), (5, False), (6, True), (7, False)):
        hub.receive_frame(frame(number, is_idr=is_idr))
    assert [each.ticks for each in await taken(subscriber)] == [6, 7]


async def test_a_reader_that_was_woken_gets_nothing_of_before_a_cut() -> None:
    hub, subscriber = Hub(Requests()), Subscriber()
    hub.attach(subscriber)
    reader = asyncio.create_task(subscriber.next_frame())
    await asyncio.sleep(0)
    hub.receive_frame(frame(1, is_idr=True))
    hub.cut(1.0)
    await asyncio.sleep(0)
    assert not reader.done()
    subscriber.close()
    assert await reader is None


async def test_an_earlier_cut_does_not_undo_a_later_one_and_nobody_needs_an_idr() -> None:
    requests = Requests()
    hub = Hub(requests)
    hub.cut(5.0)
    hub.cut(4.0)
    assert requests.count == 0
    subscriber = Subscriber()
    hub.attach(subscriber)
    hub.receive_frame(frame(int(4.5 * 90_000), is_idr=True))
    assert await taken(subscriber) == []


async def test_sound_is_for_those_who_take_it_and_waits_for_no_idr() -> None:
    hub, watches, listens = Hub(Requests()), Subscriber(), Subscriber(frozenset(MediaKind))
    hub.attach(watches)
    hub.attach(listens)
    sound = EncodedFrame(b"", 1.0, 1, is_idr=False, kind=MediaKind.AUDIO)
    delta, idr = frame(2), frame(3, is_idr=True)
    for each in (sound, delta, idr):
        hub.receive_frame(each)
    assert await taken(watches) == [idr]
    assert await taken(listens) == [sound, idr]


def encoding_camera() -> tuple[Hub, Requests]:
    """A hub for a camera that cannot be asked for an IDR."""
    requests = Requests()
    hub = Hub(requests)
    hub.receive_stream(can_request_idr=False)
    return hub, requests


async def test_where_no_idr_can_be_requested_a_new_viewer_starts_with_what_was_kept_since_the_last() -> None:
    hub, requests = encoding_camera()
    for number in range(50):
        hub.receive_frame(frame(number, is_idr=number % 20 == 0))
    subscriber = Subscriber()
    hub.attach(subscriber)
    hub.receive_frame(frame(50))
    assert [each.ticks for each in await taken(subscriber)] == list(range(40, 51))
    assert requests.count == 0
    assert subscriber.dropped == 0


async def test_a_viewer_who_started_with_kept_frames_has_a_short_queue_afterwards() -> None:
    hub, _ = encoding_camera()
    for number in range(30):
        hub.receive_frame(frame(number, is_idr=number == 0))
    subscriber = Subscriber()
    hub.attach(subscriber)
    assert len(await taken(subscriber)) == 30
    for number in range(30, 30 + SUBSCRIBER_FRAMES + 1):
        hub.receive_frame(frame(number))
    assert await taken(subscriber) == []


async def test_a_viewer_who_does_not_even_take_the_kept_frames_is_dropped_to_the_next_idr() -> None:
    hub, _ = encoding_camera()
    hub.receive_frame(frame(0, is_idr=True))
    hub.receive_frame(frame(1))
    subscriber = Subscriber()
    hub.attach(subscriber)
    for number in range(2, 2 + SUBSCRIBER_FRAMES + 1):
        hub.receive_frame(frame(number))
    hub.receive_frame(frame(100, is_idr=True))
    assert [each.ticks for each in await taken(subscriber)] == [100]


async def test_nothing_of_before_a_cut_is_kept() -> None:
    hub, _ = encoding_camera()
    hub.receive_frame(frame(90_000, is_idr=True))
    hub.cut(1.5)
    hub.receive_frame(frame(150_000))
    subscriber = Subscriber()
    hub.attach(subscriber)
    hub.receive_frame(frame(160_000, is_idr=True))
    assert [each.ticks for each in await taken(subscriber)] == [160_000]


@pytest.mark.parametrize(("count", "size"), [(KEPT_FRAMES + 1, 1), (10, KEPT_BYTES // 9)])
async def test_frames_are_kept_within_bounds(count: int, size: int) -> None:
    hub, requests = encoding_camera()
    for number in range(count):
        hub.receive_frame(EncodedFrame(bytes(size), float(number), number, number == 0))
    subscriber = Subscriber()
    hub.attach(subscriber)
    assert await taken(subscriber) == []
    assert requests.count == 1


async def test_of_another_stream_nothing_is_kept_and_an_encoder_is_asked_for_an_idr() -> None:
    hub, requests = encoding_camera()
    hub.receive_frame(frame(0, is_idr=True))
    hub.receive_stream(can_request_idr=True)
    hub.receive_frame(frame(1, is_idr=True))
    subscriber = Subscriber()
    hub.attach(subscriber)
    assert await taken(subscriber) == []
    assert requests.count == 1
