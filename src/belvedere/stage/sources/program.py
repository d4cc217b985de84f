"""The video source `process`: pictures from the standard output of a program, such as gphoto2 or rpicam-vid.

MJPEG and H.264 (Annex B) are told apart by their first bytes. MJPEG is as early as it can be: of all that has arrived
the newest whole picture is decoded, and the rest is skipped. An access unit of H.264 is known to be whole only when the
next begins, so it is one frame later.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Protocol

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.sources.child import ChildProcess
from belvedere.stage.sources.frame_output import FrameOutput
from belvedere.stage.sources.jpeg_stream import SOI, JpegSplitter

if TYPE_CHECKING:
    import threading

    import av

    from belvedere.stage.sources.source import Sink, VideoDescription

START_CODES = (b"\x00\x00\x01", b"\x00\x00\x00\x01")
WAIT_S = 0.1  # how long a stop may be noticed late
DRAIN_READS = 16  # 4 MiB: a child that writes faster than we read must not keep us from decoding
MAX_GARBAGE_BYTES = 4 * 2**20  # before the first picture, and between two
MAX_UNIT_BYTES = 4 * 2**20  # of one H.264 access unit
SILENCE_TIMEOUT_S = 10.0  # gphoto2 takes some seconds until the first picture


def split_command(command: str | tuple[str, ...]) -> tuple[str, ...]:
    """Split a command as a shell would, without being one. Raises ValueError if nothing is left or a quote is open."""
    words = tuple(shlex.split(command)) if isinstance(command, str) else command
    if not words or not words[0]:
        raise ValueError("it names no program")
    return words


class _Decoder(Protocol):
    def receive(self, data: bytes) -> list[av.VideoFrame]:
        """Take bytes; returns what is worth showing of the frames that they complete. Raises CameraError."""
        ...


class ProgramSource:
    """Runs a program and shows what it writes, each picture with the time of its arrival: nothing tells more.

    Args:
        command: program and arguments; no shell is involved.
        silence_timeout_s: a program that writes nothing for so long has no signal.
    """

    def __init__(self, command: tuple[str, ...], silence_timeout_s: float = SILENCE_TIMEOUT_S) -> None:
        self._command = command
        self._silence_timeout_s = silence_timeout_s

    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do nothing: running the program would turn the camera on."""

    def run(self, wanted: VideoDescription, sink: Sink, stopping: threading.Event) -> None:
        """Run the program until `stopping` is set. Raises CameraError with the program's last words."""
        output = FrameOutput(wanted, sink)
        with ChildProcess(self._command) as child:
            decoder: _Decoder = _Undecided(child.name)
            silent_since_s = sink.now()
            while not stopping.is_set():
                data = _drain(child)
                now_s = sink.now()
                if data:
                    silent_since_s = now_s
                    if isinstance(decoder, _Undecided):
                        data, decoder = decoder.decide(data)
                    for frame in decoder.receive(data):
                        output.push(frame, now_s)
                elif now_s - silent_since_s > self._silence_timeout_s:
                    said = f" (it says: {child.last_words()})" if child.last_words() else ""
                    problem = f"{child.name}: has written nothing for {self._silence_timeout_s:.0f} s{said}"
                    raise CameraError(CameraReason.NO_SIGNAL, problem)


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


class _Undecided:
    """The first bytes, until they tell what follows."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._data = b""

    def decide(self, data: bytes) -> tuple[bytes, _Decoder]:
        """Return all bytes so far and the decoder for them, or this again. Raises CameraError (WRONG_FORMAT)."""
        self._data += data
        if self._data.startswith(START_CODES):
            return self._data, _H264Decoder(self._name)
        if SOI in self._data:
            return self._data, _JpegDecoder(self._name)
        if len(self._data) > MAX_GARBAGE_BYTES:
            raise CameraError(CameraReason.WRONG_FORMAT, f"{self._name}: writes neither MJPEG nor H.264")
        return b"", self

    def receive(self, data: bytes) -> list[av.VideoFrame]:  # noqa: ARG002 (there is nothing to decode yet)
        """Return nothing."""
        return []


class _JpegDecoder:
    """Decodes the newest picture of each piece of output."""

    def __init__(self, name: str) -> None:
        import av  # noqa: PLC0415 (FFmpeg is heavy)

        self._name = name
        self._splitter = JpegSplitter()
        self._decoder: av.VideoCodecContext = av.CodecContext.create("mjpeg", "r")
        self._decoder.thread_count = 1
        self._damaged_bytes = 0
        self._packet, self._error = av.Packet, av.FFmpegError

    def receive(self, data: bytes) -> list[av.VideoFrame]:
        pictures = self._splitter.receive(data)
        if not pictures:
            self._check(self._splitter.skipped)
            return []
        try:
            frames = self._decoder.decode(self._packet(pictures[-1]))
        except self._error:
            frames = []
        self._damaged_bytes = 0 if frames else self._damaged_bytes + len(pictures[-1])
        self._check(self._damaged_bytes)
        return frames[-1:]

    def _check(self, count: int) -> None:
        if count > MAX_GARBAGE_BYTES:
            raise CameraError(CameraReason.WRONG_FORMAT, f"{self._name}: writes something that is no MJPEG")


class _H264Decoder:
    """Decodes every access unit, because the later ones need it, and shows the newest of each piece of output."""

    def __init__(self, name: str) -> None:
        import av  # noqa: PLC0415 (FFmpeg is heavy)

        self._name = name
        self._decoder: av.VideoCodecContext = av.CodecContext.create("h264", "r")
        self._decoder.thread_count = 1  # more would make each picture wait for the next ones
        self._decoder.options = {"flags": "low_delay"}
        self._useless_bytes = 0
        self._error = av.FFmpegError

    def receive(self, data: bytes) -> list[av.VideoFrame]:
        frames: list[av.VideoFrame] = []
        self._useless_bytes += len(data)
        for packet in self._decoder.parse(data):
            try:
                frames += self._decoder.decode(packet)
            except self._error:
                continue  # a damaged unit; the decoder goes on with the next key frame
        if frames:
            self._useless_bytes = 0
        if self._useless_bytes > MAX_UNIT_BYTES:
            raise CameraError(CameraReason.WRONG_FORMAT, f"{self._name}: writes something that is no H.264")
        return frames[-1:]
