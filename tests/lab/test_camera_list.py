from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.support.fake_camera import FakeCamera, FakeControl, failure

from belvedere.errors import CameraReason
from belvedere.lab.camera_list import CameraList, as_json, as_text, list_cameras
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.v4l2 import abi

if TYPE_CHECKING:
    from pathlib import Path

    from belvedere.stage.sources.v4l2.device_file import DeviceFile

HARMLESS = {
    abi.Request.QUERYCAP,
    abi.Request.ENUM_FMT,
    abi.Request.ENUM_FRAMESIZES,
    abi.Request.ENUM_FRAMEINTERVALS,
    abi.Request.QUERYCTRL,
    abi.Request.QUERYMENU,
    abi.Request.ENUMINPUT,
    abi.Request.G_INPUT,
}


class Computer:
    """A computer with a capture stick, its data node, and a device that this user may not use."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stick = FakeCamera(
            {"YUYV": [(1920, 1080, ((1, 5),)), (1280, 720, ((1, 10),))], "MJPG": [(1280, 720, ((1, 30), (1, 60)))]}
        )
        self.stick.controls = [FakeControl(1, "Power Line Frequency", abi.ControlType.MENU, 0, 1, items={1: "50 Hz"})]
        self.data = FakeCamera()
        self.data.capabilities = abi.CAP_META_CAPTURE
        (root / "dev/v4l/by-id").mkdir(parents=True)
        (root / "dev/v4l/by-id/usb-HDMI-video-index0").symlink_to(root / "dev/video0")
        for number in range(3):
            (root / f"dev/video{number}").touch()
            folder = root / f"sys/class/video4linux/video{number}"
            folder.mkdir(parents=True)
            (folder / "name").write_text("Fake Camera\n", encoding="utf-8")

    def open(self, path: Path) -> DeviceFile:
        if path.name == "video2":
            raise failure(errno.EACCES)
        return (self.stick if path.name == "video0" else self.data).open(path)

    def list(self) -> CameraList:
        found = list_cameras(StageOptions(), self.open, self.root)
        assert self.stick.opened == self.data.opened == 0
        return found


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path)


def test_a_camera_is_listed_with_its_modes_controls_and_the_choice(computer: Computer) -> None:
    stick = computer.list().cameras[0]
    assert (stick.device, stick.name) == (str(computer.root / "dev/video0"), "Fake Camera")
    assert stick.stable_names == (str(computer.root / "dev/v4l/by-id/usb-HDMI-video-index0"),)
    assert [(mode.format, mode.width, mode.rates) for mode in stick.modes] == [
        ("YUYV", 1920, (5.0,)),
        ("YUYV", 1280, (10.0,)),
        ("MJPG", 1280, (60.0, 30.0)),
    ]
    assert [(control.name, control.allowed) for control in stick.controls] == [("power_line_frequency", '"50 Hz"')]
    assert stick.choice == "MJPG 1280x720 at 30/s: as wanted (in this size also YUYV 10/s)"
    assert stick.is_usable


def test_what_cannot_be_used_is_listed_with_the_reason(computer: Computer) -> None:
    _stick, data, forbidden = computer.list().cameras
    assert not data.is_usable
    assert data.problem.startswith("it delivers data about pictures")
    assert forbidden.problem.startswith("this user may not use the camera")
    assert (data.reason, forbidden.reason) == (None, CameraReason.NO_PERMISSION)


def test_listing_sets_nothing_and_turns_nothing_on(computer: Computer) -> None:
    computer.list()
    assert computer.stick.requests.keys() <= HARMLESS


def test_a_camera_without_signal_is_listed_with_that(computer: Computer) -> None:
    computer.stick.inputs = [(b"HDMI", abi.INPUT_NO_SIGNAL, 0)]
    listed = computer.list()
    assert listed.cameras[0].signal == "no signal"
    assert "no signal at present" in as_text(listed)


@pytest.mark.parametrize("request_", sorted(HARMLESS))
def test_a_camera_that_goes_meanwhile_is_a_problem_of_its_own(computer: Computer, request_: int) -> None:
    computer.stick.fails = {request_: errno.ENODEV}
    stick, data, _forbidden = computer.list().cameras
    assert "was unplugged" in stick.problem
    assert "data about pictures" in data.problem


def test_a_camera_without_a_usable_format_is_a_problem(computer: Computer) -> None:
    computer.stick.formats = {"GREY": [(640, 480, ())]}
    assert "its formats are: GREY" in computer.list().cameras[0].problem


def test_the_text_shows_what_to_write_into_the_settings(computer: Computer) -> None:
    device = computer.root / "dev/video0"
    lines = as_text(computer.list()).splitlines()
    assert lines[:6] == [
        f"{device}  Fake Camera",
        f'  device = "{computer.root}/dev/v4l/by-id/usb-HDMI-video-index0"',
        "  chosen: MJPG 1280x720 at 30/s: as wanted (in this size also YUYV 10/s)",
        "  YUYV  1920x1080 5/s, 1280x720 10/s",
        "  MJPG  1280x720 60 30/s",
        '  power_line_frequency = "50 Hz"',
    ]
    assert lines[7].startswith(f"{computer.root}/dev/video1  Fake Camera: it delivers data")
    assert lines[-2:] == ["sim   a drawn room, for trying Belvedere out", "test  moving colour bars"]


def test_without_stable_name_the_path_is_shown_and_an_unknown_rate_is_said_to_be(computer: Computer) -> None:
    (computer.root / "dev/v4l/by-id/usb-HDMI-video-index0").unlink()
    computer.stick.formats = {"YUYV": [(1280, 720, ())]}
    text = as_text(computer.list())
    assert f'device = "{computer.root}/dev/video0"' in text
    assert "YUYV  1280x720 an unknown rate" in text


def test_without_any_camera_the_text_says_so_and_names_the_sources_that_are_always_there(tmp_path: Path) -> None:
    listed = list_cameras(StageOptions(), root=tmp_path)
    assert as_text(listed).startswith("No camera that can be used is connected.\n\nsim ")


def test_the_json_has_everything(computer: Computer) -> None:
    listed = computer.list()
    assert msgspec.json.decode(as_json(listed), type=CameraList) == listed
