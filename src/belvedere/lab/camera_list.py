"""Lists the cameras of this computer, what each can do, and which mode the server would choose. Turns none on."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import CameraReason
from belvedere.stage.sources.v4l2.capabilities import read_card, read_input, read_modes
from belvedere.stage.sources.v4l2.controls import read_controls
from belvedere.stage.sources.v4l2.device_file import KernelFile
from belvedere.stage.sources.v4l2.discovery import ROOT, video_nodes
from belvedere.stage.sources.v4l2.failures import camera_error
from belvedere.stage.sources.v4l2.negotiation import NoModeError, choose, rate_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from belvedere.stage.options import StageOptions
    from belvedere.stage.sources.v4l2.controls import Control
    from belvedere.stage.sources.v4l2.device_file import DeviceFile
    from belvedere.stage.sources.v4l2.discovery import OpenFile, VideoNode
    from belvedere.stage.sources.v4l2.negotiation import Mode


class ListedMode(msgspec.Struct, frozen=True):
    """A pixel format in one size.

    Attributes:
        rates: pictures per second, the highest first; of a range, both ends.
    """

    format: str
    width: int
    height: int
    rates: tuple[float, ...]


class ListedControl(msgspec.Struct, frozen=True):
    """A control, by the name that the settings have for it, and what it takes."""

    name: str
    allowed: str


class ListedCamera(msgspec.Struct, frozen=True, kw_only=True):
    """A video device.

    Attributes:
        device: its present path, whose number changes.
        stable_names: paths of it that do not change; the best first.
        name: the card's.
        problem: why it cannot be used, or ""; `reason` is the same for programs, if the kernel gave one.
        signal: why the present input has no picture, or "".
        modes, controls: what it offers.
        choice: what the server would choose, and why; "" if it has a problem.
    """

    device: str
    stable_names: tuple[str, ...]
    name: str
    problem: str = ""
    reason: CameraReason | None = None
    signal: str = ""
    modes: tuple[ListedMode, ...] = ()
    controls: tuple[ListedControl, ...] = ()
    choice: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether the server could show its picture."""
        return not self.problem


class CameraList(msgspec.Struct, frozen=True):
    """What can be a source of pictures.

    Attributes:
        cameras: the video devices of this computer.
        sources: those that are always there, with what they show.
    """

    cameras: tuple[ListedCamera, ...]
    sources: dict[str, str]


BUILT_IN = {"sim": "a drawn room, for trying Belvedere out", "test": "moving colour bars"}


def list_cameras(options: StageOptions, open_file: OpenFile = KernelFile, root: Path = ROOT) -> CameraList:
    """List all video devices.

    Args:
        options: the wanted size and rate.
        open_file: opens a device; for tests.
        root: where the file system begins; for tests.
    """
    return CameraList(tuple(_listed(node, options, open_file) for node in video_nodes(root)), BUILT_IN)


def as_json(cameras: CameraList) -> str:
    """The list as one JSON document."""
    return msgspec.json.format(msgspec.json.encode(cameras), indent=2).decode()


def as_text(cameras: CameraList) -> str:
    """The list for people: what can be used first, the rest in a line each."""
    usable = [camera for camera in cameras.cameras if camera.is_usable]
    others = [camera for camera in cameras.cameras if not camera.is_usable]
    parts = ["\n".join(_lines(camera)) for camera in usable] or ["No camera that can be used is connected."]
    if others:
        parts.append("\n".join(f"{camera.device}  {camera.name}: {camera.problem}" for camera in others))
    parts.append("\n".join(f"{name:<5} {text}" for name, text in cameras.sources.items()))
    return "\n\n".join(parts)


def _listed(node: VideoNode, options: StageOptions, open_file: OpenFile) -> ListedCamera:
    listed = ListedCamera(
        device=str(node.path), stable_names=tuple(str(path) for path in node.stable_names), name=node.name
    )
    try:
        with closing(open_file(node.path)) as file:
            card = read_card(file)
            if not card.is_camera:
                return msgspec.structs.replace(listed, problem=card.obstacle)
            return _described(listed, file, options)
    except OSError as error:
        told = camera_error(error, listed.device, "could not ask what it can do", node.path)
    problem = str(told).removeprefix(f"{listed.device}: ")  # in a list, its device stands before it
    return msgspec.structs.replace(listed, problem=problem, reason=told.camera_reason)


def _described(listed: ListedCamera, file: DeviceFile, options: StageOptions) -> ListedCamera:
    state = read_input(file)
    modes = read_modes(file, options.width, options.height)
    described = msgspec.structs.replace(
        listed,
        signal=state.trouble if state is not None else "",
        modes=tuple(_listed_mode(mode) for mode in modes),
        controls=tuple(_listed_control(control) for control in read_controls(file)),
    )
    try:
        choice = choose(modes, options.width, options.height, options.fps)
    except NoModeError as error:
        return msgspec.structs.replace(described, problem=str(error))
    return msgspec.structs.replace(described, choice=choice.reason)


def _listed_mode(mode: Mode) -> ListedMode:
    rates = {float(rate) for ends in mode.rates for rate in ends}
    return ListedMode(mode.code, mode.width, mode.height, tuple(sorted((round(r, 3) for r in rates), reverse=True)))


def _listed_control(control: Control) -> ListedControl:
    return ListedControl(control.name, control.allowed)


def _lines(camera: ListedCamera) -> list[str]:
    device = camera.stable_names[0] if camera.stable_names else camera.device
    lines = [f"{camera.device}  {camera.name}", f'  device = "{device}"']
    if camera.signal:
        lines.append(f"  {camera.signal} at present")
    lines.append(f"  chosen: {camera.choice}")
    codes = dict.fromkeys(mode.format for mode in camera.modes)
    lines += [f"  {code}  {_sizes([mode for mode in camera.modes if mode.format == code])}" for code in codes]
    lines += [f"  {control.name} = {control.allowed}" for control in camera.controls]
    return lines


def _sizes(modes: Sequence[ListedMode]) -> str:
    """`1280x720 30 25 15/s, 640x480 30/s`."""
    return ", ".join(f"{mode.width}x{mode.height} {_rates(mode)}" for mode in modes)


def _rates(mode: ListedMode) -> str:
    return f"{' '.join(f'{rate:g}' for rate in mode.rates)}/s" if mode.rates else rate_text(None)
