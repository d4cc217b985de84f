"""The video source `rtsp`: an IP camera.

FFmpeg's calls cannot be interrupted from outside, only bounded. So a thread of its own opens and receives, and the
source takes from it and can stop at any time: access units of H.264 in order, or the newest frame of what is decoded. A
reader that is left behind ends with its next packet or timeout.

A frame's capture time is that of its arrival. Only the camera knows when it captured it, and says so by RTCP in the
time of its own clock: that is used if the owner says that this clock is right.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import sys
import threading
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlsplit

from belvedere.errors import BitstreamError, CameraError, CameraReason
from belvedere.stage.memory_tuning import bound_ffmpeg
from belvedere.stage.sources.frame_output import FrameOutput
from belvedere.stage.sources.source import VideoDescription, VideoFormat

if TYPE_CHECKING:
    from collections.abc import Callable

    import av
    from av.container import InputContainer
    from av.packet import Packet

    from belvedere.secret import Secret
    from belvedere.stage.sources.source import Sink

OPEN_TIMEOUT_S = 8.0  # for all of connecting, logging in and the first key frame
READ_TIMEOUT_S = 5.0
GIVE_UP_S = 2.0  # looking up a name is bounded by nobody: the reader is left behind so long after its time is over
UNIT_PAUSE_S = 0.004  # an eighth of a frame's time, so that it catches up quickly
WAIT_S = 0.1  # how late a stop may be noticed
MAX_CLOCK_AGE_S = 5.0  # by the camera's clock; an older or a future picture has a clock that is wrong after all
FFMPEG_OPTIONS = {
    "protocol_whitelist": "rtsp,rtp,tcp,udp",
    "allowed_media_types": "video",
    "max_delay": "100000",  # microseconds that are waited for packets in the wrong order
    "reorder_queue_size": "64",  # packets
    "buffer_size": str(2**20),  # of the UDP socket: a key frame arrives in one burst
    "analyzeduration": "300000",  # microseconds; what arrives meanwhile is kept: it begins with a key frame
    "probesize": str(2**20),
    "fpsprobesize": "0",  # the rate is not worth a second of waiting
    "user_agent": "Belvedere",
}
ADVICE = {
    CameraReason.UNREACHABLE: "does not answer: look at its address, and whether it is on",
    CameraReason.REFUSED: "wants another user name or password: look at username and password_file",
    CameraReason.NOT_FOUND: "has no stream of this name: look at the path in the address",
    CameraReason.WRONG_FORMAT: "sends no video that can be decoded",
    CameraReason.ENDED: "ended the connection",
}
MAX_UNITS = 30  # access units that wait for the source, a second's worth; a sink never takes so long
MICROSECONDS = 1_000_000


class Transport(enum.StrEnum):
    """How packets come from the camera."""

    TCP = "tcp"
    UDP = "udp"


def check_rtsp_login(url: str, username: str | None, password: Secret | None) -> None:
    """Raise ValueError if an address contains user name or password, or a password has no user name."""
    if "@" in urlsplit(url).netloc:
        raise ValueError("url must not contain user name and password: use username and password_file")
    if not urlsplit(url).hostname or urlsplit(url).port == 0:  # `port` raises ValueError if it is no port
        raise ValueError("url names no camera: rtsp://host:port/path")
    if password is not None and username is None:
        raise ValueError("password_file needs a username")


class RtspSource:
    """Shows an IP camera.

    Args:
        url: rtsp://host:port/path, without user name and password.
        username, password: what the camera wants to know, if anything.
        transport: how packets come.
        encodes_anew: whether H.264 is decoded, so that size and bitrate are ours, although browsers could show it.
        trusts_clock: whether the camera's clock and this computer's agree, so that RTCP says when it was captured.
        open_timeout_s, read_timeout_s: how long to wait for an answer, and for the next packet.
    """

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        password: Secret | None = None,
        transport: Transport = Transport.TCP,
        encodes_anew: bool = False,
        trusts_clock: bool = False,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._url = url
        self._username = username
        self._password = password
        self._options = {**FFMPEG_OPTIONS, "rtsp_transport": transport.value}
        self._encodes_anew = encodes_anew
        self._trusts_clock = trusts_clock
        self._timeouts = (open_timeout_s, read_timeout_s)

    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do nothing: connecting would turn the camera on."""

    def run(self, wanted: VideoDescription, sink: Sink, stopping: threading.Event) -> None:
        """Receive until `stopping` is set. Raises CameraError."""
        reader = _Reader(
            self._url,
            self._address(),
            self._options,
            self._timeouts,
            sink.now,
            decodes_h264=self._encodes_anew,
            trusts_clock=self._trusts_clock,
        )
        reader.start()
        push: Callable[[Received], None] | None = None
        silent_since_s = sink.now()
        try:
            while not stopping.is_set():
                for number, received in enumerate(reader.take(WAIT_S)):
                    if number:  # several at once, as at the start: the event loop must have time to take them
                        stopping.wait(UNIT_PAUSE_S)
                    push = push or self._push_to(sink, wanted, reader.fps, received)
                    push(received)
                    silent_since_s = sink.now()
                limit_s = self._timeouts[0 if push is None else 1] + GIVE_UP_S
                if sink.now() - silent_since_s > limit_s:
                    reason = CameraReason.UNREACHABLE if push is None else CameraReason.NO_SIGNAL
                    raise CameraError(reason, f"{self._url}: has sent no picture for {limit_s:.0f} s")
        except BitstreamError as error:
            raise CameraError(CameraReason.WRONG_FORMAT, f"{self._url}: sends no H.264: {error}") from error
        finally:
            reader.leave()

    def _push_to(
        self, sink: Sink, wanted: VideoDescription, fps: float | None, first: Received
    ) -> Callable[[Received], None]:
        """Describe to the sink what is received; returns what pushes it there."""
        if isinstance(first.picture, bytes):
            rate = round(fps) if fps is not None else 0
            sink.describe(VideoDescription(VideoFormat.H264, wanted.width, wanted.height, rate))
        output = None if isinstance(first.picture, bytes) else FrameOutput(wanted, sink, fps)

        def push(received: Received) -> None:
            if isinstance(received.picture, bytes):
                sink.push_h264(received.picture, received.captured_s)
            elif output is not None:
                output.push(received.picture, received.captured_s)

        return push

    def _address(self) -> str:
        """The address as FFmpeg wants it, with user name and password: for FFmpeg alone."""
        if self._username is None:
            return self._url
        parts = urlsplit(self._url)
        password = quote(self._password.reveal(), safe="") if self._password is not None else ""
        return parts._replace(netloc=f"{quote(self._username, safe='')}:{password}@{parts.netloc}").geturl()


class Received(NamedTuple):
    """What came from the camera: a decoded frame, or an access unit of H.264 in Annex B format."""

    picture: av.VideoFrame | bytes
    captured_s: float


class _Reader(threading.Thread):
    """Receives and, where that is needed, decodes; `take` and `leave` belong to another thread.

    Attributes:
        fps: the camera's rate, if it says one; set before anything can be taken.
    """

    def __init__(
        self,
        name: str,
        address: str,
        options: dict[str, str],
        timeouts: tuple[float, float],
        clock: Callable[[], float],
        *,
        decodes_h264: bool,
        trusts_clock: bool,
    ) -> None:
        super().__init__(name="rtsp-reader", daemon=True)
        self.fps: float | None = None
        self._camera = name
        self._address = address
        self._options = options
        self._timeouts = timeouts
        self._clock = clock
        self._decodes_h264 = decodes_h264
        self._trusts_clock = trusts_clock
        self._begun_s: float | None = None
        self._changed = threading.Condition()
        self._waiting: list[Received] = []
        self._needs_keyframe = True
        self._error: Exception | None = None
        self._is_left = False

    def take(self, timeout_s: float) -> list[Received]:
        """Wait for what was received: the newest frame, or all access units. Raises CameraError at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._error is not None, timeout_s)
            taken, self._waiting = self._waiting, []
            if not taken and self._error is not None:
                raise self._error
            return taken

    def leave(self) -> None:
        """Let it end by itself, soon; nothing is taken from it any more."""
        with self._changed:
            self._is_left = True
            self._waiting = []

    def run(self) -> None:
        try:
            self._open()
        except Exception as error:  # noqa: BLE001 (raised again in the source's thread)
            with self._changed:
                self._error = error
                self._changed.notify()

    def _open(self) -> None:
        import av  # noqa: PLC0415 (FFmpeg is heavy)

        from belvedere.stage.sources.ffmpeg_errors import camera_error  # noqa: PLC0415 (likewise)

        bound_ffmpeg()
        is_open = False
        try:
            with av.open(self._address, options=self._options, timeout=self._timeouts) as container:
                is_open = True
                self._receive(container)
        except av.error.ExitError:
            reason = CameraReason.NO_SIGNAL if is_open else CameraReason.UNREACHABLE
            silence = f"has sent nothing for {self._timeouts[1]:.0f} s"
            raise CameraError(reason, f"{self._camera}: {silence if is_open else ADVICE[reason]}") from None
        except av.FFmpegError as error:
            # without their cause, whose message has the password in it
            if error.errno == errno.EIO and not is_open:  # what FFmpeg says if it does not find the host's name
                reason = CameraReason.UNREACHABLE
                raise CameraError(reason, f"{self._camera}: {ADVICE[reason]}") from None
            raise camera_error(error, self._camera, ADVICE) from None

    def _receive(self, container: InputContainer) -> None:
        """Receive until this reader is left. Raises av.FFmpegError, and CameraError if the camera ends the stream."""
        import av  # noqa: PLC0415 (FFmpeg is heavy)

        if not container.streams.video:
            raise CameraError(CameraReason.WRONG_FORMAT, f"{self._camera}: sends no video")
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # more would make each frame wait for the next ones
        self.fps = float(stream.average_rate) if stream.average_rate else None
        parameter_sets = bytes(stream.codec_context.extradata or b"")
        for packet in container.demux(stream):
            captured_s = self._captured_s(packet)
            if stream.codec_context.name == "h264" and not self._decodes_h264:
                self._put_unit(parameter_sets + bytes(packet), captured_s, packet)
                parameter_sets = b""  # the sink remembers them
            else:
                with contextlib.suppress(av.error.InvalidDataError):  # a lost packet; it goes on by itself
                    for frame in stream.decode(packet):
                        self._put([Received(frame, captured_s)])
            if self._is_left:
                return
        raise CameraError(CameraReason.ENDED, f"{self._camera}: {ADVICE[CameraReason.ENDED]}")

    def _put_unit(self, data: bytes, captured_s: float, packet: Packet[av.VideoStream]) -> None:
        """Add an access unit to those that wait; after a loss, or if too many wait, go on with the next key frame."""
        with self._changed:
            if len(self._waiting) >= MAX_UNITS:
                self._waiting = []
                self._needs_keyframe = True
            self._needs_keyframe = (self._needs_keyframe or packet.is_corrupt) and not packet.is_keyframe
            if not self._needs_keyframe and data:
                self._put([*self._waiting, Received(data, captured_s)])

    def _put(self, waiting: list[Received]) -> None:
        with self._changed:
            if not self._is_left:
                self._waiting = waiting
                self._changed.notify()

    def _captured_s(self, packet: Packet[av.VideoStream]) -> float:
        """The time of arrival, or what the camera's clock says if that is trusted, known and possible.

        An access unit is known to be whole when the next begins, so it has arrived when the one before was handed out.
        """
        now_s = self._clock()
        arrived_s, self._begun_s = self._begun_s or now_s, now_s
        if self._trusts_clock and packet.has_sidedata("prft"):
            wallclock_us = int.from_bytes(bytes(packet.get_sidedata("prft"))[:8], sys.byteorder, signed=True)
            age_s = time.time() - wallclock_us / MICROSECONDS
            if 0 <= age_s <= MAX_CLOCK_AGE_S:
                return now_s - age_s
        return arrived_s
