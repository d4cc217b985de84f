"""Finds a camera's device file by path, by its stable name or by a pattern of the card's name.

The kernel's tables in /sys are read first, so that looking for one camera opens no other; opening one turns nothing on.
"""

from __future__ import annotations

import errno
import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.sources.v4l2.capabilities import read_card
from belvedere.stage.sources.v4l2.device_file import KernelFile
from belvedere.stage.sources.v4l2.failures import camera_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.sources.v4l2.device_file import DeviceFile

    OpenFile = Callable[[Path], DeviceFile]

NO_VIDEO_DEVICE = frozenset({errno.ENOTTY, errno.EINVAL})
MAX_DEVICES = 64  # the kernel's own limit for one kind
ROOT = Path("/")
NODE = re.compile(r"video([0-9]+)\Z")


@dataclass(frozen=True, slots=True)
class VideoNode:
    """A video device of this computer, of whatever kind.

    Attributes:
        path: its file, such as `/dev/video0`, whose number changes.
        name: the card's name, or "" if the kernel does not tell without opening the device.
        stable_names: other paths of it, which do not change; the best first.
    """

    path: Path
    name: str
    stable_names: tuple[Path, ...] = ()


def video_nodes(root: Path = ROOT) -> list[VideoNode]:
    """All video devices in the order of their numbers, without opening any.

    Args:
        root: where the file system begins; for tests.
    """
    links = _links(root)
    paths = [path for path in (root / "dev").glob("video*") if NODE.match(path.name)]
    paths.sort(key=lambda path: int(path.name.removeprefix("video")))
    return [VideoNode(path, _name(root, path), tuple(links.get(path, ()))) for path in paths[:MAX_DEVICES]]


def find(device: str, open_file: OpenFile = KernelFile, root: Path = ROOT) -> tuple[Path, DeviceFile]:
    """Open the camera that `device` names; the caller closes it.

    Args:
        device: a path, or a pattern of the card's name such as `*HDMI*`, in which case does not matter. A pattern
            that several cameras match means the first.
        open_file: opens a device.
        root: where the file system begins; for tests.

    Raises CameraError.
    """
    if device.startswith("/"):
        path = root / device.lstrip("/")
        return path, open_camera(path, device, open_file)
    matching = [node for node in video_nodes(root) if fnmatch.fnmatchcase(node.name.casefold(), device.casefold())]
    obstacle: CameraError | None = None
    for node in matching:
        try:
            return node.path, open_camera(node.path, str(node.path), open_file)
        except CameraError as error:  # most cameras have a second node of the same name, for data
            if obstacle is None or error.camera_reason is not CameraReason.WRONG_FORMAT:
                obstacle = error
    raise obstacle or CameraError(CameraReason.NOT_FOUND, _none_matches(device, root))


def open_camera(path: Path, device: str, open_file: OpenFile) -> DeviceFile:
    """Open a device and make sure that it captures pictures. Raises CameraError."""
    try:
        file = open_file(path)
    except OSError as error:
        raise _not_opened(error, device, path) from error
    try:
        card = read_card(file)
    except OSError as error:
        file.close()
        raise _not_opened(error, device, path) from error
    if card.is_camera:
        return file
    file.close()
    raise CameraError(
        CameraReason.WRONG_FORMAT, f"{device} ({card.name}): {card.obstacle}; `belvedere camera list` shows the cameras"
    )


def _not_opened(error: OSError, device: str, path: Path) -> CameraError:
    if error.errno in NO_VIDEO_DEVICE:
        return CameraError(CameraReason.NOT_FOUND, f"{device}: this is no video device")
    return camera_error(error, device, "could not open it", path)


def _none_matches(device: str, root: Path) -> str:
    names = dict.fromkeys(node.name for node in video_nodes(root) if node.name)
    there = ", ".join(f'"{name}"' for name in names) or "none"
    return f'no camera matches "{device}"; the video devices of this computer are: {there}'


def _name(root: Path, path: Path) -> str:
    try:
        return (
            (root / "sys/class/video4linux" / path.name / "name").read_text(encoding="utf-8", errors="replace").strip()
        )
    except OSError:
        return ""


def _links(root: Path) -> dict[Path, list[Path]]:
    """The names that udev made for each device file; those by serial number before those by USB port."""
    found: dict[Path, list[Path]] = {}
    for folder in ("by-id", "by-path"):
        for link in sorted((root / "dev/v4l" / folder).glob("*")):
            found.setdefault(link.resolve(), []).append(link)
    return found
