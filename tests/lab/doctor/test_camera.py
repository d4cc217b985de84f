from __future__ import annotations

import msgspec
import pytest

from belvedere.errors import CameraError, CameraReason
from belvedere.lab.camera_trial import CameraReport
from belvedere.lab.doctor.camera import camera_picture
from belvedere.lab.doctor.check import CheckState

GOOD = CameraReport(
    format="yuv420p",
    width=1280,
    height=720,
    described_fps=30,
    measured_fps=29.9,
    first_picture_ms=300.0,
    latency_median_ms=12.5,
    latency_worst_ms=40.0,
    frames=90,
    dropped=0,
)


def test_the_camera_stays_off_unless_the_owner_asks() -> None:
    (result,) = camera_picture(None)
    assert result.state is CheckState.UNKNOWN
    assert "--camera" in result.fix


@pytest.mark.parametrize(("measured_fps", "state"), [(29.9, CheckState.OK), (12.0, CheckState.WARNING)])
def test_what_comes_is_judged_by_its_rate(measured_fps: float, state: CheckState) -> None:
    (result,) = camera_picture(lambda: msgspec.structs.replace(GOOD, measured_fps=measured_fps))
    assert result.state is state
    assert result.message == f"1280x720 at {measured_fps:g} fps of 30, 12.5 ms from capture to encoded"
    assert bool(result.fix) == (state is CheckState.WARNING)


def test_a_camera_without_a_picture_is_an_error_that_says_why() -> None:
    def trial() -> CameraReport:
        raise CameraError(CameraReason.BUSY, "/dev/video0: another program uses it")

    (result,) = camera_picture(trial)
    assert (result.state, result.message) == (CheckState.ERROR, "/dev/video0: another program uses it")
