"""Encodes pictures with the computer's hardware, in a child process that can be given up.

A driver may hang in any call. FFmpeg opens encoders while PyAV holds Python's lock, so a hanging one would stop every
thread of this process, and with them the control of the head. In a child it costs a picture; the child is killed.
The planes of the picture are memory that both processes share, so that a picture is copied once, by the child.
"""

from __future__ import annotations

import weakref
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import msgspec

from belvedere.errors import BitstreamError, EncoderError, InternalError
from belvedere.stage.encoding.pass_through import PassThrough
from belvedere.stage.encoding.rate_control import EncodingTarget
from belvedere.stage.frames import EncodedFrame, rtp_ticks
from belvedere.stage.sources.source import Picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.h264 import Sps
    from belvedere.stage.options import StageOptions

CODEC = "h264_v4l2m2m"  # FFmpeg's name of the encoders that Linux drives as V4L2 memory-to-memory devices
OPEN_TIMEOUT_S = 5.0  # the first time includes the start of the child, a second or two on a small board
ENCODE_TIMEOUT_S = 1.0
MAX_SILENT = 30  # pictures in a row without output
LOWERED = 0.95  # of the bitrate that was set: below it the encoder is opened anew,
RAISED = 1.5  # and above this, as each time makes an IDR


class OpenRequest(msgspec.Struct, frozen=True, tag="open"):
    """Open an encoder for pictures of the shared memory's size; what it encodes first is an IDR.

    Attributes:
        codec: FFmpeg's name of the encoder.
        width, height: of the picture in the shared memory.
        scale: numerator and denominator of what each side is made smaller by.
        fps: numerator and denominator.
        bits_per_s: of what it makes.
    """

    codec: str
    width: int
    height: int
    scale: tuple[int, int]
    fps: tuple[int, int]
    bits_per_s: int


class EncodeRequest(msgspec.Struct, frozen=True, tag="encode"):
    """Encode what is in the shared memory."""

    ticks: int
    wants_idr: bool


Request = OpenRequest | EncodeRequest


class Answer(msgspec.Struct, frozen=True):
    """What came of a request.

    Attributes:
        problem: why it failed, or "".
        packets: what the encoder gave out, in Annex B format.
        width, height: of the pictures that it makes.
        processor_s: the time of the processor that it took.
    """

    problem: str = ""
    packets: tuple[bytes, ...] = ()
    width: int = 0
    height: int = 0
    processor_s: float = 0.0


class Connection(Protocol):
    """The child, from its start to its end."""

    memory: memoryview

    def request(self, request: Request, timeout_s: float) -> Answer:
        """Have it do something. Raises EncoderError if no answer comes in time, or none ever will."""
        ...

    def close(self) -> None:
        """End it, at once and whatever it does; may be called again."""
        ...


class HardwareEncoder:
    """H.264 without B-frames, parameter sets with every IDR; for one thread at a time.

    Every method returns in bounded time, and raises EncoderError if the encoder does not do what it must; it cannot be
    used any more then. FFmpeg cannot change the bitrate of such an encoder while it runs, so it is opened anew for
    another one, unless the difference is small.

    Args:
        options: size, rate and the highest bitrate.
        connection: a child of its own, which ends with the encoder.
        receive_problem: called with the reason before EncoderError is raised.
        codec: FFmpeg's name of the encoder.

    Attributes:
        sps: what the last IDR said of the stream.
        processor_s: the time of the processor that the child took for the last picture.
    """

    def __init__(
        self,
        options: StageOptions,
        connection: Connection,
        receive_problem: Callable[[str], None] = lambda _problem: None,
        codec: str = CODEC,
    ) -> None:
        weakref.finalize(self, connection.close)
        self._options = options
        self._connection = connection
        self._receive_problem = receive_problem
        self._codec = codec
        self._target = EncodingTarget(options.bitrate_kbps * 1000)
        self._size = 0, 0
        self._last_ticks = -1
        self._silent = 0
        self.processor_s = 0.0
        self._stream = PassThrough()
        self._open()
        pixels = options.width * options.height
        planes = connection.memory
        y, u, v = planes[:pixels], planes[pixels : pixels * 5 // 4], planes[pixels * 5 // 4 : pixels * 3 // 2]
        if len(u) * 4 != pixels or len(v) != len(u):
            raise InternalError(f"no memory for a picture of {options.width}x{options.height}")
        self.picture = Picture(options.width, options.height, y, u, v)

    @property
    def sps(self) -> Sps | None:
        """What the last IDR said of the stream."""
        return self._stream.sps

    def retarget(self, target: EncodingTarget) -> None:
        """Use another bitrate and size from the next picture on, which is an IDR if the encoder is opened anew."""
        before = self._target
        is_full = target.bits_per_s >= self._options.bitrate_kbps * 1000 > before.bits_per_s
        share = target.bits_per_s / before.bits_per_s
        if (target.size, target.every) != (before.size, before.every) or not LOWERED <= share < RAISED or is_full:
            self._target = target
            self._open()

    def encode(self, at_s: float, *, wants_idr: bool) -> EncodedFrame | None:
        """Encode the content of `picture`, captured at `at_s`; returns None if the encoder produced no output."""
        ticks = self._last_ticks = max(rtp_ticks(at_s), self._last_ticks + 1)
        answer = self._request(EncodeRequest(ticks, wants_idr), ENCODE_TIMEOUT_S)
        self.processor_s = answer.processor_s
        try:
            unit = self._stream.receive(b"".join(answer.packets)) if answer.packets else None
        except BitstreamError as error:
            raise self._failure(f"what it makes cannot be read: {error}") from error
        if unit is None:
            self._silent += 1
            if self._silent >= MAX_SILENT:
                raise self._failure(f"nothing came of {MAX_SILENT} pictures")
            return None
        self._silent = 0
        if problem := self._problem():
            raise self._failure(problem)
        return EncodedFrame(unit.data, at_s, ticks, unit.is_idr)

    def _problem(self) -> str:
        sps = self._stream.sps
        if self._stream.obstacle:
            return f"browsers would not show what it makes: {self._stream.obstacle}"
        if sps is None or sps.max_reorder is None:
            return "its stream does not say that pictures come in order"
        if (sps.width, sps.height) != self._size:
            return f"it makes pictures of {sps.width}x{sps.height} in place of {self._size[0]}x{self._size[1]}"
        return ""

    def _open(self) -> None:
        options, target = self._options, self._target
        fps = Fraction(options.fps, target.every)
        scale, rate = target.size.as_integer_ratio(), fps.as_integer_ratio()
        request = OpenRequest(self._codec, options.width, options.height, scale, rate, target.bits_per_s)
        answer = self._request(request, OPEN_TIMEOUT_S)
        self._size = answer.width, answer.height
        self._stream = PassThrough()

    def _request(self, request: Request, timeout_s: float) -> Answer:
        try:
            answer = self._connection.request(request, timeout_s)
        except EncoderError as error:
            raise self._failure(str(error)) from error
        if answer.problem:
            raise self._failure(answer.problem)
        return answer

    def _failure(self, problem: str) -> EncoderError:
        self._connection.close()
        self._receive_problem(problem)
        return EncoderError(problem)
