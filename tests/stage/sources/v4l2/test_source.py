from __future__ import annotations

import errno
import logging
import os
import threading
from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest
from tests.support.fake_camera import FakeCamera, FakeControl
from tests.support.pictures import blank_picture

from belvedere.errors import BitstreamError, CameraError, CameraReason
from belvedere.stage.sources.source import Picture, VideoDescription, VideoFormat
from belvedere.stage.sources.v4l2 import abi
from belvedere.stage.sources.v4l2.negotiation import PixelFormat
from belvedere.stage.sources.v4l2.setup import V4l2Camera
from belvedere.stage.sources.v4l2.source import V4l2Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.sources.v4l2.device_file import DeviceFile

SIZE = (64, 48)
FIRST, STEP = 30, 4
IDR, P_SLICE = b"\0\0\0\1\x65\x88", b"\0\0\0\1\x41\x9a"


class RecordingSink:
    """A sink that ends the run after a number of calls."""

    def __init__(self, camera: FakeCamera, stopping: threading.Event, count: int) -> None:
        self.descriptions: list[VideoDescription] = []
        self.times: list[float] = []
        self.brightness: list[int] = []
        self.units: list[bytes] = []
        self.lent = 0
        self.does_lend: Callable[[int], bool] = lambda _number: True
        self.delay_s = 0.0
        self._camera = camera
        self._stopping = stopping
        self._left = count
        self._picture: Picture | None = None

    @property
    def numbers(self) -> list[int]:
        """The numbers of the pictures, as `bright` wrote them."""
        return [round((luma - FIRST) / STEP) for luma in self.brightness]

    def now(self) -> float:
        return self._camera.now_s

    def describe(self, description: VideoDescription) -> None:
        self.descriptions.append(description)
        self._picture = blank_picture(description.width, description.height)

    def lend(self) -> Picture | None:
        self.lent += 1
        if not self.does_lend(self.lent):
            self._count()
            return None
        return self._picture

    def push_picture(self, captured_s: float) -> None:
        assert self._picture is not None
        self.times.append(captured_s)
        self.brightness.append(self._picture.y[0])
        self._camera.now_s += self.delay_s
        self._count()

    def push_h264(self, data: bytes, captured_s: float) -> None:
        self.times.append(captured_s)
        self.units.append(data)
        self._count()

    def _count(self) -> None:
        self._left -= 1
        if not self._left:
            self._stopping.set()


class SetAtThirdLook(threading.Event):
    """An event that is set while the source waits for its second picture."""

    looks = 0

    def is_set(self) -> bool:
        self.looks += 1
        return self.looks > 2


class Run:
    """One run of the source against a camera, on the camera's clock."""

    def __init__(self, camera: FakeCamera, count: int = 10, fps: int = 30, settings: V4l2Camera | None = None) -> None:
        self.stopping = threading.Event()
        self.sink = RecordingSink(camera, self.stopping, count)
        self._camera = camera
        self._fps = fps
        self._settings = settings or V4l2Camera("/dev/video0")

    def run(self) -> RecordingSink:
        source = V4l2Source(self._settings, self._find, self._camera.clock)
        source.prepare(*SIZE, self._fps)
        try:
            source.run(VideoDescription(VideoFormat.RAW, *SIZE, self._fps), self.sink, self.stopping)
        finally:
            assert self._camera.opened == 0
            assert self._camera.mapped == 0
            assert not self._camera.is_streaming
        return self.sink

    def error(self) -> CameraError:
        with pytest.raises(CameraError) as caught:
            self.run()
        assert str(caught.value).startswith("/dev/video0")
        assert "\n" not in str(caught.value)
        return caught.value

    def _find(self, device: str) -> tuple[Path, DeviceFile]:
        return Path(device), self._camera.open(Path(device))


def bright(number: int) -> bytes:
    """YUYV whose luma is the picture's number, with a distance that the conversion's rounding does not hide."""
    return bytes([FIRST + STEP * (number % 50), 128]) * (SIZE[0] * SIZE[1])


def camera_of(picture: Callable[[int], bytes] = bright, code: str = "YUYV", rate: int = 30) -> FakeCamera:
    camera = FakeCamera({code: [(*SIZE, ((1, rate),))]})
    camera.picture = picture
    camera.interval_s = 1 / rate
    return camera


def test_pictures_are_pushed_in_order_with_the_time_of_their_capture() -> None:
    sink = Run(camera_of(), 20).run()
    assert sink.descriptions == [VideoDescription(VideoFormat.RAW, *SIZE, 30)]
    assert sink.numbers == list(range(20))
    assert [round(at_s - sink.times[0], 3) for at_s in sink.times] == [round(n / 30, 3) for n in range(20)]


def test_a_slow_sink_gets_the_newest_picture_each_time(caplog: pytest.LogCaptureFixture) -> None:
    run = Run(camera_of(), 5)
    run.sink.delay_s = 0.101
    with caplog.at_level(logging.INFO):
        sink = run.run()
    assert sink.numbers == [0, 3, 6, 9, 12]
    assert "/dev/video0: off; 8 pictures dropped, 0 damaged" in caplog.text


def test_pictures_that_nobody_can_take_are_not_converted_and_the_next_is_taken() -> None:
    run = Run(camera_of(), 6)
    run.sink.does_lend = lambda number: number % 2 == 0
    assert run.run().numbers == [1, 3, 5]


def test_a_camera_that_is_quicker_than_wanted_is_thinned_out() -> None:
    sink = Run(camera_of(rate=60), 5).run()
    assert sink.descriptions[0].fps == 30
    assert sink.numbers == [0, 2, 4, 6, 8]


def test_a_slower_camera_is_described_as_such() -> None:
    assert Run(camera_of(rate=20)).run().descriptions[0].fps == 20
    camera = camera_of()
    camera.fails = {abi.Request.S_PARM: errno.ENOTTY}
    assert Run(camera).run().descriptions[0].fps == 30


def test_the_choice_and_its_reason_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Run(camera_of()).run()
    assert "/dev/video0: YUYV 64x48 at 30/s: as wanted" in caplog.text


def jpegs(number: int) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = *SIZE, "yuvj422p", Fraction(1, 30)
    frame = av.VideoFrame(*SIZE, "yuvj422p")
    for index, value in enumerate((255 if number % 2 else 0, 128, 128)):
        memoryview(frame.planes[index])[:] = bytes([value]) * frame.planes[index].buffer_size
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def test_jpeg_in_full_range_becomes_video_range() -> None:
    assert Run(camera_of(jpegs, "MJPG"), 4).run().brightness == [16, 235, 16, 235]


def test_a_damaged_jpeg_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    camera = camera_of(lambda number: b"rubbish" if number % 3 == 1 else jpegs(1), "MJPG")
    with caplog.at_level(logging.INFO):
        assert Run(camera, 6).run().brightness == [235] * 6
    assert "3 damaged" in caplog.text


def test_if_no_picture_can_be_decoded_the_format_is_wrong() -> None:
    camera = camera_of(lambda _number: b"rubbish", "MJPG")
    error = Run(camera).error()
    assert error.camera_reason is CameraReason.WRONG_FORMAT
    assert 1003 <= camera.now_s <= 1003.2


def test_without_any_picture_there_is_no_signal() -> None:
    camera = camera_of()
    camera.interval_s = float("inf")
    error = Run(camera).error()
    assert error.camera_reason is CameraReason.NO_SIGNAL
    assert "delivers no pictures" in str(error)
    assert 1005 <= camera.now_s <= 1005.2


def test_damaged_pictures_alone_are_no_signal_and_the_cable_is_suspected() -> None:
    camera = camera_of()
    camera.flags = lambda _number: abi.FLAG_ERROR
    error = Run(camera).error()
    assert error.camera_reason is CameraReason.NO_SIGNAL
    assert "damaged pictures only (15" in str(error)


def test_a_signal_that_the_driver_reports_as_lost_ends_the_run_within_a_second() -> None:
    camera = camera_of()
    run = Run(camera, 1000)

    def lose(number: int) -> bool:
        if number == 30:
            camera.inputs = [(b"HDMI", abi.INPUT_NO_SIGNAL, 0)]
        return True

    run.sink.does_lend = lose
    assert run.error().camera_reason is CameraReason.NO_SIGNAL
    assert camera.now_s <= 1002.1


def test_stopping_ends_the_run_although_no_picture_comes() -> None:
    camera = camera_of()
    camera.interval_s = float("inf")
    run = Run(camera)
    run.stopping = SetAtThirdLook()
    run.run()
    assert camera.now_s <= 1000.1


def test_a_driver_that_says_it_is_ready_and_is_not_does_not_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = camera_of()
    camera.interval_s = float("inf")
    camera.wakes_without_picture = True
    run = Run(camera)
    pauses: list[float] = []

    def pause(timeout: float | None = None) -> bool:
        assert timeout is not None
        pauses.append(timeout)
        camera.now_s += timeout
        return False

    monkeypatch.setattr(run.stopping, "wait", pause)
    assert run.error().camera_reason is CameraReason.NO_SIGNAL
    assert 300 < len(pauses) < 600


@pytest.mark.parametrize("request_", sorted(abi.Request))
def test_unplugging_at_any_request_is_told_and_leaves_nothing_open(request_: abi.Request) -> None:
    camera = camera_of()
    camera.inputs = [(b"HDMI", 0, abi.INPUT_HAS_DV_TIMINGS)]
    camera.controls = [FakeControl(1, "Gain"), FakeControl(2, "Mode", abi.ControlType.MENU, items={0: "A"})]
    camera.fails = {request_: errno.ENODEV}
    settings = V4l2Camera("/dev/video0", input=0, controls={"gain": 1, "mode": "A"})
    harmless = {abi.Request.QUERYCAP, abi.Request.G_FMT, abi.Request.G_CTRL, abi.Request.STREAMOFF}
    if request_ in harmless:  # not sent here, or only to turn off
        Run(camera, settings=settings).run()
    else:
        assert Run(camera, settings=settings).error().camera_reason is CameraReason.UNPLUGGED


def test_unplugging_between_two_pictures_is_told_at_once() -> None:
    camera = camera_of()
    camera.unplugged_at_s = 1001.01
    error = Run(camera, 1000).error()
    assert error.camera_reason is CameraReason.UNPLUGGED
    assert camera.now_s == camera.unplugged_at_s


@pytest.mark.parametrize("request_", [abi.Request.S_FMT, abi.Request.REQBUFS, abi.Request.STREAMON])
def test_a_camera_that_another_program_uses_is_busy(request_: abi.Request) -> None:
    camera = camera_of()
    camera.fails = {request_: errno.EBUSY}
    error = Run(camera).error()
    assert error.camera_reason is CameraReason.BUSY
    assert "another program uses the camera" in str(error)


def test_the_same_source_runs_again_after_a_failure() -> None:
    camera = camera_of()
    camera.fails_once = {abi.Request.STREAMON: deque([errno.EBUSY])}
    run = Run(camera)
    run.error()
    assert len(run.run().times) == 10


def test_a_rate_that_collapses_is_logged_with_figures_and_its_return_too(caplog: pytest.LogCaptureFixture) -> None:
    camera = camera_of()
    run = Run(camera, 240)

    def vary(number: int) -> bool:
        camera.interval_s = 0.5 if 30 <= number < 45 else 1 / 30
        return True

    run.sink.does_lend = vary
    with caplog.at_level(logging.INFO):
        run.run()
    told = [record for record in caplog.records if "delivers" in record.getMessage()]
    assert [record.levelno for record in told] == [logging.WARNING, logging.INFO]
    assert "pictures a second instead of 30; in the dark, the control" in told[0].getMessage()
    assert told[1].getMessage().endswith("pictures a second again")


def test_a_sink_that_is_slow_is_no_collapse_of_the_cameras_rate(caplog: pytest.LogCaptureFixture) -> None:
    run = Run(camera_of(), 100)
    run.sink.delay_s = 0.11
    with caplog.at_level(logging.WARNING):
        run.run()
    assert caplog.records == []


def test_pictures_that_do_not_change_are_a_warning_and_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Run(camera_of(lambda _number: bright(5)), 90).run()
    assert [record.getMessage() for record in caplog.records] == [
        "/dev/video0: the picture does not change at all; the capture stick may have no signal"
    ]


def test_pictures_that_change_are_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Run(camera_of(), 90).run()
    assert caplog.records == []


def h264_camera(unit: Callable[[int], bytes]) -> FakeCamera:
    return camera_of(unit, "H264")


def test_h264_is_passed_on_in_order() -> None:
    camera = h264_camera(lambda number: (IDR if number % 5 == 0 else P_SLICE) + bytes([number + 1]))
    sink = Run(camera, 10).run()
    assert sink.descriptions == [VideoDescription(VideoFormat.H264, *SIZE, 30)]
    assert [data[-1] for data in sink.units] == list(range(1, 11))


def test_after_a_loss_h264_goes_on_with_the_next_key_frame() -> None:
    camera = h264_camera(lambda number: (IDR if number % 5 == 0 else P_SLICE) + bytes([number + 1]))
    camera.flags = lambda number: abi.FLAG_TIMESTAMP_MONOTONIC | (abi.FLAG_ERROR if number == 2 else 0)
    sink = Run(camera, 6).run()
    assert [data[-1] for data in sink.units] == [1, 2, 6, 7, 8, 9]


def test_h264_that_takes_requests_for_key_frames_is_described_so() -> None:
    camera = h264_camera(lambda _number: IDR)
    assert not Run(camera, 1).run().descriptions[0].can_request_idr
    camera.controls = [FakeControl(abi.FORCE_KEY_FRAME, "Force Key Frame")]
    assert Run(camera, 1).run().descriptions[0].can_request_idr


def test_h264_that_the_sink_cannot_read_is_a_wrong_format() -> None:
    class RefusingSink(RecordingSink):
        def push_h264(self, data: bytes, captured_s: float) -> None:
            raise BitstreamError(f"{len(data)} bytes at {captured_s}")

    camera = h264_camera(lambda _number: IDR)
    run = Run(camera)
    run.sink = RefusingSink(camera, run.stopping, 1)
    assert run.error().camera_reason is CameraReason.WRONG_FORMAT


def test_what_is_no_h264_is_no_key_frame() -> None:
    camera = h264_camera(lambda number: IDR if number == 5 else b"rubbish")
    camera.flags = lambda number: abi.FLAG_TIMESTAMP_MONOTONIC | (abi.FLAG_ERROR if number == 1 else 0)
    assert Run(camera, 2).run().units == [b"rubbish", IDR]


def test_the_prescribed_format_is_used() -> None:
    camera = FakeCamera({"YUYV": [(*SIZE, ((1, 30),))], "MJPG": [(*SIZE, ((1, 30),))]})
    camera.picture = jpegs
    Run(camera, 2, settings=V4l2Camera("/dev/video0", PixelFormat.MJPEG)).run()
    assert abi.fourcc_text(camera.form.pixelformat) == "MJPG"


def test_a_found_device_is_named_by_its_path_where_the_settings_have_a_pattern() -> None:
    camera = camera_of()
    camera.fails = {abi.Request.STREAMON: errno.EBUSY}

    def find(_pattern: str) -> tuple[Path, DeviceFile]:
        return Path("/dev/video3"), camera.open(Path("/dev/video3"))

    sink = RecordingSink(camera, threading.Event(), 1)
    with pytest.raises(CameraError, match=r"^/dev/video3: "):
        V4l2Source(V4l2Camera("*HDMI*"), find, camera.clock).run(
            VideoDescription(VideoFormat.RAW, *SIZE, 30), sink, threading.Event()
        )


def test_other_errors_of_the_kernel_are_told_in_its_words() -> None:
    camera = camera_of()
    camera.fails = {abi.Request.STREAMON: errno.ENOSPC}
    error = Run(camera).error()
    assert error.camera_reason is CameraReason.FAILED
    assert os.strerror(errno.ENOSPC) in str(error)
