"""The video source `whip`: shows what another program publishes to us, as encoded as it comes.

A published picture cannot be turned off: while nobody watches, it is dropped as it arrives. The event loop hands frames
over and never waits; the source's thread waits for them. Both sides are bounded.
"""

from __future__ import annotations

import asyncio
import dataclasses
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from belvedere.errors import BitstreamError, CameraError, CameraReason
from belvedere.stage.h264 import NalType, nal_type, read_sps, split_nal_units
from belvedere.stage.sources.source import VideoDescription, VideoFormat

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.sources.source import Sink

MAX_FRAMES = 16  # half a second at 30 fps: a thread that is later drops to the next IDR
POLL_S = 0.2  # how soon the thread notices that it is to stop
ANSWER_S = 1.0  # a publisher whose first IDR takes longer ignores requests: the frames since the last one are kept then
SILENCE_S = 3.0  # a publisher that sends nothing for so long has no signal
PUBLISHER_TIMEOUT_S = 10.0  # how long a repeated attempt waits for a publisher before it fails again
REPEATED_S = 30.0  # an attempt so soon after another that found no publisher is a repeated one

NOBODY = 'no program publishes the picture: start it, with the token of [camera] kind = "whip"'


@dataclass(frozen=True, slots=True)
class PublishedFrame:
    """An access unit in Annex B format, and when it was captured, in seconds of the server's monotonic clock."""

    data: bytes
    captured_s: float
    is_idr: bool


class PublishedFrames:
    """The frames for one run of the source; they begin with an IDR, also after a gap."""

    def __init__(self) -> None:
        self._frames: queue.SimpleQueue[PublishedFrame] = queue.SimpleQueue()
        self._needs_idr = True

    def put(self, frame: PublishedFrame) -> bool:
        """Add a frame, on the event loop; returns whether an IDR is needed."""
        if self._frames.qsize() >= MAX_FRAMES:
            self._needs_idr = True
        elif frame.is_idr:
            self._needs_idr = False
        if not self._needs_idr:
            self._frames.put(frame)
        return self._needs_idr

    def get(self) -> PublishedFrame | None:
        """Wait for a frame, in the source's thread, for at most POLL_S."""
        try:
            return self._frames.get(timeout=POLL_S)
        except queue.Empty:
            return None


class Publication:
    """What is published, between the event loop, where it arrives, and the source's thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._frames: PublishedFrames | None = None
        self._request_idr: Callable[[], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_publisher = threading.Event()
        self._missed_at_s: float | None = None

    # For the event loop.

    @property
    def is_wanted(self) -> bool:
        """Whether anybody watches; if not, frames are to be dropped."""
        return self._frames is not None

    def begin(self, request_idr: Callable[[], None]) -> None:
        """A program publishes from now on; it is asked for an IDR by calling this on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._request_idr = request_idr
        self._has_publisher.set()
        if self.is_wanted:
            request_idr()

    def receive(self, frame: PublishedFrame) -> None:
        """A frame of the program that publishes. Returns at once."""
        frames = self._frames
        if frames is not None and frames.put(frame) and self._request_idr is not None:
            self._request_idr()

    def end(self) -> None:
        """Nobody publishes any more."""
        self._request_idr = None
        self._has_publisher.clear()

    # For the source's thread.

    def open(self, stopping: threading.Event) -> PublishedFrames:
        """Take the frames from now on, in place of an earlier run. Raises CameraError if nobody publishes."""
        now_s = self._clock()
        is_repeated = self._missed_at_s is not None and now_s - self._missed_at_s < REPEATED_S
        until_s = now_s + (PUBLISHER_TIMEOUT_S if is_repeated else 0)
        while not self._has_publisher.wait(POLL_S if is_repeated else 0):
            if stopping.is_set() or self._clock() >= until_s:
                self._missed_at_s = self._clock()
                raise CameraError(CameraReason.NOT_FOUND, NOBODY)
        self._missed_at_s = None
        self._frames = frames = PublishedFrames()
        self.request_idr()
        return frames

    def close(self, frames: PublishedFrames) -> None:
        """Take no more frames, unless a later run does."""
        if self._frames is frames:
            self._frames = None

    def has_publisher(self) -> bool:
        """Whether a program publishes."""
        return self._has_publisher.is_set()

    def request_idr(self) -> None:
        """Ask the program for an IDR; also if it has just ended."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ask)

    def _ask(self) -> None:
        if self._request_idr is not None:
            self._request_idr()


class PublishedSource:
    """A video source that passes on what is published."""

    def __init__(self, publication: Publication) -> None:
        self._publication = publication

    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do nothing: the program that publishes decides on everything."""

    def run(self, wanted: VideoDescription, sink: Sink, stopping: threading.Event) -> None:
        """Pass frames on until `stopping` is set. Raises CameraError when there are none."""
        frames = self._publication.open(stopping)
        try:
            self._pass_on(frames, wanted, sink, stopping)
        except BitstreamError as error:
            problem = f"the published picture is no H.264 that can be read: {error}"
            raise CameraError(CameraReason.WRONG_FORMAT, problem) from error
        finally:
            self._publication.close(frames)

    def _pass_on(
        self, frames: PublishedFrames, wanted: VideoDescription, sink: Sink, stopping: threading.Event
    ) -> None:
        described: VideoDescription | None = None
        is_asked = False
        heard_s = opened_s = sink.now()
        while not stopping.is_set():
            frame = frames.get()
            if frame is None:
                self._check(sink.now() - heard_s)
                continue
            heard_s = sink.now()
            if frame.is_idr and (found := _description(frame.data, wanted.fps)) not in {None, described}:
                is_asked = is_asked or (described is None and heard_s - opened_s <= ANSWER_S)
                request_idr = self._publication.request_idr if is_asked else None
                described = dataclasses.replace(found, request_idr=request_idr)
                sink.describe(described)
            if described is not None:
                sink.push_h264(frame.data, frame.captured_s)

    def _check(self, silent_s: float) -> None:
        if not self._publication.has_publisher():
            raise CameraError(CameraReason.ENDED, "the program that published the picture has ended")
        if silent_s >= SILENCE_S:
            raise CameraError(CameraReason.NO_SIGNAL, "the program that publishes the picture sends none: look at it")


def _description(data: bytes, fps: int) -> VideoDescription | None:
    """What an IDR's parameter set says; None without one. Raises BitstreamError."""
    sps = next((read_sps(unit) for unit in split_nal_units(data) if nal_type(unit) == NalType.SPS), None)
    if sps is None:
        return None
    return VideoDescription(VideoFormat.H264, sps.width, sps.height, round(sps.fps or fps))
