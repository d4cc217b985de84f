"""The video source for cameras and capture sticks: finds one, sets it up, and pushes its newest pictures."""

from __future__ import annotations

import contextlib
import logging
import time
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

from belvedere.errors import BitstreamError, CameraError, CameraReason
from belvedere.stage.h264 import NalType, nal_type, split_nal_units
from belvedere.stage.sources.conversion import PictureConverter
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.sources.v4l2 import setup
from belvedere.stage.sources.v4l2.capture import Capture
from belvedere.stage.sources.v4l2.controls import idr_request
from belvedere.stage.sources.v4l2.discovery import find
from belvedere.stage.sources.v4l2.failures import camera_error
from belvedere.stage.sources.v4l2.negotiation import PixelFormat, output_size
from belvedere.stage.sources.v4l2.stream_watch import FrameDecimator, StreamWatch

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from belvedere.stage.sources.source import Sink
    from belvedere.stage.sources.v4l2.capture import Captured, StreamFormat
    from belvedere.stage.sources.v4l2.device_file import DeviceFile
    from belvedere.stage.sources.v4l2.setup import V4l2Camera

logger = logging.getLogger(__name__)

POLL_S = 0.05  # how long a stop may wait for a picture that does not come
PAUSE_S = 0.01  # after the driver said that there was something, and had no picture
INPUT_CHECK_S = 1.0  # how often the driver is asked whether there is a signal
DAMAGED_S = 3.0  # a format that we misread does not get better


class V4l2Source:
    """A camera or capture stick.

    Args:
        camera: which one, and its settings.
        find_camera: opens it; for tests.
        clock: the clock of the driver's time stamps, which must be the sink's too.
    """

    def __init__(
        self,
        camera: V4l2Camera,
        find_camera: Callable[[str], tuple[Path, DeviceFile]] = find,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._camera = camera
        self._find = find_camera
        self._clock = clock

    def prepare(self, width: int, height: int, fps: int) -> None:  # noqa: ARG002 (the interface has more arguments)
        """Import FFmpeg."""
        from belvedere.stage.sources.v4l2 import decoding  # noqa: F401, PLC0415 - heavy

    def run(self, wanted: VideoDescription, sink: Sink, stopping: threading.Event) -> None:
        """Push pictures until `stopping` is set. Raises CameraError, whose message is one line for the log."""
        path, file = self._find(self._camera.device)
        device = self._camera.device if self._camera.device.startswith("/") else str(path)
        with closing(file), _as_camera_error(device, path):
            choice = setup.prepare(file, self._camera, device, wanted)
            capture = Capture(file, device, self._clock)
            try:
                form = capture.start(choice)
                logger.info("%s: %s", device, choice.reason)
                stream = _Stream(device, file, capture, form, self._clock)
                if choice.pixel_format is PixelFormat.H264:
                    stream.run_h264(wanted, sink, stopping)
                else:
                    stream.run_raw(choice.pixel_format, wanted, sink, stopping)
            finally:
                with contextlib.suppress(OSError):  # of a camera that is gone; the error that counts is on its way
                    capture.stop()
                logger.info("%s: off; %d pictures dropped, %d damaged", device, capture.dropped, capture.damaged)


@contextlib.contextmanager
def _as_camera_error(device: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise camera_error(error, device, "the camera failed", path) from error
    except BitstreamError as error:
        raise CameraError(CameraReason.WRONG_FORMAT, f"{device}: {error}; set another [camera] format") from error


class _Stream:
    """One stream, from start to stop."""

    def __init__(
        self, device: str, file: DeviceFile, capture: Capture, form: StreamFormat, clock: Callable[[], float]
    ) -> None:
        now_s = clock()
        self._device = device
        self._file = file
        self._capture = capture
        self._form = form
        self._clock = clock
        self._watch = StreamWatch(now_s, float(form.rate or 0))
        self._input_checked_s = self._decoded_s = now_s
        self._counted = 0

    def run_raw(
        self, pixel_format: PixelFormat, wanted: VideoDescription, sink: Sink, stopping: threading.Event
    ) -> None:
        """Push pictures, always the newest."""
        from belvedere.stage.sources.v4l2.decoding import open_decoder  # noqa: PLC0415 - FFmpeg is heavy

        size = output_size(self._form.width, self._form.height, wanted.width, wanted.height)
        sink.describe(VideoDescription(VideoFormat.RAW, *size, self._fps(wanted)))
        decoder, converter = open_decoder(pixel_format, self._form), PictureConverter()
        decimator = FrameDecimator(wanted.fps, float(self._form.rate or 0))
        while not stopping.is_set():
            captured = self._take(self._capture.newest, stopping)
            if captured is None:
                continue
            with self._held(captured):
                picture = sink.lend() if decimator.takes(captured.captured_s) else None
                if picture is None:
                    continue
                decoder.load(captured.data)
                self._compare(captured.data)
            frame = decoder.frame()
            if self._is_usable(frame) and frame is not None:
                converter.convert(frame, picture)
                sink.push_picture(captured.captured_s)

    def run_h264(self, wanted: VideoDescription, sink: Sink, stopping: threading.Event) -> None:
        """Push access units in order; after a loss, from the next key frame on."""
        size = self._form.width, self._form.height
        sink.describe(VideoDescription(VideoFormat.H264, *size, self._fps(wanted), idr_request(self._file)))
        losses = 0
        while not stopping.is_set():
            captured = self._take(self._capture.next, stopping)
            if captured is None:
                continue
            with self._held(captured):
                data = bytes(captured.data)
            if losses != self._losses and _has_idr(data):
                losses = self._losses
            if losses == self._losses:
                sink.push_h264(data, captured.captured_s)

    @property
    def _losses(self) -> int:
        return self._capture.dropped + self._capture.damaged

    def _fps(self, wanted: VideoDescription) -> int:
        return max(1, min(wanted.fps, round(self._form.rate))) if self._form.rate else wanted.fps

    @contextlib.contextmanager
    def _held(self, captured: Captured) -> Iterator[None]:
        try:
            yield
        finally:
            self._capture.release(captured)

    def _take(self, take: Callable[[float], Captured | None], stopping: threading.Event) -> Captured | None:
        """Wait shortly for a picture, and judge how the camera delivers."""
        began_s = self._clock()
        if began_s - self._input_checked_s >= INPUT_CHECK_S:
            self._input_checked_s = began_s
            setup.check_signal(self._file, self._device)
        captured = take(POLL_S)
        now_s = self._clock()
        if captured is not None:
            self._count(now_s)
        elif self._watch.is_silent(now_s):
            raise CameraError(CameraReason.NO_SIGNAL, f"{self._device}: {self._silence()}")
        elif now_s - began_s < POLL_S / 2:
            stopping.wait(PAUSE_S)
        return captured

    def _silence(self) -> str:
        if self._capture.damaged:
            return f"delivers damaged pictures only ({self._capture.damaged}); use another USB port or cable"
        return "delivers no pictures: switch the camera on, and check the HDMI cable and the camera's HDMI settings"

    def _count(self, now_s: float) -> None:
        dropped, self._counted = self._capture.dropped - self._counted, self._capture.dropped
        rate = self._watch.receive_pictures(1 + dropped, now_s)
        if rate is None:
            return
        if self._watch.is_slow:
            logger.warning(
                "%s: delivers %.1f pictures a second instead of %.3g; in the dark, the control"
                " exposure_dynamic_framerate = false keeps the rate",
                self._device,
                rate,
                self._watch.promised,
            )
        else:
            logger.info("%s: delivers %.1f pictures a second again", self._device, rate)

    def _compare(self, data: memoryview) -> None:
        now_s = self._clock()
        if self._watch.wants_sample(now_s) and self._watch.receive_sample(zlib.crc32(data), now_s):
            logger.warning("%s: the picture does not change at all; the capture stick may have no signal", self._device)

    def _is_usable(self, frame: object) -> bool:
        now_s = self._clock()
        if frame is not None:
            self._decoded_s = now_s
            return True
        self._capture.damaged += 1
        if now_s - self._decoded_s > DAMAGED_S:
            raise CameraError(
                CameraReason.WRONG_FORMAT,
                f"{self._device}: no picture could be decoded for {DAMAGED_S:.0f} s; set another [camera] format",
            )
        return False


def _has_idr(data: bytes) -> bool:
    """Whether decoding can begin here. What is no H.264 cannot be decoded at all, and nothing is."""
    try:
        return any(nal_type(unit) == NalType.IDR for unit in split_nal_units(data))
    except BitstreamError:
        return False
