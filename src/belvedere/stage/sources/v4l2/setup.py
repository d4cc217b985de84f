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
    from belvedere.stage.sources.v4l2.capabilities import InputState
    from belvedere.stage.sources.v4l2.controls import ControlValue
    from belvedere.stage.sources.v4l2.device_file import DeviceFile
    from belvedere.stage.sources.v4l2.negotiation import Choice, PixelFormat

UNLOCKED = {errno.ENOLINK: "no signal", errno.ENOLCK: "no stable signal"}
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
    timings = check_signal(file, device)
    if timings is not None:  # of an HDMI receiver; capture sticks take the signal's size and rate over by themselves
        file.ioctl(abi.Request.S_DV_TIMINGS, timings)
    set_controls(file, camera.controls, device)
    try:
        modes = read_modes(file, wanted.width, wanted.height)
        return choose(modes, wanted.width, wanted.height, wanted.fps, camera.pixel_format)
    except NoModeError as error:
        raise CameraError(CameraReason.WRONG_FORMAT, f"{device}: {error}") from error


def check_signal(file: DeviceFile, device: str) -> abi.DvTimings | None:
    """Raise CameraError if the driver knows that no picture can come; return the signal's timings if it tells them."""
    state = read_input(file)
    if state is None:
        return None
    if state.trouble:
        raise _no_signal(device, state, state.trouble)
    if not state.has_timings:
        return None
    timings = abi.DvTimings()
    try:
        file.ioctl(abi.Request.QUERY_DV_TIMINGS, timings)
    except OSError as error:
        if error.errno in END_OF_LIST:
            return None
        if error.errno == errno.ERANGE:
            raise CameraError(CameraReason.WRONG_FORMAT, f"{device}: the signal's size or rate is too high") from error
        if error.errno not in UNLOCKED:
            raise
        raise _no_signal(device, state, UNLOCKED[error.errno]) from error
    return timings


def _no_signal(device: str, state: InputState, trouble: str) -> CameraError:
    return CameraError(CameraReason.NO_SIGNAL, f"{device} ({state.name}): {trouble}: {HINT}")


def _set_input(file: DeviceFile, index: int, device: str) -> None:
    try:
        file.ioctl(abi.Request.S_INPUT, ctypes.c_int(index))
    except OSError as error:
        if error.errno not in END_OF_LIST:
            raise
        raise CameraError(CameraReason.FAILED, f"{device}: camera.input: it has no input {index}") from error
