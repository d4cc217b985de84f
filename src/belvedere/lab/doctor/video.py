"""The computer's cameras, as the server itself sees them; none is turned on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.errors import CameraReason
from belvedere.lab.camera_list import list_cameras
from belvedere.lab.doctor.check import CheckResult, CheckState
from belvedere.stage.sources.v4l2.device_file import KernelFile
from belvedere.stage.sources.v4l2.discovery import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from belvedere.lab.camera_list import ListedCamera
    from belvedere.stage.options import StageOptions
    from belvedere.stage.sources.v4l2.discovery import OpenFile

NO_CAMERA = "plug in the camera or its capture device; in a container, pass the device /dev/video0 through"
CAMERA_GROUP = "sudo usermod -aG video $USER, then log out and in again"
NO_SIGNAL = "switch the camera on, and check its cable and its HDMI settings"


def cameras(options: StageOptions, open_file: OpenFile = KernelFile, root: Path = ROOT) -> list[CheckResult]:
    """Every camera, with the mode that the server would choose for the size and rate of `options`."""
    listed = list_cameras(options, open_file, root).cameras
    usable = [_result(camera) for camera in listed if camera.is_usable]
    if usable:
        return usable
    denied = [camera.device for camera in listed if camera.reason is CameraReason.NO_PERMISSION]
    if denied:
        return [CheckResult("camera", CheckState.ERROR, f"no permission to open {denied[0]}", CAMERA_GROUP)]
    return [CheckResult("camera", CheckState.WARNING, "no camera found", NO_CAMERA)]


def _result(camera: ListedCamera) -> CheckResult:
    message = f"{camera.name} at {camera.device}: {camera.choice}"
    if camera.signal:
        return CheckResult("camera", CheckState.WARNING, f"{message}; {camera.signal} at present", NO_SIGNAL)
    return CheckResult("camera", CheckState.OK, message)
