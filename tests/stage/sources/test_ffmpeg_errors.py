from __future__ import annotations

import errno

import av.error
import pytest

from belvedere.errors import CameraReason
from belvedere.stage.sources.ffmpeg_errors import camera_error

ADDRESS = "rtsp://ann:secret@camera/"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (av.error.HTTPUnauthorizedError(0, "no", ADDRESS), CameraReason.REFUSED),
        (av.error.HTTPNotFoundError(0, "no", ADDRESS), CameraReason.NOT_FOUND),
        (av.error.ConnectionRefusedError(errno.ECONNREFUSED, "no", ADDRESS), CameraReason.UNREACHABLE),
        (av.error.ExitError(0, "no", ADDRESS), CameraReason.UNREACHABLE),
        (av.error.InvalidDataError(0, "no", ADDRESS), CameraReason.WRONG_FORMAT),
        (av.error.FFmpegError(errno.EHOSTUNREACH, "no", ADDRESS), CameraReason.UNREACHABLE),
        (av.error.FFmpegError(errno.EBUSY, "no", ADDRESS), CameraReason.BUSY),
        (av.error.FFmpegError(errno.ENOMEM, "no", ADDRESS), CameraReason.FAILED),
    ],
)
def test_every_error_has_its_reason_and_no_address(error: av.error.FFmpegError, reason: CameraReason) -> None:
    described = camera_error(error, "the camera", {CameraReason.REFUSED: "look at the password"})
    assert described.camera_reason is reason
    expected = "look at the password" if reason is CameraReason.REFUSED else "no"
    assert str(described) == f"the camera: {expected}"
