"""Whether the configured camera delivers a picture; it is turned on only if the owner asks for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.errors import OwnerError, StageError
from belvedere.lab.doctor.check import CheckResult, CheckState

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.lab.camera_trial import CameraReport

NAME = "camera picture"
HOW = "belvedere doctor --camera turns it on for three seconds"


def camera_picture(trial: Callable[[], CameraReport] | None) -> list[CheckResult]:
    """Turn the camera on by `trial`, and judge what came; without one, say how to."""
    if trial is None:
        return [CheckResult(NAME, CheckState.UNKNOWN, "not tried: it would turn the camera on", HOW)]
    try:
        report = trial()
    except (StageError, OwnerError) as error:
        return [CheckResult(NAME, CheckState.ERROR, str(error), "belvedere camera test shows more")]
    message = (
        f"{report.width}x{report.height} at {report.measured_fps:g} fps of {report.described_fps},"
        f" {report.latency_median_ms:g} ms from capture to encoded"
    )
    if report.is_slow:
        fix = "more light, another format of the camera, or a smaller size in [stage]"
        return [CheckResult(NAME, CheckState.WARNING, message, fix)]
    return [CheckResult(NAME, CheckState.OK, message)]
