"""The video source `process`: pictures from the standard output of a program, such as gphoto2 or rpicam-vid.

MJPEG and H.264 (Annex B) are told apart by their first bytes. MJPEG is as early as it can be: of all that has arrived
the newest whole picture is decoded, and the rest is skipped. An access unit of H.264 is known to be whole only when the
next begins, so it is one frame later.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Protocol

from belvedere.errors import BitstreamError, CameraError, CameraReason
from belvedere.stage.sources.child import ChildProcess
from belvedere.stage.sources.frame_output import FrameOutput, open_ffmpeg_decoder
from belvedere.stage.sources.jpeg_stream import SOI, JpegSplitter
from belvedere.stage.sources.source import VideoDescription, VideoFormat

if TYPE_CHECKING:
    import threading

    import av
    from av.packet import Packet

    from belvedere.stage.sources.source import Sink

START_CODES = (b"\x00\x00\x01", b"\x00\x00\x00\x01")
WAIT_S = 0.1  # how long a stop may be noticed late
DRAIN_READS = 16  # 4 MiB: a child that writes faster than we read must not keep us from decoding
MAX_GARBAGE_BYTES = 4 * 2**20  # before the first picture, and between two
MAX_UNIT_BYTES = 4 * 2**20  # of one H.264 access unit
NO_H264 = "writes something that is no H.264"
SILENCE_TIMEOUT_S = 10.0  # gphoto2 takes some seconds until the first picture


def split_command(command: str | tuple[str, ...]) -> tuple[str, ...]:
    """Split a command as a shell would, without being one. Raises ValueError if nothing is left or a quote is open."""
    words = tuple(shlex.split(command)) if isinstance(command, str) else command
    if not words or not words[0]:
        raise ValueError("it names no program")
    return words


class _Reader(Protocol):
    def receive(self, data: bytes, now_s: float) -> None:
        """Take bytes that arrived now, and push what they complete. Raises CameraError."""
        ...


class ProgramSource:
    """Runs a program and shows what it writes, each picture with the time of its arrival: nothing tells more.

    Args:
        command: program and arguments; no shell is involved.
        encodes_anew: whether H.264 is decoded, so that size and bitrate are ours, although browsers could show it.
        silence_timeout_s: a program that writes nothing for so long has no signal.
    """

    def __init__(
        self, command: tuple[str, ...], *, encodes_anew: bool = False, silence_timeout_s: float = SILENCE_TIMEOUT_S
    ) -> None:
        self._command = command
        self._encodes_anew = encodes_anew
        self._silence_timeout_s = silence_timeout_s

    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do nothing: running the program would turn the camera on."""

    def run(self, wanted: VideoDescription, sink: Sink, stopping: threading.Event) -> None:
        """Run the program until `stopping` is set. Raises CameraError with the program's last words."""
        with ChildProcess(self._command) as child:
            first = b""
            reader: _Reader | None = None
            silent_since_s = sink.now()
            while not stopping.is_set():
                data = _drain(child)
                now_s = sink.now()
                if data:
                    silent_since_s = now_s
                    if reader is None:
                        data = first = first + data
                        reader = self._reader_for(first, child.name, wanted, sink)
                    if reader is not None:
                        reader.receive(data, now_s)
                elif now_s - silent_since_s > self._silence_timeout_s:
                    said = f" (it says: {child.last_words()})" if child.last_words() else ""
                    problem = f"{child.name}: has written nothing for {self._silence_timeout_s:.0f} s{said}"
                    raise CameraError(CameraReason.NO_SIGNAL, problem)

    def _reader_for(self, first: bytes, name: str, wanted: VideoDescription, sink: Sink) -> _Reader | None:
        """The reader for what begins so; None if that is not known yet. Raises CameraError (WRONG_FORMAT)."""
        if first.startswith(START_CODES):
            units = _H264Units(name)
            return _H264Decoder(name, units, wanted, sink) if self._encodes_anew else _H264(name, units, wanted, sink)
        if SOI in first:
            return _Jpeg(name, wanted, sink)
        if len(first) > MAX_GARBAGE_BYTES:
            raise CameraError(CameraReason.WRONG_FORMAT, f"{name}: writes neither MJPEG nor H.264")
        return None


def _drain(child: ChildProcess) -> bytes:
    """Wait for output and read all that is there, within bounds. Raises CameraError at its end."""
    parts: list[bytes] = []
    for count in range(DRAIN_READS):
        part = child.read(0 if count else WAIT_S)
        if part is None:
            if parts:
                break  # the last picture first; the end is read again
            raise child.failure()
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


class _Jpeg:
    """Decodes the newest picture of each piece of output."""

    def __init__(self, name: str, wanted: VideoDescription, sink: Sink) -> None:
        import av  # noqa: PLC0415 (FFmpeg is heavy)

        self._name = name
        self._splitter = JpegSplitter()
        self._output = FrameOutput(wanted, sink)
        self._decoder = open_ffmpeg_decoder("mjpeg")
        self._damaged_bytes = 0
        self._packet, self._error = av.Packet, av.FFmpegError

    def receive(self, data: bytes, now_s: float) -> None:
        pictures = self._splitter.receive(data)
        if not pictures:
            self._check(self._splitter.skipped)
            return
        try:
            frames = self._decoder.decode(self._packet(pictures[-1]))
        except self._error:
            frames = []
        self._damaged_bytes = 0 if frames else self._damaged_bytes + len(pictures[-1])
        self._check(self._damaged_bytes)
        for frame in frames[-1:]:
            self._output.push(frame, now_s)

    def _check(self, count: int) -> None:
        if count > MAX_GARBAGE_BYTES:
            raise CameraError(CameraReason.WRONG_FORMAT, f"{self._name}: writes something that is no MJPEG")


class _H264Units:
    """Cuts H.264 into access units. One has arrived when its first bytes did, which end the one before."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parser = open_ffmpeg_decoder("h264")
        self._begun_s: float | None = None
        self._unfinished = 0

    def receive(self, data: bytes, now_s: float) -> list[tuple[Packet[av.VideoStream], float]]:
        """The access units that are whole now, each with the time of its arrival."""
        self._begun_s = now_s if self._begun_s is None else self._begun_s
        self._unfinished += len(data)
        units = []
        for packet in self._parser.parse(data):
            units.append((packet, self._begun_s))
            self._begun_s = now_s
            self._unfinished = 0
        if self._unfinished > MAX_UNIT_BYTES:
            raise CameraError(CameraReason.WRONG_FORMAT, f"{self._name}: {NO_H264}")
        return units


class _H264:
    """Passes access units on; the sink decodes them if browsers cannot."""

    def __init__(self, name: str, units: _H264Units, wanted: VideoDescription, sink: Sink) -> None:
        self._name = name
        self._units = units
        self._sink = sink
        sink.describe(VideoDescription(VideoFormat.H264, wanted.width, wanted.height, 0))

    def receive(self, data: bytes, now_s: float) -> None:
        try:
            for packet, arrived_s in self._units.receive(data, now_s):
                self._sink.push_h264(bytes(packet), arrived_s)
        except BitstreamError as error:
            raise CameraError(CameraReason.WRONG_FORMAT, f"{self._name}: {NO_H264}: {error}") from error


class _H264Decoder:
    """Decodes every access unit, because the later ones need it, and shows the newest of each piece of output."""

    def __init__(self, name: str, units: _H264Units, wanted: VideoDescription, sink: Sink) -> None:
        import av  # noqa: PLC0415 (FFmpeg is heavy)

        self._name = name
        self._units = units
        self._output = FrameOutput(wanted, sink)
        self._decoder = open_ffmpeg_decoder("h264")
        self._useless_bytes = 0
        self._error = av.FFmpegError

    def receive(self, data: bytes, now_s: float) -> None:
        newest: tuple[av.VideoFrame, float] | None = None
        self._useless_bytes += len(data)
        for packet, arrived_s in self._units.receive(data, now_s):
            try:
                for frame in self._decoder.decode(packet):
                    newest = frame, arrived_s
            except self._error:
                continue  # a damaged unit; the decoder goes on with the next key frame
        if newest is not None:
            self._useless_bytes = 0
            self._output.push(*newest)
        if self._useless_bytes > MAX_GARBAGE_BYTES:
            raise CameraError(CameraReason.WRONG_FORMAT, f"{self._name}: {NO_H264}")
