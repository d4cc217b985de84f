from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.vm import cameras
from tests.vm.recording import failure_of, pictures

from belvedere.errors import CameraReason
from belvedere.stage.sources.v4l2.setup import V4l2Camera

if TYPE_CHECKING:
    from belvedere.stage.sources.v4l2.controls import ControlValue

pytestmark = pytest.mark.realtime


def test_controls_are_set_when_the_camera_is_turned_on() -> None:
    path = cameras.webcam()
    cameras.set_control(path, "brightness", 128)
    controls: dict[str, ControlValue] = {"brightness": 200, "horizontal_flip": True, "test_pattern": "100% Colorbar"}
    pictures(V4l2Camera(str(path), controls=controls), lambda sink: bool(sink.captured_s))
    assert cameras.control_value(path, "brightness") == 200
    assert cameras.control_value(path, "horizontal_flip") == 1
    cameras.set_control(path, "horizontal_flip", value=False)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("brightness", 256, "0 to 255"),
        ("test_pattern", "100% Colourbar", '"100% Colorbar"'),
        ("nonsense", 1, "brightness"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_those_that_are(name: str, value: int | str, allowed: str) -> None:
    error = failure_of(V4l2Camera(str(cameras.webcam()), controls={name: value}))
    assert error.camera_reason is CameraReason.FAILED
    assert f"camera.controls.{name}: " in str(error)
    assert allowed in str(error)
    assert not cameras.is_streaming()
