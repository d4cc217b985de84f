from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.fake_camera import FakeCamera, failure

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.sources.v4l2 import abi
from belvedere.stage.sources.v4l2.discovery import VideoNode, find, video_nodes

if TYPE_CHECKING:
    from belvedere.stage.sources.v4l2.device_file import DeviceFile


class Computer:
    """A file system with video devices, each a `FakeCamera`, by name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cameras: dict[str, FakeCamera] = {}
        self.opened: list[str] = []

    def plug(self, node: str, name: str, stable_name: str = "", capabilities: int | None = None) -> FakeCamera:
        (self.root / "dev/v4l/by-id").mkdir(parents=True, exist_ok=True)
        (self.root / "dev" / node).touch()
        described = self.root / "sys/class/video4linux" / node
        described.mkdir(parents=True)
        (described / "name").write_text(f"{name}\n", encoding="utf-8")
        if stable_name:
            (self.root / "dev/v4l/by-id" / stable_name).symlink_to(Path("../..") / node)
        camera = self.cameras[node] = FakeCamera()
        camera.card = name.encode()
        if capabilities is not None:
            camera.capabilities = capabilities
        return camera

    def open(self, path: Path) -> DeviceFile:
        node = path.resolve().name
        self.opened.append(node)
        if node not in self.cameras:
            raise failure(errno.ENOENT)
        return self.cameras[node].open(path)

    def find(self, device: str) -> Path:
        path, file = find(device, self.open, self.root)
        file.close()
        return path

    def error(self, device: str) -> CameraError:
        with pytest.raises(CameraError) as caught:
            self.find(device)
        assert all(camera.opened == 0 for camera in self.cameras.values())
        return caught.value


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    computer = Computer(tmp_path)
    computer.plug("video0", "Webcam C920", "usb-046d_HD_Pro_Webcam-video-index0")
    computer.plug("video1", "Webcam C920", "usb-046d_HD_Pro_Webcam-video-index1", abi.CAP_META_CAPTURE)
    computer.plug("video10", "USB3.0 HDMI Capture", "usb-MACROSILICON_USB3-video-index0")
    computer.plug("video11", "USB3.0 HDMI Capture", "usb-MACROSILICON_USB3-video-index1", abi.CAP_META_CAPTURE)
    return computer


def test_devices_are_listed_in_order_with_names_and_none_is_opened(computer: Computer) -> None:
    (computer.root / "dev/videos").touch()  # no device, though the name begins alike
    dev = computer.root / "dev"
    nodes = video_nodes(computer.root)
    assert [node.path.name for node in nodes] == ["video0", "video1", "video10", "video11"]
    stable_name = dev / "v4l/by-id/usb-046d_HD_Pro_Webcam-video-index0"
    assert nodes[0] == VideoNode(dev / "video0", "Webcam C920", (stable_name,))
    assert computer.opened == []


def test_a_camera_is_found_by_path_by_stable_name_and_by_a_pattern_in_any_case(computer: Computer) -> None:
    assert computer.find("/dev/video10") == computer.root / "dev/video10"
    by_id = "/dev/v4l/by-id/usb-MACROSILICON_USB3-video-index0"
    assert computer.find(by_id) == computer.root / by_id[1:]
    assert computer.find("*hdmi*").name == "video10"


def test_looking_for_one_camera_opens_no_other(computer: Computer) -> None:
    computer.find("*HDMI*")
    assert computer.opened == ["video10"]


def test_a_data_node_is_never_used_as_a_camera(computer: Computer) -> None:
    error = computer.error("/dev/video1")
    assert error.camera_reason is CameraReason.WRONG_FORMAT
    assert "it delivers data about pictures" in str(error)
    computer.cameras["video10"].capabilities = abi.CAP_META_CAPTURE
    assert computer.error("*HDMI*").camera_reason is CameraReason.WRONG_FORMAT


def test_an_unknown_camera_is_refused_with_those_that_there_are(computer: Computer) -> None:
    error = computer.error("*Elgato*")
    assert error.camera_reason is CameraReason.NOT_FOUND
    assert 'no camera matches "*Elgato*"' in str(error)
    assert '"Webcam C920", "USB3.0 HDMI Capture"' in str(error)
    assert computer.error("/dev/video7").camera_reason is CameraReason.NOT_FOUND


def test_a_computer_without_video_devices_says_so(tmp_path: Path) -> None:
    assert "are: none" in str(Computer(tmp_path).error("*"))


def test_the_obstacle_of_the_camera_counts_not_that_of_its_data_node(computer: Computer) -> None:
    def refuse(path: Path) -> DeviceFile:
        if path.name == "video10":
            raise failure(errno.EACCES)
        return computer.open(path)

    with pytest.raises(CameraError) as caught:
        find("*HDMI*", refuse, computer.root)
    assert caught.value.camera_reason is CameraReason.NO_PERMISSION


def test_a_data_node_that_comes_first_does_not_hide_the_cameras_obstacle(computer: Computer) -> None:
    computer.plug("video20", "Odd", capabilities=abi.CAP_META_CAPTURE)
    computer.plug("video21", "Odd").fails = {abi.Request.QUERYCAP: errno.EIO}
    assert computer.error("Odd").camera_reason is CameraReason.FAILED


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOTTY, CameraReason.NOT_FOUND),
        (errno.ENODEV, CameraReason.UNPLUGGED),
        (errno.EIO, CameraReason.FAILED),
    ],
)
def test_what_does_not_answer_as_a_camera_is_closed_again(
    computer: Computer, number: int, reason: CameraReason
) -> None:
    computer.cameras["video0"].fails = {abi.Request.QUERYCAP: number}
    assert computer.error("/dev/video0").camera_reason is reason


@pytest.mark.parametrize("device", ["/etc", "/etc/passwd", "/dev/null"])
def test_what_is_no_video_device_is_refused_without_being_opened(device: str) -> None:
    with pytest.raises(CameraError, match=f"{device}: this is no video device") as caught:
        find(device)
    assert caught.value.camera_reason is CameraReason.NOT_FOUND


def test_a_device_that_is_gone_meanwhile_has_no_name(computer: Computer) -> None:
    (computer.root / "sys/class/video4linux/video0/name").unlink()
    assert video_nodes(computer.root)[0].name == ""
