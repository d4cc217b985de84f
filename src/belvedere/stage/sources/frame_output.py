"""How decoded frames become the stage's pictures; every source that decodes uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from belvedere.stage.memory_tuning import bound_ffmpeg
from belvedere.stage.sources.conversion import PictureConverter
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    import av

    from belvedere.stage.sources.source import Sink

BURST = 3  # frames that may follow each other quickly, as a network delivers them after a stall


def open_ffmpeg_decoder(name: str) -> av.VideoCodecContext:
    """FFmpeg's decoder of this name, which gives each frame out at once, in one thread."""
    import av  # noqa: PLC0415 (FFmpeg is heavy)

    bound_ffmpeg()
    decoder = cast("av.VideoCodecContext", av.CodecContext.create(name, "r"))
    decoder.thread_count = 1  # more would delay each picture, and take cores from the code that drives
    decoder.options = {"flags": "low_delay"}
    return decoder


class FrameOutput:
    """Pushes decoded frames in the wanted size, and no more a second than are wanted. For one run of a source.

    Args:
        wanted: the size, and the highest rate.
        sink: where to push.
        fps: how many frames a second the camera says that it has, if it does.
    """

    def __init__(self, wanted: VideoDescription, sink: Sink, fps: float | None = None) -> None:
        self._sink = sink
        self._converter = PictureConverter()
        self._bucket = TokenBucket(wanted.fps * 1.05, BURST)  # a camera's 30 may be 30.3
        rate = wanted.fps if fps is None else max(1, min(wanted.fps, round(fps)))
        sink.describe(VideoDescription(VideoFormat.RAW, wanted.width, wanted.height, rate))

    def push(self, frame: av.VideoFrame, captured_s: float) -> bool:
        """Convert and push a frame; returns whether it was: not if there are too many, or nobody can take one now."""
        if not self._bucket.take(captured_s):
            return False
        picture = self._sink.lend()
        if picture is None:
            return False
        self._converter.convert(frame, picture)
        self._sink.push_picture(captured_s)
        return True
