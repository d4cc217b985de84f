"""Captures from an opened camera: sets it up, starts it, and takes the newest picture, however late it is asked for.

The driver fills four buffers in turn. A reader that takes one after the other serves old pictures once it falls
behind, so `newest` takes all that are filled and gives back all but the last.
"""

from __future__ import annotations

import ctypes
import errno
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.sources.v4l2 import abi

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.sources.v4l2.device_file import DeviceFile, MappedBuffer
    from belvedere.stage.sources.v4l2.negotiation import Choice

BUFFERS = 4  # one that we read, one that is being filled, and two for what USB delivers meanwhile
MIN_BUFFERS = 2  # some drivers give fewer than they are asked for
MAX_BUFFERS = 32  # and some more
MAX_STAMP_AGE_S = 2.0  # a time stamp that is older is no capture time
MAX_STAMP_LEAD_S = 0.5  # nor is one in the future; estimates from the camera's own clock may be ahead a little
MAX_GAP = 1000  # frames; a larger jump of the driver's count is not a loss


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """What the driver delivers in the end, which may differ from what was asked for.

    Attributes:
        code: the four-character code of the pixel format.
        bytes_per_line: from the start of a row to the start of the next, in the first plane; 0 if compressed.
        rate: pictures per second that it promises; None if it does not tell.
        is_bt709: whether the matrix of its colours is BT.709's; BT.601's otherwise.
        is_full_range: whether black is 0 rather than 16.
    """

    code: str
    width: int
    height: int
    bytes_per_line: int
    rate: Fraction | None
    is_bt709: bool
    is_full_range: bool


@dataclass(frozen=True, slots=True)
class Captured:
    """A filled buffer, the program's until `release`.

    Attributes:
        data: what the camera delivered; to be released before `Capture.release`.
        captured_s: when, on the clock of `time.monotonic`.
        index: the buffer's number.
    """

    data: memoryview
    captured_s: float
    index: int


class Capture:
    """A stream of one opened device. Every method raises OSError with the kernel's error number.

    Args:
        file: the opened device, which the caller closes after `stop`.
        device: its name in errors.
        clock: the clock that drivers use for time stamps.

    Attributes:
        dropped: how many pictures nobody has seen, because they came faster than they were taken.
        damaged: how many were empty or marked as damaged by the driver.
        has_driver_time: whether the newest picture's time is the driver's, not that of its arrival.
    """

    def __init__(self, file: DeviceFile, device: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.dropped = 0
        self.damaged = 0
        self.has_driver_time = False
        self._file = file
        self._device = device
        self._clock = clock
        self._mapped: list[MappedBuffer] = []
        self._sequence: int | None = None
        self._is_streaming = False

    def start(self, choice: Choice) -> StreamFormat:
        """Turn the camera on. Raises CameraError if the driver insists on another format."""
        form = self._set_format(choice)
        rate = self._set_rate(choice)
        self._map_buffers()
        for index in range(len(self._mapped)):
            self._queue(index)
        self._file.ioctl(abi.Request.STREAMON, ctypes.c_int(abi.CAPTURE))
        self._is_streaming = True
        return _stream_format(form, rate)

    def newest(self, timeout_s: float) -> Captured | None:
        """Wait for a picture and take the newest; None if there is none in time, only damaged ones, or only old ones.

        If all buffers were filled, the driver had none for the pictures after them, so the newest may be of any age:
        all are given back, and the next picture is a new one.
        """
        if not self._file.wait(timeout_s):
            return None
        filled: list[abi.Buffer] = []
        while len(filled) < len(self._mapped) and (buffer := self._dequeue()) is not None:
            filled.append(buffer)
        was_starved = len(filled) == len(self._mapped)
        whole = [buffer for buffer in filled if self._is_whole(buffer)]
        for buffer in whole if was_starved else whole[:-1]:
            self.dropped += 1
            self._queue(buffer.index)
        return self._captured(whole[-1]) if whole and not was_starved else None

    def next(self, timeout_s: float) -> Captured | None:
        """Wait for a picture and take the oldest, for formats in which each builds on those before it."""
        if not self._file.wait(timeout_s):
            return None
        buffer = self._dequeue()
        return self._captured(buffer) if buffer is not None and self._is_whole(buffer) else None

    def release(self, captured: Captured) -> None:
        """Give a buffer back to the driver."""
        captured.data.release()
        self._queue(captured.index)

    def stop(self) -> None:
        """Turn the camera off and free the buffers; also after an error, and more than once."""
        try:
            if self._is_streaming:
                self._is_streaming = False
                self._file.ioctl(abi.Request.STREAMOFF, ctypes.c_int(abi.CAPTURE))
        finally:
            mapped, self._mapped = self._mapped, []
            for buffer in mapped:
                buffer.close()
            if mapped:
                self._request_buffers(0)

    def _set_format(self, choice: Choice) -> abi.PixFormat:
        mode = choice.mode
        wanted = abi.Format(type=abi.CAPTURE)
        wanted.pix = abi.PixFormat(
            width=mode.width, height=mode.height, pixelformat=abi.fourcc(mode.code), priv=abi.PIX_PRIV_MAGIC
        )
        self._file.ioctl(abi.Request.S_FMT, wanted)
        given: abi.PixFormat = wanted.pix
        if given.pixelformat != abi.fourcc(mode.code) or not given.width or not given.height:
            got = f"{abi.fourcc_text(given.pixelformat)} {given.width}x{given.height}"
            raise self._error(CameraReason.WRONG_FORMAT, f"the driver lists {mode} and then delivers {got}")
        return given

    def _set_rate(self, choice: Choice) -> Fraction | None:
        """Ask for the rate; what the driver promises then. Not all drivers have rates."""
        if choice.rate is None:
            return None
        wanted = abi.StreamParameters(type=abi.CAPTURE)
        wanted.capture.timeperframe = abi.Fraction(choice.rate.denominator, choice.rate.numerator)
        try:
            self._file.ioctl(abi.Request.S_PARM, wanted)
        except OSError as error:
            if error.errno in {errno.EINVAL, errno.ENOTTY}:
                return None
            raise
        given = wanted.capture.timeperframe
        return Fraction(given.denominator, given.numerator) if given.numerator and given.denominator else None

    def _request_buffers(self, count: int) -> int:
        request = abi.RequestBuffers(count=count, type=abi.CAPTURE, memory=abi.MMAP)
        self._file.ioctl(abi.Request.REQBUFS, request)
        return int(request.count)

    def _map_buffers(self) -> None:
        given = self._request_buffers(BUFFERS)
        if not MIN_BUFFERS <= given <= MAX_BUFFERS:
            raise self._error(CameraReason.FAILED, f"the driver gave {given} buffers instead of {BUFFERS}")
        for index in range(given):
            buffer = abi.Buffer(index=index, type=abi.CAPTURE, memory=abi.MMAP)
            self._file.ioctl(abi.Request.QUERYBUF, buffer)
            self._mapped.append(self._file.map(buffer.length, buffer.offset))

    def _queue(self, index: int) -> None:
        self._file.ioctl(abi.Request.QBUF, abi.Buffer(index=index, type=abi.CAPTURE, memory=abi.MMAP))

    def _dequeue(self) -> abi.Buffer | None:
        buffer = abi.Buffer(type=abi.CAPTURE, memory=abi.MMAP)
        try:
            self._file.ioctl(abi.Request.DQBUF, buffer)
        except BlockingIOError:
            return None
        if buffer.index >= len(self._mapped):
            raise self._error(CameraReason.FAILED, f"the driver filled buffer {buffer.index} of {len(self._mapped)}")
        return buffer

    def _is_whole(self, buffer: abi.Buffer) -> bool:
        """Whether it can be used; gives it back if not. Counts also what the driver dropped, since it had no buffer."""
        if self._sequence is not None:
            gap = (buffer.sequence - self._sequence - 1) & 0xFFFF_FFFF
            if gap <= MAX_GAP:
                self.dropped += gap
        self._sequence = buffer.sequence
        if buffer.bytesused and not buffer.flags & abi.FLAG_ERROR:
            return True
        self.damaged += 1
        self._queue(buffer.index)
        return False

    def _captured(self, buffer: abi.Buffer) -> Captured:
        now_s = self._clock()
        stamp_s = buffer.timestamp.seconds + buffer.timestamp.microseconds / 1e6
        is_monotonic = buffer.flags & abi.FLAG_TIMESTAMP_MASK == abi.FLAG_TIMESTAMP_MONOTONIC
        self.has_driver_time = is_monotonic and -MAX_STAMP_LEAD_S <= now_s - stamp_s <= MAX_STAMP_AGE_S
        data = self._mapped[buffer.index].view(buffer.bytesused)
        return Captured(data, min(stamp_s, now_s) if self.has_driver_time else now_s, buffer.index)

    def _error(self, reason: CameraReason, message: str) -> CameraError:
        return CameraError(reason, f"{self._device}: {message}")


def _stream_format(form: abi.PixFormat, rate: Fraction | None) -> StreamFormat:
    """The colours are as the header's macros have them where the driver leaves them to the colour space."""
    if form.ycbcr_enc == abi.YCBCR_DEFAULT:
        is_bt709 = form.colorspace in {abi.COLORSPACE_REC709, abi.COLORSPACE_DCI_P3, abi.COLORSPACE_SMPTE240M}
    else:
        is_bt709 = form.ycbcr_enc == abi.YCBCR_709
    if form.quantization == abi.QUANTIZATION_DEFAULT:
        is_full_range = form.colorspace == abi.COLORSPACE_JPEG
    else:
        is_full_range = form.quantization == abi.QUANTIZATION_FULL
    return StreamFormat(
        code=abi.fourcc_text(form.pixelformat),
        width=form.width,
        height=form.height,
        bytes_per_line=form.bytesperline,
        rate=rate,
        is_bt709=is_bt709,
        is_full_range=is_full_range,
    )
