"""Tries a camera for a few seconds with the stage's own sink and encoder, and measures what comes."""

from __future__ import annotations

import itertools
import statistics
import threading
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.encoding.encoder import open_encoder, prepare_encoder
from belvedere.stage.frames import EncodedFrame
from belvedere.stage.sink import SourceSink, StillDelivery
from belvedere.stage.sources.source import VideoDescription, VideoFormat

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.encoding.interface import Encoder
    from belvedere.stage.options import StageOptions
    from belvedere.stage.sources.source import VideoSource
    from belvedere.stage.tap import Still

TRIAL_S = 3.0
FIRST_PICTURE_S = 20.0  # as long as the stage waits for a camera that turns on
STOP_S = 5.0
PREPARE_S = 12.0  # the trial of a hardware encoder bounds itself, but not an inquiry of a driver that hangs
SETTLE_S = 0.5  # at first, a camera may deliver what it has kept, and an encoder starts
LOW_RATE = 0.8  # of what was described


class CameraReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a camera delivered.

    Attributes:
        format: `yuv420p` if our encoder works on it, `h264` if it is passed on as it comes.
        width, height: of the picture, in pixels.
        described_fps: pictures per second, as the source says.
        measured_fps: as they came, once it had settled.
        first_picture_ms: from turning on to the first encoded picture.
        latency_median_ms, latency_worst_ms: from capture to the encoded picture, by the source's time of capture.
        frames: how many were encoded.
        dropped: how many seem to be missing, by the usual interval between capture times.
    """

    format: str
    width: int
    height: int
    described_fps: int
    measured_fps: float
    first_picture_ms: float
    latency_median_ms: float
    latency_worst_ms: float
    frames: int
    dropped: int

    @property
    def is_slow(self) -> bool:
        """Whether far fewer pictures came than were described."""
        return self.measured_fps < LOW_RATE * self.described_fps


class _Measurement:
    """One run of a source, in a thread of its own: one that hangs cannot be interrupted."""

    def __init__(
        self,
        source: VideoSource,
        options: StageOptions,
        clock: Callable[[], float],
        encoder: Callable[[StageOptions], Encoder],
    ) -> None:
        self.stopping = threading.Event()
        self.has_begun = threading.Event()
        self.has_ended = threading.Event()
        self.error: Exception | None = None
        self.description: VideoDescription | None = None
        self.still: Still | None = None
        self.times: deque[tuple[float, float]] = deque()  # captured, encoded
        self._clock = clock
        self._source = source
        self._wanted = VideoDescription(VideoFormat.RAW, options.width, options.height, options.fps)
        self._sink = SourceSink(encoder, options, clock, self._collect)
        self._sink.wants_still.set()

    def run(self) -> None:
        try:
            self._source.run(self._wanted, self._sink, self.stopping)
        except Exception as error:  # noqa: BLE001 (raised again where the test is waited for)
            self.error = error
        finally:
            self._sink.close()
            self.has_ended.set()
            self.has_begun.set()

    def _collect(self) -> None:
        while self._sink.outbox:
            match self._sink.outbox.popleft():
                case VideoDescription() as description:
                    self.description = description
                case EncodedFrame() as frame:
                    self.times.append((frame.captured_s, self._clock()))
                    self.has_begun.set()
                case StillDelivery(still=still):
                    self.still = still


def try_camera(
    source: VideoSource,
    options: StageOptions,
    clock: Callable[[], float],
    *,
    duration_s: float = TRIAL_S,
    first_picture_s: float = FIRST_PICTURE_S,
    encoder: Callable[[StageOptions], Encoder] = open_encoder,
    prepare: Callable[[StageOptions], None] = prepare_encoder,
) -> tuple[CameraReport, Still | None]:
    """Turn the camera on for `duration_s` from its first picture on; returns what came, and the first still.

    `prepare` finds out before which encoder to use, as the server does for its first page.
    Raises CameraError if there is no picture, whatever the source raises.
    """
    preparing = threading.Thread(target=prepare, args=(options,), name="encoder-trial", daemon=True)
    preparing.start()
    preparing.join(PREPARE_S)
    measurement = _Measurement(source, options, clock, encoder)
    began_s = clock()
    thread = threading.Thread(target=measurement.run, name="camera-trial", daemon=True)
    thread.start()
    try:
        measurement.has_begun.wait(first_picture_s)
        measurement.has_ended.wait(duration_s)
    finally:
        measurement.stopping.set()
        thread.join(STOP_S)
    if measurement.error is not None:
        raise measurement.error
    if not measurement.times or measurement.description is None:
        raise CameraError(CameraReason.NO_SIGNAL, f"no picture came within {first_picture_s:.0f} s")
    return _report(measurement.description, list(measurement.times), began_s), measurement.still


def _report(description: VideoDescription, times: list[tuple[float, float]], began_s: float) -> CameraReport:
    all_captured = [captured_s for captured_s, _ in times]
    captured = [at_s for at_s in all_captured if at_s >= all_captured[0] + SETTLE_S] or all_captured
    latencies_ms = [1000 * (encoded_s - captured_s) for captured_s, encoded_s in times]
    gaps = [later - earlier for earlier, later in itertools.pairwise(captured)]
    usual_s = statistics.median(gaps) if gaps else 0.0
    duration_s = captured[-1] - captured[0]
    missing = max(0, round(duration_s / usual_s) - len(gaps)) if usual_s > 0 else 0
    return CameraReport(
        format=description.format.value,
        width=description.width,
        height=description.height,
        described_fps=description.fps,
        measured_fps=round(len(gaps) / duration_s, 1) if duration_s > 0 else 0.0,
        first_picture_ms=round(1000 * (times[0][1] - began_s), 1),
        latency_median_ms=round(statistics.median(latencies_ms), 1),
        latency_worst_ms=round(max(latencies_ms), 1),
        frames=len(times),
        dropped=missing,
    )
