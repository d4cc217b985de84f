"""What is published comes through from an IDR on, and its absence has a reason; neither side waits for the other."""

from __future__ import annotations

import asyncio
import threading

import pytest

from belvedere.errors import BitstreamError, CameraError, CameraReason
from belvedere.stage.sources import published
from belvedere.stage.sources.published import (
    MAX_FRAMES,
    Publication,
    PublishedFrame,
    PublishedFrames,
    PublishedSource,
)
from belvedere.stage.sources.source import Picture, VideoDescription, VideoFormat

SPS = bytes.fromhex("6742c01eda0280bfe584000003000400000300f23c58ba80")  # x264's, 640x360 at 30 fps
WANTED = VideoDescription(VideoFormat.RAW, 1280, 720, 30)
TIMEOUT_S = 10.0


def idr(number: int = 0, sps: bytes = SPS) -> PublishedFrame:
    return PublishedFrame(b"\0\0\0\1" + sps + b"\0\0\0\1\x65" + bytes([number + 1]), float(number), is_idr=True)


def frame(number: int) -> PublishedFrame:
    return PublishedFrame(b"\0\0\0\1\x41" + bytes([number + 1]), float(number), is_idr=False)


def contents(*frames: PublishedFrame) -> list[tuple[bytes, float]]:
    return [(each.data, each.captured_s) for each in frames]


class Sink:
    """A sink that records what it gets, and stops the source after so many frames."""

    def __init__(self, stopping: threading.Event, frames: int = 1) -> None:
        self.described: list[VideoDescription] = []
        self.pushed: list[tuple[bytes, float]] = []
        self.now_s = 0.0
        self.error: Exception | None = None
        self.step_s = 1.0
        self._stopping, self._wanted = stopping, frames

    def now(self) -> float:
        self.now_s += self.step_s  # each look at the clock is later
        return self.now_s

    def describe(self, description: VideoDescription) -> None:
        self.described.append(description)

    def lend(self) -> Picture | None:
        return None

    def push_picture(self, captured_s: float) -> None:
        raise AssertionError(captured_s)

    def push_h264(self, data: bytes, captured_s: float) -> None:
        if self.error is not None:
            raise self.error
        self.pushed.append((data, captured_s))
        if len(self.pushed) == self._wanted:
            self._stopping.set()


class Run:
    """A source that runs in a thread of its own."""

    def __init__(self, publication: Publication, frames: int = 1) -> None:
        self.stopping = threading.Event()
        self.sink = Sink(self.stopping, frames)
        self._running = asyncio.create_task(
            asyncio.to_thread(PublishedSource(publication).run, WANTED, self.sink, self.stopping)
        )

    async def end(self) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await self._running


async def wanted(publication: Publication) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not publication.is_wanted:  # noqa: ASYNC110 - a thread sets it
            await asyncio.sleep(0.01)


@pytest.mark.realtime
async def test_frames_are_passed_on_with_their_times_and_described_by_their_parameter_set() -> None:
    publication, asked = Publication(), []
    publication.begin(lambda: asked.append(1))
    run = Run(publication, 3)
    await wanted(publication)
    for each in (frame(0), idr(1), frame(2), frame(3)):
        publication.receive(each)
    await run.end()
    assert run.sink.pushed == contents(idr(1), frame(2), frame(3))
    assert run.sink.described == [VideoDescription(VideoFormat.H264, 640, 360, 30)]
    assert asked
    assert not publication.is_wanted


@pytest.mark.realtime
@pytest.mark.parametrize(("step_s", "answers"), [(0.1, True), (2.0, False)])
async def test_a_publisher_whose_first_idr_is_quick_is_asked_for_others(step_s: float, *, answers: bool) -> None:
    publication = Publication()
    publication.begin(lambda: None)
    run = Run(publication, 1)
    run.sink.step_s = step_s
    await wanted(publication)
    publication.receive(idr())
    await run.end()
    assert [description.can_request_idr for description in run.sink.described] == [answers]


@pytest.mark.realtime
async def test_while_nobody_watches_frames_are_dropped() -> None:
    publication = Publication()
    publication.begin(lambda: None)
    publication.receive(idr(1))
    run = Run(publication)
    await wanted(publication)
    publication.receive(idr(2))
    await run.end()
    assert run.sink.pushed == contents(idr(2))


@pytest.mark.realtime
async def test_without_a_publisher_the_camera_is_not_found() -> None:
    with pytest.raises(CameraError) as caught:
        await Run(Publication()).end()
    assert caught.value.camera_reason is CameraReason.NOT_FOUND


@pytest.mark.realtime
async def test_a_repeated_attempt_waits_for_a_publisher() -> None:
    publication = Publication()
    with pytest.raises(CameraError):
        await Run(publication).end()
    run = Run(publication)
    await asyncio.sleep(0)
    publication.begin(lambda: None)
    await wanted(publication)
    publication.receive(idr())
    await run.end()
    assert run.sink.pushed == contents(idr())


@pytest.mark.realtime
async def test_a_repeated_attempt_that_is_stopped_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "PUBLISHER_TIMEOUT_S", 1000.0)
    publication = Publication()
    with pytest.raises(CameraError):
        await Run(publication).end()
    run = Run(publication)
    run.stopping.set()
    with pytest.raises(CameraError):
        await run.end()


@pytest.mark.realtime
async def test_a_publisher_that_ends_or_falls_silent_is_told_apart() -> None:
    publication = Publication()
    publication.begin(lambda: None)
    silent = Run(publication)  # its clock goes on by a second at each look
    with pytest.raises(CameraError) as caught:
        await silent.end()
    assert caught.value.camera_reason is CameraReason.NO_SIGNAL
    ended = Run(publication)
    await wanted(publication)
    publication.end()
    with pytest.raises(CameraError) as caught:
        await ended.end()
    assert caught.value.camera_reason is CameraReason.ENDED


@pytest.mark.realtime
async def test_a_parameter_set_that_cannot_be_read_is_a_wrong_format() -> None:
    publication = Publication()
    publication.begin(lambda: None)
    run = Run(publication)
    await wanted(publication)
    publication.receive(idr(0, sps=b"\x67\x42"))
    with pytest.raises(CameraError) as caught:
        await run.end()
    assert caught.value.camera_reason is CameraReason.WRONG_FORMAT


def test_a_reader_that_is_late_gets_bounded_frames_and_goes_on_with_an_idr() -> None:
    frames = PublishedFrames()
    assert frames.put(frame(0))
    assert not frames.put(idr(1))
    needs = [frames.put(frame(number)) for number in range(2, MAX_FRAMES + 9)]
    assert needs == [False] * (MAX_FRAMES - 1) + [True] * 8
    taken = [frames.get() for _ in range(MAX_FRAMES)]
    assert taken[0] == idr(1)
    assert frames.put(frame(100))
    assert not frames.put(idr(101))
    assert frames.get() == idr(101)


def test_a_later_run_takes_the_frames_and_the_end_of_an_earlier_one_leaves_them() -> None:
    publication = Publication()
    publication._has_publisher.set()
    stopping = threading.Event()
    first, second = publication.open(stopping), publication.open(stopping)
    publication.close(first)
    assert publication.is_wanted
    publication.close(second)
    assert not publication.is_wanted


@pytest.mark.realtime
async def test_what_the_stage_cannot_read_is_a_wrong_format() -> None:
    publication = Publication()
    publication.begin(lambda: None)
    run = Run(publication)
    run.sink.error = BitstreamError("an IDR before the parameter sets")
    await wanted(publication)
    publication.receive(idr())
    with pytest.raises(CameraError, match="parameter sets") as caught:
        await run.end()
    assert caught.value.camera_reason is CameraReason.WRONG_FORMAT
