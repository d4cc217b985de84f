"""What of the kernel's interface for cameras is needed: structures, requests, flags.

The layout is that of `videodev2.h`, which the kernel promises to keep. Where it depends on the processor, as the time
stamp of a buffer does, ctypes follows the processor. The names are the header's, without prefix where that reads well.
"""

from __future__ import annotations

import ctypes
import enum

NAME_BYTES = 32


class Fraction(ctypes.Structure):
    """A frame interval, in seconds."""

    _fields_ = (("numerator", ctypes.c_uint32), ("denominator", ctypes.c_uint32))


class Capability(ctypes.Structure):
    """Who the device is, and what it can do."""

    _fields_ = (
        ("driver", ctypes.c_char * 16),
        ("card", ctypes.c_char * NAME_BYTES),
        ("bus_info", ctypes.c_char * NAME_BYTES),
        ("version", ctypes.c_uint32),
        ("capabilities", ctypes.c_uint32),
        ("device_caps", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    )


class FormatDescription(ctypes.Structure):
    """A pixel format that the device offers."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("description", ctypes.c_char * NAME_BYTES),
        ("pixelformat", ctypes.c_uint32),
        ("mbus_code", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    )


class DiscreteSize(ctypes.Structure):
    """One frame size."""

    _fields_ = (("width", ctypes.c_uint32), ("height", ctypes.c_uint32))


class StepwiseSize(ctypes.Structure):
    """A range of frame sizes."""

    _fields_ = (
        ("min_width", ctypes.c_uint32),
        ("max_width", ctypes.c_uint32),
        ("step_width", ctypes.c_uint32),
        ("min_height", ctypes.c_uint32),
        ("max_height", ctypes.c_uint32),
        ("step_height", ctypes.c_uint32),
    )


class _Size(ctypes.Union):
    _fields_ = (("discrete", DiscreteSize), ("stepwise", StepwiseSize))


class FrameSize(ctypes.Structure):
    """The answer to "which sizes are there in this pixel format?"."""

    _anonymous_ = ("size",)
    _fields_ = (
        ("index", ctypes.c_uint32),
        ("pixel_format", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("size", _Size),
        ("reserved", ctypes.c_uint32 * 2),
    )


class StepwiseInterval(ctypes.Structure):
    """A range of frame intervals."""

    _fields_ = (("min", Fraction), ("max", Fraction), ("step", Fraction))


class _Interval(ctypes.Union):
    _fields_ = (("discrete", Fraction), ("stepwise", StepwiseInterval))


class FrameInterval(ctypes.Structure):
    """The answer to "which frame intervals are there in this pixel format and size?"."""

    _anonymous_ = ("interval",)
    _fields_ = (
        ("index", ctypes.c_uint32),
        ("pixel_format", ctypes.c_uint32),
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("interval", _Interval),
        ("reserved", ctypes.c_uint32 * 2),
    )


class RangeType(enum.IntEnum):
    """Whether sizes or intervals are listed one by one."""

    DISCRETE = 1
    CONTINUOUS = 2
    STEPWISE = 3


class PixFormat(ctypes.Structure):
    """Size, pixel format and colours of what is captured."""

    _fields_ = (
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("pixelformat", ctypes.c_uint32),
        ("field", ctypes.c_uint32),
        ("bytesperline", ctypes.c_uint32),
        ("sizeimage", ctypes.c_uint32),
        ("colorspace", ctypes.c_uint32),
        ("priv", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("ycbcr_enc", ctypes.c_uint32),
        ("quantization", ctypes.c_uint32),
        ("xfer_func", ctypes.c_uint32),
    )


class _FormatUnion(ctypes.Union):
    _fields_ = (("pix", PixFormat), ("raw_data", ctypes.c_uint8 * 200), ("_aligned", ctypes.c_void_p))


class Format(ctypes.Structure):
    """A `PixFormat` for one kind of stream."""

    _anonymous_ = ("fmt",)
    _fields_ = (("type", ctypes.c_uint32), ("fmt", _FormatUnion))


class CaptureParameters(ctypes.Structure):
    """The frame interval of what is captured."""

    _fields_ = (
        ("capability", ctypes.c_uint32),
        ("capturemode", ctypes.c_uint32),
        ("timeperframe", Fraction),
        ("extendedmode", ctypes.c_uint32),
        ("readbuffers", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 4),
    )


class _ParametersUnion(ctypes.Union):
    _fields_ = (("capture", CaptureParameters), ("raw_data", ctypes.c_uint8 * 200))


class StreamParameters(ctypes.Structure):
    """`CaptureParameters` for one kind of stream."""

    _anonymous_ = ("parm",)
    _fields_ = (("type", ctypes.c_uint32), ("parm", _ParametersUnion))


class RequestBuffers(ctypes.Structure):
    """How many buffers the driver is to have; 0 frees them."""

    _fields_ = (
        ("count", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("memory", ctypes.c_uint32),
        ("capabilities", ctypes.c_uint32),
        ("flags", ctypes.c_uint8),
        ("reserved", ctypes.c_uint8 * 3),
    )


class TimeValue(ctypes.Structure):
    """Seconds and microseconds; `long` as in the C library's `timeval`."""

    _fields_ = (("seconds", ctypes.c_long), ("microseconds", ctypes.c_long))


class _BufferPlace(ctypes.Union):
    _fields_ = (("offset", ctypes.c_uint32), ("userptr", ctypes.c_ulong))


class Buffer(ctypes.Structure):
    """One buffer of the driver, filled or to be filled."""

    _anonymous_ = ("m",)
    _fields_ = (
        ("index", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("bytesused", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("field", ctypes.c_uint32),
        ("timestamp", TimeValue),
        ("timecode", ctypes.c_uint32 * 4),
        ("sequence", ctypes.c_uint32),
        ("memory", ctypes.c_uint32),
        ("m", _BufferPlace),
        ("length", ctypes.c_uint32),
        ("reserved2", ctypes.c_uint32),
        ("request_fd", ctypes.c_int32),
    )


class QueryControl(ctypes.Structure):
    """A control: its name, kind and range."""

    _fields_ = (
        ("id", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("name", ctypes.c_char * NAME_BYTES),
        ("minimum", ctypes.c_int32),
        ("maximum", ctypes.c_int32),
        ("step", ctypes.c_int32),
        ("default_value", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 2),
    )


class _MenuItem(ctypes.Union):
    _pack_ = 1
    _fields_ = (("name", ctypes.c_char * NAME_BYTES), ("value", ctypes.c_int64))


class QueryMenu(ctypes.Structure):
    """An item of a control that is a menu."""

    _pack_ = 1
    _anonymous_ = ("item",)
    _fields_ = (
        ("id", ctypes.c_uint32),
        ("index", ctypes.c_uint32),
        ("item", _MenuItem),
        ("reserved", ctypes.c_uint32),
    )


class Control(ctypes.Structure):
    """The value of a control."""

    _fields_ = (("id", ctypes.c_uint32), ("value", ctypes.c_int32))


class ControlType(enum.IntEnum):
    """The kinds of controls that can be set by a number."""

    INTEGER = 1
    BOOLEAN = 2
    MENU = 3
    BITMASK = 8
    INTEGER_MENU = 9


class Input(ctypes.Structure):
    """A socket or sensor of the device, and whether it has a signal."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("name", ctypes.c_char * NAME_BYTES),
        ("type", ctypes.c_uint32),
        ("audioset", ctypes.c_uint32),
        ("tuner", ctypes.c_uint32),
        ("std", ctypes.c_uint64),
        ("status", ctypes.c_uint32),
        ("capabilities", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    )


class DvTimings(ctypes.Structure):
    """The size and rate of a digital signal, as the receiver measured it; passed on as it is."""

    _fields_ = (("raw_data", ctypes.c_uint8 * 132),)


_WRITE, _READ = 1, 2


def _request(direction: int, number: int, argument: type[ctypes.Structure | ctypes.c_int]) -> int:
    return direction << 30 | ctypes.sizeof(argument) << 16 | ord("V") << 8 | number


def _read(number: int, argument: type[ctypes.Structure | ctypes.c_int]) -> int:
    return _request(_READ, number, argument)


def _both(number: int, argument: type[ctypes.Structure | ctypes.c_int]) -> int:
    return _request(_READ | _WRITE, number, argument)


class Request(enum.IntEnum):
    """The calls, each with the structure that it takes."""

    QUERYCAP = _read(0, Capability)
    ENUM_FMT = _both(2, FormatDescription)
    G_FMT = _both(4, Format)
    S_FMT = _both(5, Format)
    REQBUFS = _both(8, RequestBuffers)
    QUERYBUF = _both(9, Buffer)
    QBUF = _both(15, Buffer)
    DQBUF = _both(17, Buffer)
    STREAMON = _request(_WRITE, 18, ctypes.c_int)
    STREAMOFF = _request(_WRITE, 19, ctypes.c_int)
    S_PARM = _both(22, StreamParameters)
    ENUMINPUT = _both(26, Input)
    G_CTRL = _both(27, Control)
    S_CTRL = _both(28, Control)
    QUERYCTRL = _both(36, QueryControl)
    QUERYMENU = _both(37, QueryMenu)
    G_INPUT = _read(38, ctypes.c_int)
    S_INPUT = _both(39, ctypes.c_int)
    ENUM_FRAMESIZES = _both(74, FrameSize)
    ENUM_FRAMEINTERVALS = _both(75, FrameInterval)
    S_DV_TIMINGS = _both(87, DvTimings)
    QUERY_DV_TIMINGS = _read(99, DvTimings)


CAPTURE = 1  # the kind of stream: video in buffers of one plane
CAPTURE_MPLANE = 9  # the same in buffers of several planes
MMAP = 1  # the kind of memory: the driver's, mapped into this process

CAP_VIDEO_CAPTURE = 0x1
CAP_VIDEO_CAPTURE_MPLANE = 0x1000
CAP_VIDEO_M2M_MPLANE = 0x4000
CAP_VIDEO_M2M = 0x8000
CAP_META_CAPTURE = 0x80_0000
CAP_STREAMING = 0x400_0000
CAP_IO_MC = 0x2000_0000
CAP_DEVICE_CAPS = 0x8000_0000

FLAG_ERROR = 0x40
FLAG_TIMESTAMP_MASK = 0xE000
FLAG_TIMESTAMP_MONOTONIC = 0x2000

CTRL_DISABLED = 0x1
CTRL_READ_ONLY = 0x4
FORCE_KEY_FRAME = 0x99_09E5  # the control, a button, that makes an encoder begin with an IDR
CTRL_NEXT = 0x8000_0000

INPUT_NO_POWER = 0x1
INPUT_NO_SIGNAL = 0x2
INPUT_NO_SYNC = 0x1_0000
INPUT_NO_CARRIER = 0x4_0000
INPUT_HAS_DV_TIMINGS = 0x2

PIX_PRIV_MAGIC = 0xFEED_CAFE  # without it, drivers ignore the fields after `priv`
COLORSPACE_SMPTE240M = 2
COLORSPACE_REC709 = 3
COLORSPACE_JPEG = 7
COLORSPACE_DCI_P3 = 12
YCBCR_DEFAULT = 0
YCBCR_709 = 2
QUANTIZATION_DEFAULT = 0
QUANTIZATION_FULL = 1


def fourcc(code: str) -> int:
    """The number of a pixel format with this four-character code."""
    return int.from_bytes(code.encode("ascii"), "little")


def fourcc_text(number: int) -> str:
    """The four-character code of a pixel format; what is not printable becomes `?`."""
    code = (number & 0xFFFF_FFFF).to_bytes(4, "little").decode("latin-1")
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in code)


def text(value: bytes) -> str:
    """What a driver calls something: one line of what is printable."""
    decoded = value.split(b"\0", 1)[0].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in decoded).strip()
