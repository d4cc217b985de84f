"""What is done with an opened camera before it is turned on: input, signal, the choice of a mode, controls."""

from __future__ import annotations

import ctypes
import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.sources.v4l2 import abi
from belvedere.stage.sources.v4l2.capabilities import END_OF_LIST, read_input, read_modes
from belvedere.stage.sources.v4l2.controls import set_controls
from belvedere.stage.sources.v4l2.negotiation import NoModeError, choose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from belvedere.stage.sources.source import VideoDescription
    from belvedere.stage.sources.v4l2.controls import ControlValue
    from belvedere.stage.sources.v4l2.device_file import DeviceFile
    from belvedere.stage.sources.v4l2.negotiation import Choice, PixelFormat

HINT = "switch the camera on, and check the HDMI cable and the camera's HDMI settings"


@dataclass(frozen=True, slots=True)
class V4l2Camera:
    """Which camera, and how it is to be used.

    Attributes:
        device: a path, or a pattern of the card's name.
        pixel_format: the only one to use; None for the best.
        input: the number of the input to capture from; None for the present one.
        controls: values by the control's name.
    """

    device: str
    pixel_format: PixelFormat | None = None
    input: int | None = None
    controls: Mapping[str, ControlValue] = field(default_factory=dict)


def prepare(file: DeviceFile, camera: V4l2Camera, device: str, wanted: VideoDescription) -> Choice:
    """Make a camera ready and choose its mode. Raises CameraError, and OSError of the kernel."""
    if camera.input is not None:
        _set_input(file, camera.input, device)
    check_signal(file, device)
    _take_timings(file, device)
    set_controls(file, camera.controls, device)
    try:
        modes = read_modes(file, wanted.width, wanted.height)
        return choose(modes, wanted.width, wanted.height, wanted.fps, camera.pixel_format)
    except NoModeError as error:
        raise CameraError(CameraReason.WRONG_FORMAT, f"{device}: {error}") from error


def check_signal(file: DeviceFile, device: str) -> None:
    """Raise CameraError if the driver knows that no picture can come."""
    state = read_input(file)
    if state is not None and state.trouble:
        raise CameraError(CameraReason.NO_SIGNAL, f"{device} ({state.name}): {state.trouble}: {HINT}")


def _set_input(file: DeviceFile, index: int, device: str) -> None:
    try:
        file.ioctl(abi.Request.S_INPUT, ctypes.c_int(index))
    except OSError as error:
        if error.errno not in END_OF_LIST:
            raise
        raise CameraError(CameraReason.FAILED, f"{device}: camera.input: it has no input {index}") from error


def _take_timings(file: DeviceFile, device: str) -> None:
    """Let an HDMI receiver take over the signal's size and rate, which capture sticks do by themselves."""
    state = read_input(file)
    if state is None or not state.has_timings:
        return
    timings = abi.DvTimings()
    try:
        file.ioctl(abi.Request.QUERY_DV_TIMINGS, timings)
        file.ioctl(abi.Request.S_DV_TIMINGS, timings)
    except OSError as error:
        if error.errno == errno.ERANGE:
            raise CameraError(CameraReason.WRONG_FORMAT, f"{device}: the signal's size or rate is too high") from error
        if error.errno not in END_OF_LIST:
            raise
