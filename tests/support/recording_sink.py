"""A sink that records what a source delivers, and stops it after a number of pictures."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import av
from tests.support.pictures import blank_picture

from belvedere.stage.sources.conversion import PictureConverter
from belvedere.stage.sources.frame_output import open_ffmpeg_decoder
from belvedere.stage.sources.source import Picture, VideoDescription, VideoFormat

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.sources.source import VideoSource

WANTED = VideoDescription(VideoFormat.RAW, 64, 48, 30)
TIMEOUT_S = 30.0  # only against a source that hangs


class RecordingSink:
    """Takes every picture, and sets `stopping` once there are `enough`.

    Attributes:
        levels: the luma in the middle of each picture.
        captured: the capture time of each.
        units: the access units that it pushed, if it encodes.
        descriptions: what the source said it delivers.
        on_picture: called after each picture.
    """

    def __init__(self, enough: int = 1) -> None:
        self.stopping = threading.Event()
        self.levels: list[int] = []
        self.units: list[bytes] = []
        self.captured: list[float] = []
        self.descriptions: list[VideoDescription] = []
        self.on_picture: Callable[[], None] = lambda: None
        self._enough = enough
        self._decoder = open_ffmpeg_decoder("h264")
        self._picture = blank_picture(WANTED.width, WANTED.height)

    def now(self) -> float:
        """The real clock."""
        return time.monotonic()

    def describe(self, description: VideoDescription) -> None:
        """Record it."""
        self.descriptions.append(description)

    def lend(self) -> Picture | None:
        """Always the same buffer."""
        return self._picture

    def push_picture(self, captured_s: float) -> None:
        """Record it."""
        self.levels.append(self._picture.y[len(self._picture.y) // 2 + WANTED.width // 2])
        self.captured.append(captured_s)
        self.on_picture()
        if len(self.levels) >= self._enough:
            self.stopping.set()

    def push_h264(self, data: bytes, captured_s: float) -> None:
        """Record it, decoded."""
        self.units.append(data)
        for frame in self._decoder.decode(av.Packet(data)):
            PictureConverter().convert(frame, self._picture)
            self.push_picture(captured_s)

    def record(self, source: VideoSource) -> None:
        """Run the source until there are enough pictures. Raises what it raises."""
        timer = threading.Timer(TIMEOUT_S, self.stopping.set)
        timer.start()
        try:
            source.run(WANTED, self, self.stopping)
        finally:
            timer.cancel()
