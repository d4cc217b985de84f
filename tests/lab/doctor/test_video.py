"""V4L2 with simulated devices, whose structures are laid out as in linux/videodev2.h."""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from belvedere.lab.doctor.check import CheckState
from belvedere.lab.doctor.video import (
    VIDIOC_ENUM_FMT,
    VIDIOC_ENUM_FRAMESIZES,
    VIDIOC_QUERYCAP,
    Node,
    VideoDevice,
    cameras,
    hardware_encoder,
    query_device,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CAPTURE_DEVICE = 0x84200001  # V4L2_CAP_DEVICE_CAPS, STREAMING, EXT_PIX_FORMAT, VIDEO_CAPTURE
METADATA_DEVICE = 0x84A00000
ENCODER_DEVICE = 0x84204000  # VIDEO_M2M_MPLANE


@dataclass
class Driver:
    """A device's answers."""

    card: str
    own_caps: int
    formats: dict[bytes, list[tuple[int, int]]] = field(default_factory=dict)
    wanted_kind: int = 1
    has_ranges: bool = False

    def ask(self, request: int, argument: bytes) -> bytes:
        if request == VIDIOC_QUERYCAP:
            card = self.card.encode().ljust(32, b"\0")
            return (
                b"uvcvideo".ljust(16, b"\0")
                + card
                + b"usb".ljust(32, b"\0")
                + struct.pack("III12x", 0x060C00, self.own_caps | 0x80000001, self.own_caps)
            )
        if request == VIDIOC_ENUM_FMT:
            return self.format(*struct.unpack("II56x", argument))
        assert request == VIDIOC_ENUM_FRAMESIZES
        return self.size(*struct.unpack("I4s36x", argument))

    def format(self, index: int, kind: int) -> bytes:
        if index >= len(self.formats) or kind != self.wanted_kind:
            raise OSError(errno.EINVAL, "no more")
        return struct.pack("III32s4sI12x", index, kind, 0, b"some", list(self.formats)[index], 0)

    def size(self, index: int, pixels: bytes) -> bytes:
        if self.has_ranges:
            return struct.pack("I4sIIIIIII8x", index, pixels, 3, 32, 1920, 2, 32, 1088, 2)
        sizes = self.formats[pixels]
        if index >= len(sizes):
            raise OSError(errno.EINVAL, "no more")
        return struct.pack("I4sIII24x", index, pixels, 1, *sizes[index])


STICK = Driver("USB Video", CAPTURE_DEVICE, {b"MJPG": [(640, 480), (1920, 1080), (1280, 720)], b"YUYV": [(640, 480)]})
ENCODER = Driver("bcm2835-codec-encode", ENCODER_DEVICE, {b"H264": []}, wanted_kind=9, has_ranges=True)
DECODER = Driver("bcm2835-codec-decode", ENCODER_DEVICE, {b"YU12": []}, wanted_kind=9, has_ranges=True)


def devices(folder: Path, *drivers: Driver | OSError) -> Callable[[Path], VideoDevice]:
    for number in range(len(drivers)):
        (folder / f"video{number}").touch()

    def run(path: Path) -> VideoDevice:
        driver = drivers[int(path.name.removeprefix("video"))]
        if isinstance(driver, OSError):
            raise driver
        return query_device(str(path), Node(driver.ask))

    return run


def test_a_capture_stick_tells_its_formats_with_their_largest_sizes() -> None:
    camera = query_device("/dev/video0", Node(STICK.ask))
    assert camera == VideoDevice(
        "/dev/video0", "USB Video", can_capture=True, is_codec=False, formats=("MJPG 1920x1080", "YUYV 640x480")
    )


def test_a_range_of_sizes_is_reported_by_its_end() -> None:
    assert query_device("x", Node(ENCODER.ask)).formats == ("H264 1920x1088",)


def test_the_node_beside_a_camera_that_carries_no_picture_is_not_one(tmp_path: Path) -> None:
    found = cameras(tmp_path, devices(tmp_path, STICK, Driver("USB Video", METADATA_DEVICE)))
    assert [result.state for result in found] == [CheckState.OK]
    assert "USB Video at" in found[0].message
    assert "MJPG 1920x1080, YUYV 640x480" in found[0].message


def test_no_camera_is_reported_with_what_to_do(tmp_path: Path) -> None:
    assert cameras(tmp_path)[0].state is CheckState.WARNING
    assert "plug" in cameras(tmp_path)[0].fix


def test_a_camera_that_may_not_be_opened_is_reported_as_such(tmp_path: Path) -> None:
    result = cameras(tmp_path, devices(tmp_path, PermissionError(errno.EACCES, "denied")))[0]
    assert result.state is CheckState.ERROR
    assert "video $USER" in result.fix


def test_a_device_that_is_gone_does_not_hide_the_others(tmp_path: Path) -> None:
    found = cameras(tmp_path, devices(tmp_path, OSError(errno.ENODEV, "gone"), STICK))
    assert found[0].state is CheckState.OK


def test_an_encoder_is_no_camera_and_a_decoder_no_encoder(tmp_path: Path) -> None:
    run = devices(tmp_path, DECODER, ENCODER)
    assert cameras(tmp_path, run)[0].state is CheckState.WARNING
    assert hardware_encoder(tmp_path, run) == f"bcm2835-codec-encode at {tmp_path / 'video1'}"
    (tmp_path / "video1").unlink()
    assert hardware_encoder(tmp_path, run) is None


def test_a_driver_whose_list_never_ends_is_left() -> None:
    class Endless(Driver):
        def format(self, index: int, kind: int) -> bytes:
            return struct.pack("III32s4sI12x", index, kind, 0, b"some", b"MJPG", 0)

    endless = Endless("Endless", CAPTURE_DEVICE, {b"MJPG": [(640, 480)]})
    assert len(query_device("x", Node(endless.ask)).formats) == 64


def test_a_driver_that_fails_midway_is_not_taken_for_the_end() -> None:
    class Failing(Driver):
        def format(self, _index: int, _kind: int) -> bytes:
            raise OSError(errno.EIO, "broken")

    with pytest.raises(OSError, match="broken"):
        query_device("x", Node(Failing("Failing", CAPTURE_DEVICE).ask))
