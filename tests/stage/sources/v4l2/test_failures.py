from __future__ import annotations

import errno
import grp
import os
from typing import TYPE_CHECKING

import pytest

from belvedere.errors import CameraReason
from belvedere.stage.sources.v4l2.failures import camera_error

if TYPE_CHECKING:
    from pathlib import Path


def error_of(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("number", "reason", "words"),
    [
        (errno.ENOENT, CameraReason.NOT_FOUND, "belvedere camera list"),
        (errno.ENODEV, CameraReason.UNPLUGGED, "was unplugged"),
        (errno.EBUSY, CameraReason.BUSY, "another program"),
        (errno.EACCES, CameraReason.NO_PERMISSION, "usermod -aG video"),
        (errno.ENOLINK, CameraReason.NO_SIGNAL, "HDMI"),
        (errno.EIO, CameraReason.FAILED, "could not start it: Input/output error"),
    ],
)
def test_every_error_names_the_device_its_reason_and_what_to_do(number: int, reason: CameraReason, words: str) -> None:
    error = camera_error(error_of(number), "/dev/video0", "could not start it")
    assert error.camera_reason is reason
    assert str(error).startswith("/dev/video0: ")
    assert words in str(error)
    assert "\n" not in str(error)


def test_the_group_that_may_use_the_device_is_named(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch()
    group = grp.getgrgid(device.stat().st_gid).gr_name
    message = str(camera_error(error_of(errno.EACCES), "/dev/video0", "", device))
    assert (f"usermod -aG {group} " in message) == (group != "root")
    assert ("no group may" in message) == (group == "root")


def test_without_the_devices_file_the_usual_group_is_named(tmp_path: Path) -> None:
    assert "-aG video " in str(camera_error(error_of(errno.EACCES), "/dev/video0", "", tmp_path / "gone"))


def test_an_error_without_number_keeps_its_words() -> None:
    assert str(camera_error(OSError("odd"), "/dev/video0", "could not start it")).endswith("could not start it: odd")
