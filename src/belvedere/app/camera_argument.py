"""A camera as it is named on the command line: `/dev/video0`, `rtsp://...`, `file.mp4`, `sim`, `test`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from belvedere.app.settings import (
    FileCameraSettings,
    PatternCameraSettings,
    RoomCameraSettings,
    RtspCameraSettings,
    V4l2CameraSettings,
)
from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from belvedere.app.settings import Camera

NAMES = "/dev/video0, rtsp://host:port/path, the name of a video file, sim, or test"


def parse_camera(text: str) -> Camera:
    """The settings of a camera that is named on the command line. Raises OwnerError."""
    if text == "sim":
        return RoomCameraSettings()
    if text == "test":
        return PatternCameraSettings()
    if text.startswith("/dev/"):
        return V4l2CameraSettings(device=text)
    if "://" not in text:
        return FileCameraSettings(path=text)
    if "@" in text.partition("://")[2].partition("/")[0]:  # every user of this computer sees command lines
        raise OwnerError("SOURCE must not contain a password: set username and password_file in [camera] of a file")
    try:
        return msgspec.convert({"kind": "rtsp", "url": text}, RtspCameraSettings)
    except msgspec.ValidationError as error:
        raise OwnerError(f"unknown camera {text!r} (allowed: {NAMES})") from error
