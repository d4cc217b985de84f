"""A hardware encoder that is not there: x264, with the faults that drivers have."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.video.frame import PictureType

from belvedere.errors import EncoderError
from belvedere.stage.encoding.hardware import CODEC, Answer, HardwareEncoder
from belvedere.stage.encoding.hardware_worker import Worker, main
from belvedere.stage.h264 import NalType, join_nal_units, nal_type, split_nal_units
from belvedere.testing.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from av.video.codeccontext import VideoCodecContext

    from belvedere.stage.encoding.hardware import OpenRequest, Request
    from belvedere.stage.options import StageOptions

PARAMETER_SETS = {NalType.SPS, NalType.PPS}


@dataclass
class Driver:
    """What the driver does wrong, if anything; may be changed while it is used.

    Attributes:
        opening_fails: no encoder can be opened.
        waits: it gives out each picture with the next one.
        is_silent: it gives nothing out.
        ignores_idr: it makes key frames when it likes.
        has_parameter_sets_once: at the first key frame only.
        rate: what it makes of the bitrate that was set.
        is_unbounded: it knows no bitrate at all.
        narrower: by so many pixels.
        sps: what it says of its stream, in place of the truth.
        takes_s, processor_s: for a picture.
        opened: the requests so far.
    """

    opening_fails: bool = False
    waits: bool = False
    is_silent: bool = False
    ignores_idr: bool = False
    has_parameter_sets_once: bool = False
    rate: float = 1
    is_unbounded: bool = False
    narrower: int = 0
    sps: bytes = b""
    takes_s: float = 0.005
    processor_s: float = 0.001
    opened: list[OpenRequest] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)
    processor_clock: FakeClock = field(default_factory=FakeClock)

    def open(self, request: OpenRequest, width: int, height: int) -> FakeCodec:
        """Open x264 in place of the device."""
        self.opened.append(request)
        if self.opening_fails:
            raise OSError(16, "Device or resource busy")
        return FakeCodec(self, _open_x264(self, request, width - self.narrower, height), width, height)


class FakeCodec:
    """One encoder of the driver."""

    def __init__(self, driver: Driver, codec: VideoCodecContext, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._driver = driver
        self._codec = codec
        self._waiting: list[bytes] = []
        self._gave_sets = False

    def encode(self, frame: av.VideoFrame) -> Sequence[bytes]:
        """Encode a picture; the clocks go on as it takes time."""
        driver = self._driver
        driver.clock.advance(driver.takes_s)
        driver.processor_clock.advance(driver.processor_s)
        if driver.ignores_idr:
            frame.pict_type = PictureType.NONE
        cropped = frame.reformat(width=self._codec.width) if driver.narrower else frame
        self._waiting += [self._changed(bytes(packet)) for packet in self._codec.encode(cropped)]
        if driver.is_silent:
            return []
        kept = 1 if driver.waits else 0
        given, self._waiting = self._waiting[: len(self._waiting) - kept], self._waiting[-1:] if kept else []
        return given

    def _changed(self, data: bytes) -> bytes:
        units = split_nal_units(data)
        if self._driver.has_parameter_sets_once and self._gave_sets:
            units = [unit for unit in units if nal_type(unit) not in PARAMETER_SETS]
        self._gave_sets = True
        if self._driver.sps:
            units = [self._driver.sps if nal_type(unit) == NalType.SPS else unit for unit in units]
        return join_nal_units(units)


def _open_x264(driver: Driver, request: OpenRequest, width: int, height: int) -> VideoCodecContext:
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, 90_000), Fraction(*request.fps)
    codec.profile = "Baseline"
    codec.thread_count = 1
    bits_per_s = int(request.bits_per_s * driver.rate)
    bound = {"maxrate": str(bits_per_s), "bufsize": str(bits_per_s // 12)}
    codec.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "g": "300",
        "forced-idr": "1",
        **({"qp": "4"} if driver.is_unbounded else {"b": str(bits_per_s), **bound}),
    }
    return codec


class DirectConnection:
    """A child that is none: its worker is called at once, and `hangs_after` so many requests."""

    def __init__(self, width: int, height: int, driver: Driver, hangs_after: float = math.inf) -> None:
        self.memory = memoryview(bytearray(width * height * 3 // 2))
        self.hangs_after = hangs_after
        self.is_closed = False
        self._requests = 0
        self._worker = Worker(self.memory, driver.open, driver.processor_clock)

    def request(self, request: Request, timeout_s: float) -> Answer:
        """Answer, unless it hangs or is closed."""
        del timeout_s
        self._requests += 1
        if self.is_closed or self._requests > self.hangs_after:
            raise EncoderError("the driver does not answer")
        return self._worker.answer(request)

    def close(self) -> None:
        """Remember it."""
        self.is_closed = True


def hardware(
    options: StageOptions, driver: Driver, receive_problem: Callable[[str], None] = lambda _problem: None
) -> tuple[HardwareEncoder, DirectConnection]:
    """An encoder with this driver."""
    connection = DirectConnection(options.width, options.height, driver)
    return HardwareEncoder(options, connection, receive_problem, CODEC), connection


if __name__ == "__main__":
    main(int(sys.argv[-1]), Driver().open)
