"""The video source `rtsp`: an IP camera.

FFmpeg's calls cannot be interrupted from outside, only bounded. So a thread of its own opens, receives and decodes, and
puts each frame into a slot for one: the source takes the newest, and can stop at any time. A reader that is left behind
ends with its next frame or timeout.

A frame's capture time is that of its arrival. Only the camera knows when it captured it, and says so by RTCP in the
time of its own clock: that is used if the owner says that this clock is right.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.sources.frame_output import FrameOutput

if TYPE_CHECKING:
    from collections.abc import Callable

    import av
    from av.packet import Packet

    from belvedere.secret import Secret
    from belvedere.stage.sources.source import Sink, VideoDescription

OPEN_TIMEOUT_S = 8.0  # for all of connecting, logging in and the first key frame
READ_TIMEOUT_S = 5.0
GIVE_UP_S = 2.0  # looking up a name is bounded by nobody: the reader is left behind so long after its time is over
WAIT_S = 0.1  # how late a stop may be noticed
MAX_CLOCK_AGE_S = 5.0  # by the camera's clock; an older or a future picture has a clock that is wrong after all
FFMPEG_OPTIONS = {
    "protocol_whitelist": "rtsp,rtp,tcp,udp",
    "allowed_media_types": "video",
    "fflags": "nobuffer",
    "max_delay": "100000",  # microseconds that are waited for packets in the wrong order
    "reorder_queue_size": "64",  # packets
    "buffer_size": str(2**20),  # of the UDP socket: a key frame arrives in one burst
    "analyzeduration": "1000000",  # microseconds
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
        trusts_clock: bool = False,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._url = url
        self._username = username
        self._password = password
        self._options = {**FFMPEG_OPTIONS, "rtsp_transport": transport.value}
        self._trusts_clock = trusts_clock
        self._timeouts = (open_timeout_s, read_timeout_s)

    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do nothing: connecting would turn the camera on."""

    def run(self, wanted: VideoDescription, sink: Sink, stopping: threading.Event) -> None:
        """Receive until `stopping` is set. Raises CameraError."""
        address = self._address()
        reader = _Reader(self._url, address, self._options, self._timeouts, sink.now, trusts_clock=self._trusts_clock)
        reader.start()
        output: FrameOutput | None = None
        silent_since_s = sink.now()
        try:
            while not stopping.is_set():
                taken = reader.take(WAIT_S)
                if taken is not None:
                    frame, captured_s = taken
                    output = output or FrameOutput(wanted, sink, reader.fps)
                    output.push(frame, captured_s)
                    silent_since_s = sink.now()
                limit_s = self._timeouts[0 if output is None else 1] + GIVE_UP_S
                if sink.now() - silent_since_s > limit_s:
                    reason = CameraReason.UNREACHABLE if output is None else CameraReason.NO_SIGNAL
                    raise CameraError(reason, f"{self._url}: has sent no picture for {limit_s:.0f} s")
        finally:
            reader.leave()

    def _address(self) -> str:
        """The address as FFmpeg wants it, with user name and password: for FFmpeg alone."""
        if self._username is None:
            return self._url
        parts = urlsplit(self._url)
        password = quote(self._password.reveal(), safe="") if self._password is not None else ""
        return parts._replace(netloc=f"{quote(self._username, safe='')}:{password}@{parts.netloc}").geturl()


class _Reader(threading.Thread):
    """Receives and decodes; `take` belongs to another thread.

    Attributes:
        fps: the camera's rate, if it says one; set before the first frame.
    """

    def __init__(
        self,
        name: str,
        address: str,
        options: dict[str, str],
        timeouts: tuple[float, float],
        clock: Callable[[], float],
        *,
        trusts_clock: bool,
    ) -> None:
        super().__init__(name="rtsp-reader", daemon=True)
        self.fps: float | None = None
        self._camera = name
        self._address = address
        self._options = options
        self._timeouts = timeouts
        self._clock = clock
        self._trusts_clock = trusts_clock
        self._changed = threading.Condition()
        self._newest: tuple[av.VideoFrame, float] | None = None
        self._error: Exception | None = None
        self._is_left = False

    def take(self, timeout_s: float) -> tuple[av.VideoFrame, float] | None:
        """Wait for the newest frame and its capture time; None if there is none in time. Raises CameraError."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._error is not None, timeout_s)
            newest, self._newest = self._newest, None
            if newest is None and self._error is not None:
                raise self._error
            return newest

    def leave(self) -> None:
        """Let it end by itself, soon; nothing is taken from it any more."""
        with self._changed:
            self._is_left = True
            self._newest = None

    def run(self) -> None:
        try:
            self._receive()
        except Exception as error:  # noqa: BLE001 (raised again in the source's thread)
            with self._changed:
                self._error = error
                self._changed.notify()

    def _receive(self) -> None:
        import av  # noqa: PLC0415 (FFmpeg is heavy)

        from belvedere.stage.sources.ffmpeg_errors import camera_error  # noqa: PLC0415 (likewise)

        is_open = False
        try:
            with av.open(self._address, options=self._options, timeout=self._timeouts) as container:
                is_open = True
                if not container.streams.video:
                    raise CameraError(CameraReason.WRONG_FORMAT, f"{self._camera}: sends no video")
                stream = container.streams.video[0]
                stream.codec_context.thread_count = 1  # more would make each frame wait for the next ones
                self.fps = float(stream.average_rate) if stream.average_rate else None
                for packet in container.demux(stream):
                    captured_s = self._captured_s(packet)
                    with contextlib.suppress(av.error.InvalidDataError):  # a lost packet; it goes on by itself
                        for frame in stream.decode(packet):
                            self._put(frame, captured_s)
                    if self._is_left:
                        return
        except av.error.ExitError:
            reason = CameraReason.NO_SIGNAL if is_open else CameraReason.UNREACHABLE
            problem = f"has sent nothing for {self._timeouts[1]:.0f} s" if is_open else ADVICE[CameraReason.UNREACHABLE]
            raise CameraError(reason, f"{self._camera}: {problem}") from None
        except av.FFmpegError as error:
            # without their cause, whose message has the password in it
            if error.errno == errno.EIO and not is_open:  # what FFmpeg says if it does not find the host's name
                reason = CameraReason.UNREACHABLE
                raise CameraError(reason, f"{self._camera}: {ADVICE[reason]}") from None
            raise camera_error(error, self._camera, ADVICE) from None
        raise CameraError(CameraReason.ENDED, f"{self._camera}: {ADVICE[CameraReason.ENDED]}")

    def _put(self, frame: av.VideoFrame, captured_s: float) -> None:
        with self._changed:
            if not self._is_left:
                self._newest = (frame, captured_s)
                self._changed.notify()

    def _captured_s(self, packet: Packet[av.VideoStream]) -> float:
        """The time of arrival, or what the camera's clock says if that is trusted, known and possible."""
        now_s = self._clock()
        if self._trusts_clock and packet.has_sidedata("prft"):
            wallclock_us = int.from_bytes(bytes(packet.get_sidedata("prft"))[:8], "little", signed=True)
            age_s = time.time() - wallclock_us / MICROSECONDS
            if 0 <= age_s <= MAX_CLOCK_AGE_S:
                return now_s - age_s
        return now_s
