from __future__ import annotations

import asyncio
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.support.h264_streams import h264_stream
from tests.support.pictures import blank_picture

from belvedere.stage.encoding.rate_control import EncodingTarget
from belvedere.stage.frames import EncodedFrame
from belvedere.stage.keyframe_requests import APART_S, BURST
from belvedere.stage.options import StageOptions
from belvedere.stage.producer import Producer
from belvedere.stage.sink import BACKLOG_FRAMES
from belvedere.stage.sources.pacing import PacedSource
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.tap import RawStill

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.sources.source import Picture, Sink
    from belvedere.stage.tap import Still

pytestmark = pytest.mark.realtime
OPTIONS = StageOptions(width=160, height=96, fps=60)


class Camera(PacedSource):
    """A camera that records its calls, and fails or hangs on request."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.is_stuck = threading.Event()

    def prepare(self, width: int, height: int, fps: int) -> None:
        self.log.append(f"prepare {width}x{height}@{fps}")

    def open(self, width: int, height: int, fps: int) -> None:
        self.log.append(f"open {width}x{height}@{fps}")

    def read(self, at_s: float, picture: Picture) -> None:
        picture.y[0] = int(at_s) % 256
        if not self.gate.is_set():
            self.is_stuck.set()
            self.gate.wait()
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.log.append("close")


class Encoder:
    """An encoder whose frames only contain what was requested."""

    def __init__(self, options: StageOptions) -> None:
        self.picture = blank_picture(options.width, options.height)
        self.count = 0
        self.targets: list[EncodingTarget] = []

    def retarget(self, target: EncodingTarget) -> None:
        self.targets.append(target)

    def encode(self, at_s: float, *, wants_idr: bool) -> EncodedFrame | None:
        self.count += 1
        return EncodedFrame(b"", at_s, round(at_s * 90000), wants_idr or self.count == 1)


class Listener:
    """Records the producer's calls."""

    def __init__(self) -> None:
        self.frames: list[EncodedFrame] = []
        self.failures: list[Exception] = []
        self.descriptions: list[VideoDescription] = []
        self.stills: list[Still] = []
        self.threads: set[int] = set()
        self._changed = asyncio.Event()

    def receive_frame(self, frame: EncodedFrame) -> None:
        self.frames.append(frame)
        self.threads.add(threading.get_ident())
        self._changed.set()

    def receive_description(self, description: VideoDescription) -> None:
        self.descriptions.append(description)

    def receive_still(self, still: Still) -> None:
        self.stills.append(still)
        self._changed.set()

    def receive_failure(self, error: Exception) -> None:
        self.failures.append(error)
        self._changed.set()

    async def until(self, is_enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not is_enough():
                self._changed.clear()
                await self._changed.wait()


class Bench:
    """A producer with fakes around it, on a real clock that can be advanced."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.ahead_s = 0.0
        self.cameras: list[Camera] = []
        self.listener = Listener()
        self.producer = Producer(self._camera, Encoder, OPTIONS, self.clock, self.listener)

    def clock(self) -> float:
        return time.monotonic() + self.ahead_s

    def start(self) -> None:
        self.producer.start(asyncio.get_running_loop())

    async def some_frames(self, count: int = 3) -> None:
        have = len(self.listener.frames)
        await self.listener.until(lambda: len(self.listener.frames) >= have + count)

    def _camera(self) -> Camera:
        self.cameras.append(Camera(self.log))
        return self.cameras[-1]


async def test_pictures_come_to_the_event_loop_at_the_rate_asked_for() -> None:
    bench = Bench()
    bench.start()
    bench.start()
    await bench.some_frames(31)
    bench.producer.stop()
    assert await bench.producer.wait_off()
    ticks = [frame.ticks for frame in bench.listener.frames]
    assert abs((ticks[30] - ticks[0]) / 90000 - 0.5) < 0.1
    assert bench.listener.threads == {threading.get_ident()}
    assert bench.log == ["open 160x96@60", "close"]
    assert bench.listener.descriptions == [VideoDescription(VideoFormat.RAW, 160, 96, 60)]
    assert bench.producer._last is not None
    assert bench.producer._last.sink._encoder is None, "its memory is freed with the picture"


async def test_the_listener_is_not_called_after_a_stop() -> None:
    bench = Bench()
    bench.start()
    await bench.some_frames()
    bench.producer.stop()
    received = len(bench.listener.frames)
    assert await bench.producer.wait_off()
    await asyncio.sleep(0)  # calls that the thread scheduled before it ended run now
    assert len(bench.listener.frames) == received


async def test_a_cut_drops_what_waits_for_the_event_loop_but_not_what_it_is() -> None:
    bench = Bench()
    bench.start()
    while bench.producer._run is None or len(bench.producer._run.sink.outbox) <= 2:
        time.sleep(0.01)  # noqa: ASYNC251 (a busy loop is the point)
    bench.producer.cut()
    cut_s = bench.clock()
    assert not bench.listener.frames
    assert len(bench.listener.descriptions) == 1
    await bench.some_frames()
    assert all(frame.captured_s >= cut_s - 1 / OPTIONS.fps for frame in bench.listener.frames)
    bench.producer.stop()
    assert await bench.producer.wait_off()


async def test_a_target_reaches_the_encoder_of_this_run_and_of_the_next() -> None:
    bench = Bench()
    bench.producer.set_target(EncodingTarget(700_000))
    for target in (None, EncodingTarget(500_000)):
        bench.start()
        if target is not None:
            bench.producer.set_target(target)
        await bench.some_frames()
        run = bench.producer._run
        assert run is not None
        encoder = run.sink._encoder
        assert isinstance(encoder, Encoder)
        assert encoder.targets[-1] == (target or EncodingTarget(700_000))
        bench.producer.stop()
        assert await bench.producer.wait_off()


async def test_a_still_is_copied_once_also_when_it_is_requested_while_the_picture_is_off() -> None:
    bench = Bench()
    bench.producer.request_still()
    bench.start()
    await bench.some_frames(5)
    (still,) = bench.listener.stills
    assert isinstance(still, RawStill)
    assert (still.width, still.height, len(still.y), len(still.u), len(still.v)) == (160, 96, 15360, 3840, 3840)
    bench.producer.request_still()
    await bench.listener.until(lambda: len(bench.listener.stills) == 2)
    bench.producer.stop()
    assert await bench.producer.wait_off()


STREAM = h264_stream(160, 96, count=2)


class EncodedCamera:
    """A camera that encodes at its own pace: an IDR, and a picture after it; then it ends."""

    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do nothing."""

    def run(self, wanted: VideoDescription, sink: Sink, stopping: threading.Event) -> None:
        assert not stopping.is_set()
        sink.describe(VideoDescription(VideoFormat.H264, wanted.width, wanted.height, 25))
        for data in STREAM:
            sink.push_h264(data, sink.now())


async def test_a_camera_that_encodes_is_passed_through_and_its_end_is_a_failure() -> None:
    bench = Bench()
    bench.producer = Producer(EncodedCamera, Encoder, OPTIONS, bench.clock, bench.listener)
    bench.start()
    await bench.listener.until(lambda: bool(bench.listener.failures))
    assert [frame.data for frame in bench.listener.frames] == STREAM
    assert bench.listener.descriptions == [VideoDescription(VideoFormat.H264, 160, 96, 25)]
    assert await bench.producer.wait_off()


async def test_the_camera_is_closed_before_it_is_opened_again() -> None:
    bench = Bench()
    bench.start()
    await bench.some_frames()
    bench.cameras[0].gate.clear()
    assert await asyncio.to_thread(bench.cameras[0].is_stuck.wait, 5)
    bench.producer.stop()
    bench.start()
    assert bench.log == ["open 160x96@60"]
    bench.cameras[0].gate.set()
    await bench.some_frames()
    assert bench.log == ["open 160x96@60", "close", "open 160x96@60"]
    bench.producer.stop()
    assert await bench.producer.wait_off()


async def test_viewers_who_come_and_go_while_the_camera_closes_turn_it_on_once() -> None:
    bench = Bench()
    bench.start()
    await bench.some_frames(1)
    bench.cameras[0].gate.clear()
    assert await asyncio.to_thread(bench.cameras[0].is_stuck.wait, 5)
    for _ in range(20):
        bench.producer.stop()
        bench.start()
    bench.cameras[0].gate.set()
    await bench.some_frames()
    assert len(bench.cameras) == 2
    bench.producer.stop()
    assert await bench.producer.wait_off()


async def test_an_idr_is_made_on_request_within_the_budget() -> None:
    bench = Bench()
    bench.start()
    await bench.some_frames(1)  # an IDR that nobody requested
    for _ in range(40):
        bench.producer.request_idr()
        await bench.some_frames(1)
    bench.producer.stop()
    assert await bench.producer.wait_off()
    idrs = [frame.ticks / 90000 for frame in bench.listener.frames if frame.is_idr]
    assert min(after - before for before, after in pairwise(idrs)) >= APART_S - 0.001
    assert 1 + BURST <= len(idrs) <= 2 + BURST


async def test_a_camera_that_fails_is_closed_reported_and_replaced() -> None:
    bench = Bench()
    bench.start()
    await bench.some_frames()
    bench.cameras[0].error = error = OSError("unplugged")
    await bench.listener.until(lambda: bool(bench.listener.failures))
    assert bench.listener.failures == [error]
    assert bench.log[-1] == "close"
    bench.start()
    await bench.some_frames()
    assert len(bench.cameras) == 2
    bench.producer.stop()
    assert await bench.producer.wait_off()


async def test_a_camera_that_hangs_is_noticed_and_can_be_abandoned() -> None:
    bench = Bench()
    assert bench.producer.silent_s() == 0
    bench.start()
    await bench.some_frames()
    bench.cameras[0].gate.clear()
    assert await asyncio.to_thread(bench.cameras[0].is_stuck.wait, 5)
    bench.ahead_s = 30.0
    assert bench.producer.silent_s() >= 30
    bench.producer.abandon()
    bench.start()
    await bench.some_frames()
    assert len(bench.cameras) == 2
    bench.producer.stop()
    bench.cameras[0].gate.set()
    assert await bench.producer.wait_off()


async def test_a_busy_event_loop_gets_a_bounded_number_of_frames() -> None:
    bench = Bench()
    bench.start()
    await bench.some_frames()
    received = len(bench.listener.frames)
    time.sleep((BACKLOG_FRAMES + 5) / OPTIONS.fps)  # noqa: ASYNC251 (a busy loop is the point)
    await asyncio.sleep(0)
    assert len(bench.listener.frames) - received <= BACKLOG_FRAMES
    bench.producer.stop()
    assert await bench.producer.wait_off()


def test_a_closed_loop_ends_the_thread() -> None:
    bench = Bench()

    async def begin() -> None:
        bench.start()
        await bench.some_frames()

    asyncio.run(begin())
    assert asyncio.run(bench.producer.wait_off())
    assert bench.log[-1] == "close"
