"""The computer's cameras and hardware encoders, as the server itself sees them; none is turned on."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from belvedere.errors import CameraReason
from belvedere.lab.camera_list import list_cameras
from belvedere.lab.doctor.check import CheckResult, CheckState
from belvedere.stage.sources.v4l2.capabilities import read_card, read_codes
from belvedere.stage.sources.v4l2.device_file import KernelFile
from belvedere.stage.sources.v4l2.discovery import ROOT, video_nodes

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


def hardware_encoder(open_file: OpenFile = KernelFile, root: Path = ROOT) -> str | None:
    """The device that encodes H.264 in hardware, as a Raspberry Pi up to the 4 has; None where there is none."""
    for node in video_nodes(root):
        try:
            with closing(open_file(node.path)) as file:
                card = read_card(file)
                if card.converts_to and "H264" in read_codes(file, card.converts_to):
                    return f"{card.name} at {node.path}"
        except OSError:  # busy, unplugged, forbidden, or no V4L2 device
            continue
    return None


def _result(camera: ListedCamera) -> CheckResult:
    message = f"{camera.name} at {camera.device}: {camera.choice}"
    if camera.signal:
        return CheckResult("camera", CheckState.WARNING, f"{message}; {camera.signal} at present", NO_SIGNAL)
    return CheckResult("camera", CheckState.OK, message)
