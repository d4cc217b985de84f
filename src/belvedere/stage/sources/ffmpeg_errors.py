"""Turns FFmpeg's errors into reasons, in one place. Importing this module imports FFmpeg."""

from __future__ import annotations

import errno

import av.error

from belvedere.errors import CameraError, CameraReason

_R = CameraReason
BY_CLASS: tuple[tuple[type[Exception], CameraReason], ...] = (
    (av.error.HTTPUnauthorizedError, _R.REFUSED),
    (av.error.HTTPForbiddenError, _R.REFUSED),
    (av.error.HTTPNotFoundError, _R.NOT_FOUND),
    (av.error.FileNotFoundError, _R.NOT_FOUND),
    (av.error.PermissionError, _R.NO_PERMISSION),
    (av.error.ConnectionRefusedError, _R.UNREACHABLE),
    (av.error.TimeoutError, _R.UNREACHABLE),
    (av.error.ExitError, _R.UNREACHABLE),  # a timeout of ours
    (av.error.InvalidDataError, _R.WRONG_FORMAT),
    (av.error.DemuxerNotFoundError, _R.WRONG_FORMAT),
    (av.error.DecoderNotFoundError, _R.WRONG_FORMAT),
    (av.error.ProtocolNotFoundError, _R.WRONG_FORMAT),
    (av.error.EOFError, _R.ENDED),
)
BY_NUMBER = {
    errno.EHOSTUNREACH: _R.UNREACHABLE,
    errno.ENETUNREACH: _R.UNREACHABLE,
    errno.ECONNRESET: _R.UNREACHABLE,
    errno.EPIPE: _R.UNREACHABLE,
    errno.EBUSY: _R.BUSY,
}


def camera_error(error: av.error.FFmpegError, name: str, advice: dict[CameraReason, str]) -> CameraError:
    """Describe what FFmpeg could not do with the camera of this name.

    FFmpeg's own message is left out, because it may contain the whole address with its password.

    Args:
        error: FFmpeg's error.
        name: the camera, for people.
        advice: what to say for a reason; for others the error's name is said.
    """
    reason = next((reason for kind, reason in BY_CLASS if isinstance(error, kind)), None)
    if reason is None:
        reason = BY_NUMBER.get(error.errno or 0, CameraReason.FAILED)
    return CameraError(reason, f"{name}: {advice.get(reason) or error.strerror or type(error).__name__}")
