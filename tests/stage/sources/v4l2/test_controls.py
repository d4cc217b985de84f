from __future__ import annotations

import errno
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.fake_camera import FakeCamera, FakeControl

from belvedere.errors import CameraError
from belvedere.stage.sources.v4l2 import abi
from belvedere.stage.sources.v4l2.controls import control_name, idr_request, read_controls, set_controls

if TYPE_CHECKING:
    from belvedere.stage.sources.v4l2.controls import ControlValue

PATH = Path("/dev/video0")


def webcam() -> FakeCamera:
    camera = FakeCamera()
    camera.controls = [
        FakeControl(10, "Exposure Time, Absolute", lowest=3, highest=2047, value=250),
        FakeControl(11, "Auto Exposure", abi.ControlType.MENU, 0, 3, items={1: "Manual Mode", 3: "Aperture Priority"}),
        FakeControl(12, "Power Line Frequency", abi.ControlType.MENU, 0, 2, items={0: "Disabled", 1: "50 Hz"}),
        FakeControl(13, "Focus, Automatic Continuous", abi.ControlType.BOOLEAN, 0, 1, value=1),
        FakeControl(14, "Link Frequency", abi.ControlType.INTEGER_MENU, 0, 1, items={0: "297000000", 1: "445500000"}),
        FakeControl(15, "Pan, Absolute", lowest=-3600, highest=3600, step=3600),
        FakeControl(16, "Privacy", abi.ControlType.BOOLEAN, 0, 1, flags=abi.CTRL_READ_ONLY),
        FakeControl(17, "Old", flags=abi.CTRL_DISABLED),
    ]
    return camera


def set_to(camera: FakeCamera, wanted: dict[str, ControlValue]) -> dict[int, int]:
    set_controls(camera.open(PATH), wanted, "/dev/video0")
    return {control.id: control.value for control in camera.controls}


def test_controls_have_the_names_that_v4l2_ctl_shows() -> None:
    assert control_name("Exposure Time, Absolute") == "exposure_time_absolute"
    assert control_name("White Balance, Automatic (K)") == "white_balance_automatic_k"


def test_controls_that_cannot_be_set_are_not_listed() -> None:
    assert [control.name for control in read_controls(webcam().open(PATH))] == [
        "exposure_time_absolute",
        "auto_exposure",
        "power_line_frequency",
        "focus_automatic_continuous",
        "link_frequency",
        "pan_absolute",
    ]


def test_values_are_numbers_menu_items_and_truth_values() -> None:
    camera = webcam()
    values = set_to(
        camera,
        {
            "exposure_time_absolute": 100,
            "auto_exposure": "manual mode",
            "power_line_frequency": 1,
            "focus_automatic_continuous": False,
            "link_frequency": 445_500_000,
            "pan_absolute": 3600,
        },
    )
    assert values == {10: 100, 11: 1, 12: 1, 13: 0, 14: 1, 15: 3600, 16: 0, 17: 0}


def test_modes_are_set_before_the_numbers_that_they_allow() -> None:
    camera = webcam()
    order: list[int] = []

    def note(request: int, argument: abi.Control) -> None:
        if request == abi.Request.S_CTRL:
            order.append(argument.id)

    camera.tamper = note
    set_to(camera, {"exposure_time_absolute": 100, "auto_exposure": "Manual Mode"})
    assert order == [11, 10]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("exposure", 1, "it has no such control (allowed: auto_exposure, exposure_time_absolute, focus_"),
        ("exposure_time_absolute", 2048, "does not take 2048 (allowed: 3 to 2047)"),
        ("exposure_time_absolute", "long", "does not take 'long' (allowed: 3 to 2047)"),
        ("exposure_time_absolute", True, "does not take True (allowed: 3 to 2047)"),
        ("pan_absolute", 100, "does not take 100 (allowed: -3600 to 3600 in steps of 3600)"),
        ("power_line_frequency", "60 Hz", 'does not take \'60 Hz\' (allowed: "Disabled", "50 Hz")'),
        ("power_line_frequency", True, "does not take True"),
        ("focus_automatic_continuous", 2, "does not take 2 (allowed: true, false)"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_those_that_are_and_nothing_is_set(
    name: str, value: ControlValue, message: str
) -> None:
    camera = webcam()
    with pytest.raises(CameraError) as caught:
        set_to(camera, {"power_line_frequency": "50 Hz", name: value})
    assert f"/dev/video0: camera.controls.{name}: " in str(caught.value)
    assert message in str(caught.value)
    assert abi.Request.S_CTRL not in camera.requests


def test_what_the_camera_refuses_at_present_is_logged_and_the_rest_is_set(caplog: pytest.LogCaptureFixture) -> None:
    camera = webcam()
    camera.controls[0].refuses = errno.EACCES
    with caplog.at_level(logging.WARNING):
        values = set_to(camera, {"exposure_time_absolute": 100, "pan_absolute": 3600})
    assert (values[10], values[15]) == (250, 3600)
    assert "refused to set exposure_time_absolute to 100: Permission denied" in caplog.text


def test_a_camera_that_goes_meanwhile_is_an_error() -> None:
    camera = webcam()
    camera.controls[0].refuses = errno.ENODEV
    with pytest.raises(OSError, match="No such device"):
        set_to(camera, {"exposure_time_absolute": 100})
    camera.fails = {abi.Request.QUERYMENU: errno.ENODEV}
    with pytest.raises(OSError, match="No such device"):
        read_controls(camera.open(PATH))
    camera.fails = {abi.Request.QUERYCTRL: errno.ENODEV}
    with pytest.raises(OSError, match="No such device"):
        read_controls(camera.open(PATH))


def test_a_camera_that_encodes_may_take_requests_for_a_key_frame() -> None:
    camera = webcam()
    assert idr_request(camera.open(PATH)) is None
    button = FakeControl(abi.FORCE_KEY_FRAME, "Force Key Frame")
    camera.controls.append(button)
    request = idr_request(camera.open(PATH))
    assert request is not None
    request()
    assert button.value == 1


def test_a_refused_request_for_a_key_frame_does_not_end_the_picture_but_a_lost_camera_does() -> None:
    camera = webcam()
    camera.controls.append(FakeControl(abi.FORCE_KEY_FRAME, "Force Key Frame", refuses=errno.EBUSY))
    request = idr_request(camera.open(PATH))
    assert request is not None
    request()
    camera.controls[-1].refuses = errno.ENODEV
    with pytest.raises(OSError, match="No such device"):
        request()
    camera.fails = {abi.Request.QUERYCTRL: errno.ENODEV}
    with pytest.raises(OSError, match="No such device"):
        idr_request(camera.open(PATH))


def test_without_wanted_controls_the_camera_is_not_asked() -> None:
    camera = webcam()
    set_to(camera, {})
    assert not camera.requests


def test_a_driver_that_repeats_a_control_for_ever_is_asked_once() -> None:
    camera = webcam()

    def repeat(request: int, answer: abi.QueryControl) -> None:
        if request == abi.Request.QUERYCTRL:
            answer.id, answer.type, answer.name = 10, abi.ControlType.INTEGER, b"Same"

    camera.tamper = repeat
    assert [control.name for control in read_controls(camera.open(PATH))] == ["same"]


def test_a_menu_of_billions_of_items_is_cut() -> None:
    camera = FakeCamera()
    items = {n: str(n) for n in range(1000)}
    camera.controls = [FakeControl(1, "Menu", abi.ControlType.MENU, -5, 2**31 - 1, items=items)]
    assert len(read_controls(camera.open(PATH))[0].items) == 64
