from __future__ import annotations

import pytest

from belvedere.app.camera_argument import parse_camera
from belvedere.app.settings import (
    Camera,
    FileCameraSettings,
    PatternCameraSettings,
    RoomCameraSettings,
    RtspCameraSettings,
    V4l2CameraSettings,
)
from belvedere.errors import OwnerError


@pytest.mark.parametrize(
    ("text", "camera"),
    [
        ("sim", RoomCameraSettings()),
        ("test", PatternCameraSettings()),
        ("/dev/video0", V4l2CameraSettings(device="/dev/video0")),
        ("garden.mp4", FileCameraSettings(path="garden.mp4")),
        ("rtsp://camera:554/1", RtspCameraSettings(url="rtsp://camera:554/1")),
    ],
)
def test_each_kind_of_camera_is_told_by_its_name(text: str, camera: Camera) -> None:
    assert parse_camera(text) == camera


def test_a_password_on_the_command_line_is_refused_and_not_repeated() -> None:
    with pytest.raises(OwnerError, match="password_file") as caught:
        parse_camera("rtsp://ann:tulip@camera/1")
    assert "tulip" not in str(caught.value)


@pytest.mark.parametrize("text", ["http://camera/", "rtsp://", "rtsp://cam era/"])
def test_an_address_that_is_none_of_a_camera_is_refused(text: str) -> None:
    with pytest.raises(OwnerError, match="allowed"):
        parse_camera(text)
