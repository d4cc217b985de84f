"""Chooses what a camera shall deliver, from what its driver lists. Pure: lists in, a choice and its reason out.

What is wanted is the lowest latency at the wanted size. Drivers do not list their formats in a useful order: many
capture sticks list uncompressed 1080p first, at five pictures a second, and MJPEG with thirty after it. So the size
counts first, then the rate, then how much work a format makes; only if no mode of the wanted size has half of the
wanted rate, size is given up for rate, because a picture that moves matters more to whoever looks around.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NEARLY = Fraction(95, 100)  # 29.97 of 30 pictures a second are as good as all; so are 1088 of 1080 rows
TOO_SLOW = Fraction(1, 2)  # of the wanted rate
ENCODER_WIDTH = 32  # the encoder's rows have no padding, as `StageOptions.width` says


class PixelFormat(enum.StrEnum):
    """The formats that can be used, by the names that the settings have for them; the best comes first.

    Uncompressed ones come first, since nobody waits for a compressor, and those that need the least conversion first
    among them. H.264 comes last: a camera's own stream takes no orders, neither for a key frame nor for a bitrate.
    """

    YU12 = "yu12"
    YV12 = "yv12"
    NV12 = "nv12"
    NV21 = "nv21"
    YUYV = "yuyv"
    UYVY = "uyvy"
    RGB24 = "rgb24"
    BGR24 = "bgr24"
    MJPEG = "mjpeg"
    H264 = "h264"

    @property
    def codes(self) -> tuple[str, ...]:
        """The four-character codes that drivers have for it."""
        return _CODES.get(self, (self.name,))


_CODES = {
    PixelFormat.MJPEG: ("MJPG", "JPEG"),
    PixelFormat.RGB24: ("RGB3",),
    PixelFormat.BGR24: ("BGR3",),
    PixelFormat.YUYV: ("YUYV", "YUY2"),
}
PIXEL_FORMATS = {code: pixel_format for pixel_format in PixelFormat for code in pixel_format.codes}
_RANKS = {pixel_format: rank for rank, pixel_format in enumerate(PixelFormat)}


@dataclass(frozen=True, slots=True)
class Mode:
    """A pixel format in one size, and its rates.

    Attributes:
        code: the driver's four-character code.
        rates: pictures per second, as ranges from the slowest to the fastest; most have one value only. Empty if the
            driver does not tell.
    """

    code: str
    width: int
    height: int
    rates: tuple[tuple[Fraction, Fraction], ...] = ()

    @property
    def pixel_format(self) -> PixelFormat | None:
        """None if it cannot be used."""
        return PIXEL_FORMATS.get(self.code)

    def rate_for(self, fps: int) -> Fraction | None:
        """The slowest rate that is not below `fps`, else the fastest; None if the driver does not tell."""
        reachable = [min(max(slowest, Fraction(fps)), fastest) for slowest, fastest in self.rates]
        enough = [rate for rate in reachable if rate >= fps * NEARLY]
        return min(enough) if enough else max(reachable, default=None)

    def __str__(self) -> str:
        return f"{self.code} {self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the camera shall deliver.

    Attributes:
        mode, pixel_format: what to ask the driver for.
        rate: pictures per second to ask for; None to leave that to the driver.
        reason: one line for people: what was chosen and why.
    """

    mode: Mode
    pixel_format: PixelFormat
    rate: Fraction | None
    reason: str


class NoModeError(ValueError):
    """No listed mode can be used; the message lists the formats that there are."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    mode: Mode
    pixel_format: PixelFormat
    rate: Fraction | None
    has_size: bool
    area: Fraction
    speed: Fraction

    @property
    def is_fast_enough(self) -> bool:
        return self.speed >= TOO_SLOW

    @property
    def merit(self) -> Fraction:
        """How well it does if no mode has both size and rate; half the rate costs as much as half of each side."""
        return min(self.area, Fraction(1)) * self.speed * self.speed

    def cost(self) -> tuple[bool, Fraction, int]:
        """Less is better, among modes of the same speed: a known rate, few pixels beyond the wanted, a quick format."""
        return self.rate is None, max(Fraction(1), self.area), _RANKS[self.pixel_format]


def choose(modes: Iterable[Mode], width: int, height: int, fps: int, pixel_format: PixelFormat | None = None) -> Choice:
    """Choose the mode for pictures of `width` x `height`, `fps` times a second.

    Args:
        modes: what the driver lists.
        width, height, fps: what is wanted.
        pixel_format: the only one to be considered; None considers all.

    Raises NoModeError.
    """
    listed = list(modes)
    candidates = [
        _candidate(mode, found, width, height, fps)
        for mode in listed
        if (found := mode.pixel_format) is not None and pixel_format in {None, found}
    ]
    if not candidates:
        raise NoModeError(_nothing_usable(listed, pixel_format))
    fitting = [candidate for candidate in candidates if candidate.has_size and candidate.is_fast_enough]
    ours = [candidate for candidate in fitting if candidate.pixel_format is not PixelFormat.H264]
    best = _best(ours or fitting) if fitting else _best_compromise(candidates)
    return Choice(best.mode, best.pixel_format, best.rate, _reason(best, candidates, width, height, fps))


def output_size(width: int, height: int, wanted_width: int, wanted_height: int) -> tuple[int, int]:
    """The size to scale raw pictures of the camera to: as wanted if it has the pixels for that, and not enlarged.

    The camera's shape is kept. The encoder needs some rounding, which changes each side by 16 pixels at most.
    """
    scale = min(Fraction(wanted_width, width), Fraction(wanted_height, height), Fraction(1))
    scaled_width = min(wanted_width, max(1, round(width * scale / ENCODER_WIDTH)) * ENCODER_WIDTH)
    scaled_height = max(2, min(wanted_height, round(Fraction(scaled_width * height, width * 2)) * 2))
    return scaled_width, scaled_height


def rate_text(rate: Fraction | None) -> str:
    """A rate for people: `30/s`."""
    return "an unknown rate" if rate is None else f"{float(rate):.4g}/s"


def _candidate(mode: Mode, pixel_format: PixelFormat, width: int, height: int, fps: int) -> _Candidate:
    rate = mode.rate_for(fps)
    speed = Fraction(1) if rate is None or rate >= fps * NEARLY else rate / fps
    has_size = mode.width >= width * NEARLY and mode.height >= height * NEARLY
    area = Fraction(mode.width * mode.height, width * height)
    return _Candidate(mode, pixel_format, rate, has_size, area, speed)


def _best(candidates: Sequence[_Candidate]) -> _Candidate:
    fastest = max(candidate.speed for candidate in candidates)
    return min((candidate for candidate in candidates if candidate.speed == fastest), key=_Candidate.cost)


def _best_compromise(candidates: Sequence[_Candidate]) -> _Candidate:
    best = max(candidate.merit for candidate in candidates)
    return min((candidate for candidate in candidates if candidate.merit == best), key=_Candidate.cost)


def _reason(best: _Candidate, candidates: Sequence[_Candidate], width: int, height: int, fps: int) -> str:
    wanted = f"{width}x{height} at {fps}/s"
    chosen = f"{best.mode} at {rate_text(best.rate)}"
    others = _rates_of_others(best, candidates)
    if best.has_size and best.is_fast_enough:
        how = "as wanted" if best.speed == 1 and best.area <= 1 / NEARLY else f"the nearest to {wanted}"
    elif best.has_size:
        how = f"slower than {wanted}, but nothing here is faster"
    else:
        how = f"smaller than {wanted}, since no mode of that size has half of that rate"
    return f"{chosen}: {how}" + (f" ({others})" if others else "")


def _rates_of_others(best: _Candidate, candidates: Sequence[_Candidate]) -> str:
    """What the other formats do in the same size, which is what people ask about."""
    size = best.mode.width, best.mode.height
    others = {
        other.mode.code: other.rate
        for other in candidates
        if (other.mode.width, other.mode.height) == size and other.mode.code != best.mode.code
    }
    told = ", ".join(f"{code} {rate_text(rate)}" for code, rate in others.items())
    return f"in this size also {told}" if told else ""


def _nothing_usable(modes: Sequence[Mode], pixel_format: PixelFormat | None) -> str:
    there = ", ".join(dict.fromkeys(mode.code for mode in modes)) or "none"
    wanted = pixel_format.value if pixel_format is not None else "a format that can be used"
    return f"the camera does not offer {wanted}; its formats are: {there}"
