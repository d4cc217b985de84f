"""Finds out whether a hardware encoder is fit for viewers, by encoding pictures and looking at what comes out.

Drivers ignore options without a word: key frames on request, the bitrate, its bound. So nothing that they say is
believed. The pictures are noise that moves, which no encoder can make small except by following the bitrate.
"""

from __future__ import annotations

import random
import time
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from belvedere.errors import EncoderError
from belvedere.stage.encoding.rate_control import EncodingTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.encoding.hardware import HardwareEncoder
    from belvedere.stage.encoding.interface import Encoder
    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.options import StageOptions
    from belvedere.stage.sources.source import Picture

PICTURES = 24
SETTLED = 12  # from this picture on, the bitrate is to be followed; an IDR is requested then, too
MAX_RATE = 2  # times the bitrate
MAX_IDR_S = 0.4  # of the bitrate, in one IDR: what is larger overflows sockets and queues
MAX_SHARE = 0.75  # of the time between two pictures
BOUND_S = 10.0  # for all of it
SHIFT = 977  # bytes from one picture to the next
_NOISE = bytes(112 + value // 16 * 2 for value in range(256))


class Verdict(NamedTuple):
    """Whether a hardware encoder is used.

    Attributes:
        problem: why not, or "".
        profile_level_id: of what it makes, as RTP names it.
        report: what was measured.
    """

    problem: str
    profile_level_id: str = ""
    report: str = ""


class _Trial:
    """Encodes the pictures with one encoder."""

    def __init__(self, options: StageOptions, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._noise = random.Random(1).randbytes(options.width * options.height).translate(_NOISE)  # noqa: S311 (no secret)
        self._number = 0
        self._ends_s = clock() + BOUND_S

    def encode(self, encoder: Encoder, *, wants_idr: bool = False) -> tuple[EncodedFrame | None, float]:
        """Encode the next picture; returns the time that it took, too."""
        self._fill(encoder.picture)
        self._number += 1
        began_s = self._clock()
        if began_s > self._ends_s:
            raise EncoderError(f"its trial took more than {BOUND_S:.0f} s")
        frame = encoder.encode(self._number / self._options.fps, wants_idr=wants_idr)
        return frame, self._clock() - began_s

    def _fill(self, picture: Picture) -> None:
        start = self._number * SHIFT % len(self._noise)
        moved = self._noise[start:] + self._noise[:start]
        for plane in (picture.y, picture.u, picture.v):
            plane[:] = moved[: len(plane)]


def judge(
    options: StageOptions,
    open_hardware: Callable[[], HardwareEncoder],
    open_software: Callable[[], Encoder],
    clock: Callable[[], float] = time.monotonic,
    thread_clock: Callable[[], float] = time.thread_time,
) -> Verdict:
    """Try a hardware encoder, against the software that it would replace. Takes some seconds at most.

    Args:
        options: size, rate and bitrate.
        open_hardware, open_software: open the encoders; the first may raise EncoderError.
        clock: for how long a picture takes.
        thread_clock: the time of the processor that this thread has taken.
    """
    try:
        hardware = open_hardware()
        trial = _Trial(options, clock)
        hardware_s = _try_hardware(options, hardware, trial, thread_clock)
        profile_level_id = hardware.sps.profile_level_id if hardware.sps is not None else ""
        _try_smaller(options, hardware, trial)
    except EncoderError as error:
        return Verdict(str(error))
    software_s = _try_software(options, open_software(), clock, thread_clock)
    report = f"{1000 * hardware_s:.1f} ms of the processor for a picture, libx264 {1000 * software_s:.1f} ms"
    if hardware_s >= software_s:
        return Verdict(f"it is no relief: it takes {report}", "", report)
    return Verdict("", profile_level_id, report)


def _try_hardware(
    options: StageOptions, hardware: HardwareEncoder, trial: _Trial, thread_clock: Callable[[], float]
) -> float:
    """Returns the time of the processor for a picture, in both processes. Raises EncoderError if it is unfit."""
    bits_per_s = options.bitrate_kbps * 1000
    settled_bits, processor_s, took_s = 0, 0.0, 0.0
    for number in range(PICTURES):
        began_s = thread_clock()
        is_idr_due = number in {0, SETTLED}
        frame, seconds = trial.encode(hardware, wants_idr=number == SETTLED)
        if frame is None:
            raise EncoderError("it does not give out every picture at once")
        if is_idr_due and not frame.is_idr:
            raise EncoderError("it made no key frame when one was requested")
        bits = len(frame.data) * 8
        if frame.is_idr and bits > MAX_IDR_S * bits_per_s:
            raise EncoderError(f"a key frame has {bits // 8} bytes, too many for {bits_per_s // 1000} kbit/s")
        if number >= SETTLED:
            settled_bits += bits
            took_s += seconds
            processor_s += thread_clock() - began_s + hardware.processor_s
    count = PICTURES - SETTLED
    if settled_bits * options.fps > MAX_RATE * bits_per_s * count:
        raise EncoderError(
            f"it makes {settled_bits * options.fps // count // 1000} kbit/s in place of {bits_per_s // 1000}"
        )
    if took_s * options.fps > MAX_SHARE * count:
        raise EncoderError(f"it takes {1000 * took_s / count:.0f} ms for a picture, too long at {options.fps} fps")
    return processor_s / count


def _try_smaller(options: StageOptions, hardware: HardwareEncoder, trial: _Trial) -> None:
    """Another bitrate and size, as slow connections need them; the encoder itself checks what size comes out."""
    hardware.retarget(EncodingTarget(options.bitrate_kbps * 500, Fraction(1, 2)))
    first, _ = trial.encode(hardware)
    second, _ = trial.encode(hardware)
    if first is None or second is None or not first.is_idr:
        raise EncoderError("it does not begin anew with another size")


def _try_software(
    options: StageOptions, software: Encoder, clock: Callable[[], float], thread_clock: Callable[[], float]
) -> float:
    """Returns the time of the processor for a picture."""
    trial, processor_s = _Trial(options, clock), 0.0
    for number in range(PICTURES):
        began_s = thread_clock()
        trial.encode(software, wants_idr=number == SETTLED)
        if number >= SETTLED:
            processor_s += thread_clock() - began_s
    return processor_s / (PICTURES - SETTLED)
