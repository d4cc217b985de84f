from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from tests.support.fake_camera import FakeCamera, failure

from belvedere.lab.doctor.check import CheckState
from belvedere.lab.doctor.video import cameras
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.v4l2 import abi

if TYPE_CHECKING:
    from pathlib import Path

    from belvedere.lab.doctor.check import CheckResult
    from belvedere.stage.sources.v4l2.device_file import DeviceFile


def stick() -> FakeCamera:
    return FakeCamera({"YUYV": [(1280, 720, ((1, 10),))], "MJPG": [(1280, 720, ((1, 30),))]})


def device(capabilities: int, code: str = "YUYV") -> FakeCamera:
    camera = FakeCamera({code: []})
    camera.capabilities = capabilities
    camera.stream = abi.CAPTURE_MPLANE if capabilities & abi.CAP_VIDEO_M2M_MPLANE else abi.CAPTURE
    return camera


class Computer:
    """A computer with video devices; an error in place of one is what opening it raises."""

    def __init__(self, root: Path, *devices: FakeCamera | OSError) -> None:
        self._root = root
        self._devices = devices
        (root / "dev").mkdir()
        for number in range(len(devices)):
            (root / f"dev/video{number}").touch()
            folder = root / f"sys/class/video4linux/video{number}"
            folder.mkdir(parents=True)
            (folder / "name").write_text(f"Card {number}\n", encoding="utf-8")

    def cameras(self) -> list[CheckResult]:
        return cameras(StageOptions(), self._open, self._root)

    def _open(self, path: Path) -> DeviceFile:
        found = self._devices[int(path.name.removeprefix("video"))]
        if isinstance(found, OSError):
            raise found
        return found.open(path)


def test_a_capture_stick_tells_which_mode_would_be_chosen(tmp_path: Path) -> None:
    (result,) = Computer(tmp_path, stick(), device(abi.CAP_META_CAPTURE)).cameras()
    assert result.state is CheckState.OK
    assert result.message == (
        f"Card 0 at {tmp_path}/dev/video0: MJPG 1280x720 at 30/s: as wanted (in this size also YUYV 10/s)"
    )


def test_a_camera_without_signal_is_a_warning(tmp_path: Path) -> None:
    camera = stick()
    camera.inputs = [(b"HDMI", abi.INPUT_NO_SIGNAL, 0)]
    (result,) = Computer(tmp_path, camera).cameras()
    assert result.state is CheckState.WARNING
    assert result.message.endswith("; no signal at present")
    assert "HDMI settings" in result.fix


def test_no_camera_is_reported_with_what_to_do(tmp_path: Path) -> None:
    (result,) = Computer(tmp_path).cameras()
    assert result.state is CheckState.WARNING
    assert "plug" in result.fix


def test_a_camera_that_may_not_be_opened_is_reported_as_such(tmp_path: Path) -> None:
    (result,) = Computer(tmp_path, failure(errno.EACCES)).cameras()
    assert result.state is CheckState.ERROR
    assert "video $USER" in result.fix


def test_a_device_that_is_gone_does_not_hide_the_others(tmp_path: Path) -> None:
    computer = Computer(tmp_path, failure(errno.ENODEV), stick(), failure(errno.EACCES))
    assert [result.state for result in computer.cameras()] == [CheckState.OK]
