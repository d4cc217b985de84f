"""The video source `file`: a video file, again and again, at its own pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.memory_tuning import bound_ffmpeg
from belvedere.stage.sources.frame_output import FrameOutput

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

    import av
    from av.container import InputContainer

    from belvedere.stage.sources.source import Sink, VideoDescription

OPEN_TIMEOUT_S = READ_TIMEOUT_S = 5.0  # a file on a network share that is gone
USUAL_FPS = 25.0  # where the file does not say
LONGEST_PAUSE_S = 2.0  # longer ones are errors in the time stamps, or a cut
BEHIND_S = 0.5  # after that the file goes on from now, instead of catching up
ADVICE = {
    CameraReason.WRONG_FORMAT: "is no video, or was cut off",
    CameraReason.UNREACHABLE: "could not be read in time",
}


class FileSource:
    """Shows a file, paced at its own time stamps; each frame is captured when it is its turn.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do nothing: the file may be replaced until it is opened."""

    def run(self, wanted: VideoDescription, sink: Sink, stopping: threading.Event) -> None:
        """Show the file until `stopping` is set. Raises CameraError if it cannot be read."""
        import av  # noqa: PLC0415 (FFmpeg is heavy)

        from belvedere.stage.sources.ffmpeg_errors import camera_error  # noqa: PLC0415 (likewise)

        bound_ffmpeg()
        self._check()
        try:
            with av.open(
                f"file:{self._path.absolute()}",
                options={"protocol_whitelist": "file"},  # a playlist must not lead elsewhere
                timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
            ) as container:
                self._show(container, wanted, sink, stopping)
        except av.FFmpegError as error:
            raise camera_error(error, str(self._path), ADVICE) from error

    def _check(self) -> None:
        """Raise CameraError for what is no readable file; FFmpeg would say less."""
        try:
            if not self._path.is_file():
                is_there = self._path.exists()
                reason = CameraReason.WRONG_FORMAT if is_there else CameraReason.NOT_FOUND
                raise CameraError(reason, f"{self._path}: {'is no file' if is_there else 'does not exist'}")
            with self._path.open("rb"):
                pass
        except PermissionError as error:
            raise CameraError(CameraReason.NO_PERMISSION, f"{self._path}: may not be read") from error
        except OSError as error:
            raise CameraError(CameraReason.FAILED, f"{self._path}: {error.strerror}") from error

    def _show(self, container: InputContainer, wanted: VideoDescription, sink: Sink, stopping: threading.Event) -> None:
        if not container.streams.video:
            raise CameraError(CameraReason.WRONG_FORMAT, f"{self._path}: has no pictures")
        stream = container.streams.video[0]
        fps = float(stream.average_rate or USUAL_FPS)
        output = FrameOutput(wanted, sink, fps)
        due_s = sink.now()
        while not stopping.is_set():
            has_frames = False
            for pause_s, frame in _frames(container, stream, 1 / fps):
                if stopping.wait(max(0.0, due_s - sink.now())):
                    return
                now_s = sink.now()
                due_s = (due_s if now_s - due_s < BEHIND_S else now_s) + pause_s
                output.push(frame, now_s)
                has_frames = True
            if not has_frames:
                raise CameraError(CameraReason.WRONG_FORMAT, f"{self._path}: no picture in it can be decoded")
            container.seek(0)


def _frames(container: InputContainer, stream: av.VideoStream, usual_s: float) -> Iterator[tuple[float, av.VideoFrame]]:
    """The frames of one pass through the file, each with the pause until the next."""
    held: av.VideoFrame | None = None
    for frame in _decoded(container, stream):
        if held is not None:
            pause_s = usual_s if frame.pts is None or held.pts is None else frame.time - held.time
            yield (pause_s if 0 < pause_s <= LONGEST_PAUSE_S else usual_s), held
        held = frame
    if held is not None:
        yield usual_s, held


def _decoded(container: InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    """All frames that can be decoded; damaged ones are skipped."""
    import av  # noqa: PLC0415 (FFmpeg is heavy)

    for packet in container.demux(stream):
        try:
            yield from stream.decode(packet)
        except av.error.InvalidDataError:
            continue
