from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.support.pictures import blank_picture

from belvedere.errors import CameraError, CameraReason
from belvedere.lab.camera_trial import CameraReport, try_camera
from belvedere.stage.frames import EncodedFrame, rtp_ticks
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.tap import RawStill

if TYPE_CHECKING:
    import threading

    from belvedere.stage.encoding.rate_control import EncodingTarget
    from belvedere.stage.sources.source import Sink
    from belvedere.stage.tap import Still

OPTIONS = StageOptions(width=320, height=192, fps=25)
LATENCY_S = 0.010


class SteppedClock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class SlowEncoder:
    """An encoder that takes ten milliseconds of that clock."""

    def __init__(self, options: StageOptions, clock: SteppedClock) -> None:
        self.picture = blank_picture(options.width, options.height)
        self._clock = clock

    def retarget(self, target: EncodingTarget) -> None:
        """Go on as before."""

    def encode(self, at_s: float, *, wants_idr: bool) -> EncodedFrame:
        self._clock.now_s += LATENCY_S
        return EncodedFrame(b"", at_s, rtp_ticks(at_s), is_idr=wants_idr)


class ScriptedCamera:
    """Delivers pictures at these times of the clock, then waits to be stopped, or raises."""

    def __init__(self, clock: SteppedClock, times: list[float], error: Exception | None = None) -> None:
        self._clock = clock
        self._times = times
        self._error = error

    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do nothing."""

    def run(self, wanted: VideoDescription, sink: Sink, stopping: threading.Event) -> None:
        sink.describe(VideoDescription(VideoFormat.RAW, wanted.width, wanted.height, wanted.fps))
        for at_s in self._times:
            self._clock.now_s = 1000.0 + at_s
            if sink.lend() is not None:
                sink.push_picture(self._clock.now_s)
        if self._error is not None:
            raise self._error
        stopping.wait()


def report(times: list[float], error: Exception | None = None) -> tuple[CameraReport, Still | None]:
    clock = SteppedClock()
    return try_camera(
        ScriptedCamera(clock, times, error),
        OPTIONS,
        clock,
        duration_s=0.01,
        first_picture_s=5.0 if times else 0.01,
        encoder=lambda options: SlowEncoder(options, clock),
        prepare=lambda _options: None,
    )


@pytest.mark.realtime
def test_what_came_is_measured() -> None:
    measured, still = report([0.5 + number / 25 for number in range(51) if number not in {20, 21, 40}])
    assert isinstance(still, RawStill)
    assert (measured.format, measured.width, measured.height, measured.described_fps) == ("yuv420p", 320, 192, 25)
    assert (measured.frames, measured.dropped, measured.measured_fps) == (48, 3, 23.0)
    assert (measured.latency_median_ms, measured.latency_worst_ms) == (10.0, 10.0)
    assert measured.first_picture_ms == 510
    assert not measured.is_slow


@pytest.mark.realtime
def test_pictures_that_come_at_once_at_the_start_are_not_its_rate() -> None:
    measured, _ = report([*(number / 1000 for number in range(10)), *(number / 25 for number in range(1, 51))])
    assert (measured.measured_fps, measured.dropped) == (25.0, 0)


@pytest.mark.realtime
def test_a_camera_that_is_slower_than_it_says_is_slow() -> None:
    measured, _ = report([number / 5 for number in range(6)])
    assert (measured.measured_fps, measured.dropped, measured.is_slow) == (5.0, 0, True)


@pytest.mark.realtime
def test_one_picture_is_enough_for_a_report() -> None:
    measured, _ = report([0.0])
    assert (measured.frames, measured.measured_fps, measured.dropped) == (1, 0.0, 0)


@pytest.mark.realtime
def test_a_camera_without_a_picture_is_an_error_with_its_own_reason() -> None:
    for error, reason in (
        (CameraError(CameraReason.BUSY, "in use"), CameraReason.BUSY),
        (None, CameraReason.NO_SIGNAL),
    ):
        with pytest.raises(CameraError) as caught:
            report([], error)
        assert caught.value.camera_reason is reason


@pytest.mark.realtime
def test_a_camera_that_fails_after_its_first_pictures_is_an_error_too() -> None:
    began_s = time.monotonic()
    with pytest.raises(CameraError, match="pulled out"):
        report([0.0, 0.1], CameraError(CameraReason.UNPLUGGED, "pulled out"))
    assert time.monotonic() - began_s < 5


@pytest.mark.realtime
def test_which_encoder_to_use_is_found_out_before_the_camera_is_turned_on() -> None:
    clock, asked = SteppedClock(), list[str]()

    def open_encoder(options: StageOptions) -> SlowEncoder:
        asked.append("opened")
        return SlowEncoder(options, clock)

    def prepare(options: StageOptions) -> None:
        asked.append(f"prepared for {options.width}")

    try_camera(ScriptedCamera(clock, [0.0]), OPTIONS, clock, duration_s=0.01, encoder=open_encoder, prepare=prepare)
    assert asked == ["prepared for 320", "opened"]
