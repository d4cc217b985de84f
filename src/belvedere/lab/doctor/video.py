"""V4L2 cameras and encoders, queried with ioctls, so that no program has to be installed."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from belvedere.lab.doctor.check import CheckResult, CheckState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEVICES = Path("/dev")
# linux/videodev2.h; the numbers hold on every architecture that Debian's arm and x86 ports use
VIDIOC_QUERYCAP = 0x80685600
VIDIOC_ENUM_FMT = 0xC0405602
VIDIOC_ENUM_FRAMESIZES = 0xC02C564A
CAPABILITY = struct.Struct("16s32s32sIII12x")  # driver, card, bus, version, capabilities, device_caps
FORMAT = struct.Struct("III32sII12x")  # index, type, flags, description, pixelformat, mbus_code
SIZE = struct.Struct("IIIII24x")  # index, pixel_format, type, width, height (discrete), or ranges
CAN_CAPTURE, IS_CODEC, IS_CODEC_MULTIPLANAR = 0x1, 0x8000, 0x4000
CAP_DEVICE_CAPS = 0x80000000
CAPTURE, CAPTURE_MULTIPLANAR = 1, 9
DISCRETE = 1
MAX_ENTRIES = 64  # of formats and of sizes: bounds the loop where a driver never ends its list
CAMERA_GROUP = "sudo usermod -aG video $USER, then log out and in again"


class VideoDevice(msgspec.Struct, frozen=True):
    """A video device: its name, what it can do, and its formats, each with its largest size.

    Attributes:
        is_codec: a memory-to-memory device, such as a hardware encoder.
    """

    path: str
    card: str
    can_capture: bool
    is_codec: bool
    formats: tuple[str, ...]


class Node(NamedTuple):
    """An opened device: `ask` makes an ioctl and returns the structure that the driver filled in, or raises OSError."""

    ask: Callable[[int, bytes], bytes]


def query_device(path: str, node: Node) -> VideoDevice:
    """The device's name, abilities and formats. Raises OSError where it is no V4L2 device."""
    _driver, card, _bus, _version, all_caps, own_caps = CAPABILITY.unpack(
        node.ask(VIDIOC_QUERYCAP, bytes(CAPABILITY.size))
    )
    caps = own_caps if all_caps & CAP_DEVICE_CAPS else all_caps
    is_codec = bool(caps & (IS_CODEC | IS_CODEC_MULTIPLANAR))
    kind = CAPTURE_MULTIPLANAR if caps & IS_CODEC_MULTIPLANAR else CAPTURE
    wants_formats = is_codec or caps & CAN_CAPTURE
    formats = tuple(_formats(node, kind)) if wants_formats else ()
    return VideoDevice(path, card.rstrip(b"\0").decode(errors="replace"), bool(caps & CAN_CAPTURE), is_codec, formats)


def _formats(node: Node, kind: int) -> Iterator[str]:
    for index in range(MAX_ENTRIES):
        try:
            answer = node.ask(VIDIOC_ENUM_FMT, FORMAT.pack(index, kind, 0, b"", 0, 0))
        except OSError as error:
            if error.errno == errno.EINVAL:  # V4L2's end of the list
                return
            raise
        pixels = FORMAT.unpack(answer)[4]
        name = pixels.to_bytes(4, "little").decode("ascii", errors="replace").strip()
        size = _largest(node, pixels)
        yield f"{name} {size[0]}x{size[1]}" if size else name


def _largest(node: Node, pixels: int) -> tuple[int, int] | None:
    largest: tuple[int, int] | None = None
    for index in range(MAX_ENTRIES):
        try:
            answer = node.ask(VIDIOC_ENUM_FRAMESIZES, SIZE.pack(index, pixels, 0, 0, 0))
        except OSError:
            return largest
        _index, _pixels, kind, first, second = SIZE.unpack(answer)
        if kind != DISCRETE:  # a range: min, max and step of the width, then of the height
            width = int.from_bytes(answer[16:20], "little")
            return width, int.from_bytes(answer[28:32], "little")
        largest = max(largest or (0, 0), (first, second))
    return largest


def cameras(folder: Path = DEVICES, run: Callable[[Path], VideoDevice] | None = None) -> list[CheckResult]:
    """Every camera with its formats."""
    paths = sorted(folder.glob("video[0-9]*"))
    found, denied = _query_devices(paths, run or _query_path)
    sources = [camera for camera in found if camera.can_capture and not camera.is_codec and camera.formats]
    if sources:
        return [
            CheckResult("camera", CheckState.OK, f"{one.card} at {one.path}: {', '.join(one.formats)}")
            for one in sources
        ]
    if denied:
        return [CheckResult("camera", CheckState.ERROR, f"no permission to open {denied[0]}", CAMERA_GROUP)]
    fix = "plug in the camera or its capture device; in a container, pass the device /dev/video0 through"
    return [CheckResult("camera", CheckState.WARNING, "no camera found", fix)]


def hardware_encoder(folder: Path = DEVICES, run: Callable[[Path], VideoDevice] | None = None) -> str | None:
    """The device that encodes H.264 in hardware, as a Raspberry Pi up to the 4 has; None where there is none."""
    found, _denied = _query_devices(sorted(folder.glob("video[0-9]*")), run or _query_path)
    encoding = (camera for camera in found if camera.is_codec and any(one.startswith("H264") for one in camera.formats))
    return next((f"{camera.card} at {camera.path}" for camera in encoding), None)


def _query_devices(paths: list[Path], run: Callable[[Path], VideoDevice]) -> tuple[list[VideoDevice], list[Path]]:
    found, denied = [], []
    for path in paths:
        try:
            found.append(run(path))
        except PermissionError:
            denied.append(path)
        except OSError:  # busy, unplugged, or not a V4L2 device
            continue
    return found, denied


def _query_path(path: Path) -> VideoDevice:
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def ask(request: int, argument: bytes) -> bytes:
        answer = bytearray(argument)
        fcntl.ioctl(descriptor, request, answer, True)
        return bytes(answer)

    try:
        return query_device(str(path), Node(ask))
    finally:
        os.close(descriptor)
