from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest
from tests.support.fake_camera import FakeCamera, failure

from belvedere.stage.sources.v4l2 import abi
from belvedere.stage.sources.v4l2.converters import find_h264_encoder

if TYPE_CHECKING:
    from pathlib import Path

    from belvedere.stage.sources.v4l2.device_file import DeviceFile

CONVERTS = abi.CAP_VIDEO_M2M_MPLANE | abi.CAP_STREAMING


def device(capabilities: int, code: str) -> FakeCamera:
    camera = FakeCamera({code: []})
    camera.capabilities = capabilities
    camera.stream = abi.CAPTURE_MPLANE if capabilities & abi.CAP_VIDEO_M2M_MPLANE else abi.CAPTURE
    return camera


def found(root: Path, *devices: FakeCamera | OSError) -> str | None:
    """What is found on a computer with these video devices; an error is what opening one raises."""
    (root / "dev").mkdir()
    for number in range(len(devices)):
        (root / f"dev/video{number}").touch()

    def open_file(path: Path) -> DeviceFile:
        opened = devices[int(path.name.removeprefix("video"))]
        if isinstance(opened, OSError):
            raise opened
        return opened.open(path)

    return find_h264_encoder(open_file, root)


def test_a_computer_without_video_devices_has_no_encoder(tmp_path: Path) -> None:
    assert found(tmp_path) is None


def test_a_device_that_cannot_be_opened_does_not_hide_the_encoder(tmp_path: Path) -> None:
    devices = failure(errno.ENODEV), failure(errno.EACCES), device(CONVERTS, "H264")
    assert found(tmp_path, *devices) == f"Fake Camera at {tmp_path}/dev/video2"


def test_neither_a_decoder_nor_a_camera_is_an_encoder(tmp_path: Path) -> None:
    assert found(tmp_path, device(CONVERTS, "YU12"), FakeCamera({"H264": []})) is None


def test_an_encoder_of_buffers_of_one_plane_is_found_too(tmp_path: Path) -> None:
    assert found(tmp_path, device(abi.CAP_VIDEO_M2M, "H264")) == f"Fake Camera at {tmp_path}/dev/video0"


@pytest.mark.parametrize("request_", [abi.Request.QUERYCAP, abi.Request.ENUM_FMT])
def test_an_encoder_that_fails_is_none(tmp_path: Path, request_: int) -> None:
    encoder = device(CONVERTS, "H264")
    encoder.fails = {request_: errno.EIO}
    assert found(tmp_path, encoder) is None
    assert encoder.opened == 0
