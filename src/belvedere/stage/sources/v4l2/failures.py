"""Turns the kernel's error numbers into what a camera's owner can act on."""

from __future__ import annotations

import contextlib
import errno
import grp
from typing import TYPE_CHECKING

from belvedere.errors import CameraError, CameraReason

if TYPE_CHECKING:
    from pathlib import Path

REASONS = {
    errno.ENOENT: CameraReason.NOT_FOUND,
    errno.ENOTDIR: CameraReason.NOT_FOUND,
    errno.ENODEV: CameraReason.UNPLUGGED,
    errno.ENXIO: CameraReason.UNPLUGGED,
    errno.EBUSY: CameraReason.BUSY,
    errno.EACCES: CameraReason.NO_PERMISSION,
    errno.EPERM: CameraReason.NO_PERMISSION,
    errno.ENOLINK: CameraReason.NO_SIGNAL,
    errno.ENOLCK: CameraReason.NO_SIGNAL,
}
WORDS = {
    CameraReason.NOT_FOUND: "there is no such device; `belvedere camera list` shows those that there are",
    CameraReason.UNPLUGGED: "the camera was unplugged; plug it in again, or use another cable or a powered USB hub",
    CameraReason.BUSY: "another program uses the camera; close it, and it is taken over by itself",
    CameraReason.NO_SIGNAL: "no signal: switch the camera on, and check the HDMI cable and the camera's HDMI settings",
}
VIDEO_GROUP = "video"  # whom Debian lets use cameras


def camera_error(error: OSError, device: str, doing: str, path: Path | None = None) -> CameraError:
    """The error for viewers and log.

    Args:
        error: the kernel's.
        device: the device as its owner named it.
        doing: what failed, such as "could not start the camera".
        path: the device's file, to say which group may use it.
    """
    reason = REASONS.get(error.errno or 0, CameraReason.FAILED)
    if reason is CameraReason.NO_PERMISSION:
        return CameraError(reason, f"{device}: {_permission(path)}")
    words = WORDS.get(reason)
    return CameraError(reason, f"{device}: {words}" if words else f"{device}: {doing}: {error.strerror or error}")


def _permission(path: Path | None) -> str:
    group = VIDEO_GROUP
    if path is not None:
        with contextlib.suppress(OSError, KeyError):
            group = grp.getgrgid(path.stat().st_gid).gr_name
    if group == "root":  # a device that udev has not set up
        return "this user may not use the camera, and no group may"
    return f"this user may not use the camera: sudo usermod -aG {group} $USER, then log in or start the service again"
