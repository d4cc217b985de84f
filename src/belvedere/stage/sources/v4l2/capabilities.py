"""Reads from a driver what its device is and can do, without turning it on.

What drivers say is not believed further than needed: lists are cut, sizes and rates that make no sense are left out,
names are reduced to what is printable.
"""

from __future__ import annotations

import ctypes
import errno
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

from belvedere.stage.sources.v4l2 import abi
from belvedere.stage.sources.v4l2.negotiation import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belvedere.stage.sources.v4l2.device_file import DeviceFile

MAX_FORMATS = 64
MAX_SIZES = 128  # of a format
MAX_INTERVALS = 64  # of a size
MAX_MODES = 512  # of a device; real ones have a few dozen
MIN_SIDE, MAX_SIDE = 16, 8192
MAX_RATE = 1000
USUAL_SIZES = ((1920, 1080), (1280, 720), (640, 480))  # asked for where a driver lists ranges of sizes
IMAGE_PROCESSORS = frozenset({"bcm2835-isp"})  # the Raspberry Pi's, whose devices look like cameras
END_OF_LIST = frozenset({errno.EINVAL, errno.ENOTTY, errno.ENODATA})
LOST = frozenset({errno.ENODEV, errno.ENXIO, errno.EBADF})  # the device is gone

_Listed = TypeVar("_Listed", abi.FormatDescription, abi.FrameSize, abi.FrameInterval)


@dataclass(frozen=True, slots=True)
class Card:
    """What a device says it is.

    Attributes:
        name: the card's name, such as `USB Video: USB Video`.
        driver: the kernel's, such as `uvcvideo`.
        bus: where it is connected, such as `usb-0000:01:00.0-1.3`.
        is_camera: it delivers pictures in a way that we can read.
        obstacle: why it is no camera; "" if it is.
        converts_to: the kind of stream in which it gives out what it converts, such as an encoder's; 0 if it does not.
    """

    name: str
    driver: str
    bus: str
    is_camera: bool
    obstacle: str = ""
    converts_to: int = 0


@dataclass(frozen=True, slots=True)
class InputState:
    """The input that a device captures from.

    Attributes:
        name: the driver's name of it.
        trouble: why no picture can come, such as "no signal"; "" if none is known.
        has_timings: the signal's size has to be taken over from the source, as with HDMI receivers on a board.
    """

    name: str
    trouble: str
    has_timings: bool


def read_card(file: DeviceFile) -> Card:
    """Ask the device what it is. Raises OSError."""
    answer = abi.Capability()
    file.ioctl(abi.Request.QUERYCAP, answer)
    can = answer.device_caps if answer.capabilities & abi.CAP_DEVICE_CAPS else answer.capabilities
    name, driver, bus = (abi.text(value) for value in (answer.card, answer.driver, answer.bus_info))
    obstacle = _obstacle(driver, can)
    return Card(name, driver, bus, not obstacle, obstacle, _converts_to(can))


def _converts_to(can: int) -> int:
    if can & abi.CAP_VIDEO_M2M_MPLANE:
        return abi.CAPTURE_MPLANE
    return abi.CAPTURE if can & abi.CAP_VIDEO_M2M else 0


def _obstacle(driver: str, can: int) -> str:
    if can & (abi.CAP_VIDEO_M2M | abi.CAP_VIDEO_M2M_MPLANE) or driver in IMAGE_PROCESSORS:
        return "it converts pictures and captures none"
    if can & abi.CAP_IO_MC:
        return "it is part of a camera that libcamera drives; use rpicam-vid as the source"
    if can & abi.CAP_VIDEO_CAPTURE and can & abi.CAP_STREAMING:
        return ""
    if can & abi.CAP_META_CAPTURE:
        return "it delivers data about pictures and none itself"
    if can & abi.CAP_VIDEO_CAPTURE_MPLANE:
        return "it delivers pictures in several planes, which Belvedere cannot read; use a program as the source"
    return "it does not capture pictures"


def read_modes(file: DeviceFile, width: int, height: int) -> tuple[Mode, ...]:
    """Ask for all pixel formats, sizes and rates. Raises OSError.

    Of a driver that lists ranges of sizes, the modes are those of `width` x `height` and of the usual sizes. One that
    lists no sizes has its present one only.
    """
    modes: dict[Mode, None] = {}
    for code in read_codes(file):
        sizes = list(dict.fromkeys(_sizes(file, code, ((width, height), *USUAL_SIZES))))
        for size in sizes or _present_sizes(file):
            if len(modes) < MAX_MODES:
                modes[Mode(code, *size, tuple(_rates(file, code, *size)))] = None
    return tuple(modes)


def read_input(file: DeviceFile) -> InputState | None:
    """Ask for the input that is captured from; None if the device does not tell. Raises OSError once it is gone."""
    index = ctypes.c_int()
    try:
        file.ioctl(abi.Request.G_INPUT, index)
        answer = abi.Input(index=max(0, index.value))
        file.ioctl(abi.Request.ENUMINPUT, answer)
    except OSError as error:
        if error.errno in LOST:
            raise
        return None
    troubles = {
        "no power": answer.status & abi.INPUT_NO_POWER,
        "no signal": answer.status & (abi.INPUT_NO_SIGNAL | abi.INPUT_NO_CARRIER),
        "no stable signal": answer.status & abi.INPUT_NO_SYNC,
    }
    trouble = next((words for words, is_there in troubles.items() if is_there), "")
    return InputState(abi.text(answer.name), trouble, bool(answer.capabilities & abi.INPUT_HAS_DV_TIMINGS))


def _listed(file: DeviceFile, request: int, first: _Listed, count: int) -> Iterator[_Listed]:
    """The entries of one of the driver's lists, of which the first structure names all but the index."""
    for index in range(count):
        entry = type(first).from_buffer_copy(first)
        entry.index = index
        try:
            file.ioctl(request, entry)
        except OSError as error:
            if error.errno in END_OF_LIST:
                return
            raise
        yield entry


def read_codes(file: DeviceFile, stream: int = abi.CAPTURE) -> list[str]:
    """Ask for the four-character codes of the pixel formats of a kind of stream. Raises OSError."""
    asked = abi.FormatDescription(type=stream)
    formats = _listed(file, abi.Request.ENUM_FMT, asked, MAX_FORMATS)
    return list(dict.fromkeys(abi.fourcc_text(entry.pixelformat) for entry in formats))


def _sizes(file: DeviceFile, code: str, wanted: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int]]:
    asked = abi.FrameSize(pixel_format=abi.fourcc(code))
    for entry in _listed(file, abi.Request.ENUM_FRAMESIZES, asked, MAX_SIZES):
        if entry.type == abi.RangeType.DISCRETE:
            found = [(entry.discrete.width, entry.discrete.height)]
        else:
            found = [_size_within(entry.stepwise, width, height) for width, height in wanted]
        yield from (size for size in found if _is_sensible(size))
        if entry.type != abi.RangeType.DISCRETE:
            return


def _size_within(sizes: abi.StepwiseSize, width: int, height: int) -> tuple[int, int]:
    return (
        _step_within(sizes.min_width, sizes.max_width, sizes.step_width, width),
        _step_within(sizes.min_height, sizes.max_height, sizes.step_height, height),
    )


def _step_within(lowest: int, highest: int, step: int, wanted: int) -> int:
    """The smallest value of the range that is not below `wanted`, else the highest."""
    step = max(1, step)
    value = max(lowest, min(wanted, highest))
    upper = lowest + -(-(value - lowest) // step) * step
    return upper if upper <= highest else upper - step


def _is_sensible(size: tuple[int, int]) -> bool:
    return all(MIN_SIDE <= side <= MAX_SIDE for side in size)


def _present_sizes(file: DeviceFile) -> list[tuple[int, int]]:
    """The size that is set now, if it makes sense."""
    present = abi.Format(type=abi.CAPTURE)
    try:
        file.ioctl(abi.Request.G_FMT, present)
    except OSError as error:
        if error.errno in END_OF_LIST:
            return []
        raise
    size = present.pix.width, present.pix.height
    return [size] if _is_sensible(size) else []


def _rates(file: DeviceFile, code: str, width: int, height: int) -> Iterator[tuple[Fraction, Fraction]]:
    asked = abi.FrameInterval(pixel_format=abi.fourcc(code), width=width, height=height)
    for entry in _listed(file, abi.Request.ENUM_FRAMEINTERVALS, asked, MAX_INTERVALS):
        is_discrete = entry.type == abi.RangeType.DISCRETE
        longest = entry.discrete if is_discrete else entry.stepwise.max
        shortest = entry.discrete if is_discrete else entry.stepwise.min
        slowest, fastest = _rate(longest), _rate(shortest)
        if slowest is not None and fastest is not None and slowest <= fastest:
            yield slowest, fastest
        if not is_discrete:
            return


def _rate(interval: abi.Fraction) -> Fraction | None:
    """Pictures per second; None if the interval makes no sense."""
    if not interval.numerator or not interval.denominator:
        return None
    return min(Fraction(interval.denominator, interval.numerator), Fraction(MAX_RATE))
