from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.vm import cameras

from belvedere.errors import CameraError, CameraReason
from belvedere.lab.camera_list import list_cameras
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.v4l2.capabilities import read_modes
from belvedere.stage.sources.v4l2.controls import read_controls
from belvedere.stage.sources.v4l2.device_file import KernelFile
from belvedere.stage.sources.v4l2.discovery import find, video_nodes

if TYPE_CHECKING:
    from belvedere.stage.sources.v4l2.capture import Capture

FILES = Path("/proc/self/fd")
pytestmark = pytest.mark.realtime


def test_cameras_are_listed_with_what_the_driver_says_of_them() -> None:
    nodes = {node.path: node for node in video_nodes()}
    webcam, receiver = nodes[cameras.webcam()], nodes[cameras.hdmi()]
    assert webcam.name.startswith("vivid")
    for node in (webcam, receiver):
        card = cameras.card_of(node)
        assert (card.name, card.driver, card.is_camera) == ("vivid", "vivid", True)
    card = cameras.card_of(nodes[cameras.data_node()])
    assert (card.is_camera, card.obstacle) == (False, "it delivers data about pictures and none itself")


def test_a_webcams_sizes_and_rates_are_listed_in_every_format() -> None:
    with contextlib.closing(KernelFile(cameras.webcam())) as file:
        modes = read_modes(file, 1280, 720)
    assert {"YUYV", "UYVY", "NV12", "NV21", "YU12", "YV12", "RGB3", "BGR3"} <= {mode.code for mode in modes}
    sizes = {(mode.width, mode.height) for mode in modes if mode.code == "YUYV"}
    assert {(320, 180), (640, 360), (1280, 720), (1920, 1080)} <= sizes
    (small,) = (mode for mode in modes if (mode.code, mode.width, mode.height) == ("YUYV", 320, 180))
    assert small.rate_for(30) == 30
    assert small.rate_for(1) == 1


def test_the_list_for_people_has_every_camera_with_a_choice_and_says_what_is_none() -> None:
    listed = {camera.device: camera for camera in list_cameras(StageOptions()).cameras}
    for path in (cameras.webcam(), cameras.hdmi()):
        camera = listed[str(path)]
        assert camera.is_usable
        assert " 1280x720 at " in camera.choice
        assert "brightness" in {control.name for control in camera.controls}
    assert listed[str(cameras.data_node())].problem.startswith("it delivers data about pictures")
    assert not cameras.is_streaming()


def test_a_receiver_has_the_size_of_its_signal() -> None:
    with contextlib.closing(KernelFile(cameras.hdmi())) as file:
        modes = read_modes(file, 1280, 720)
    assert (1280, 720) in {(mode.width, mode.height) for mode in modes if mode.code == "YUYV"}


def test_listing_turns_no_camera_on_and_disturbs_no_one_who_has() -> None:
    for node in video_nodes():
        with contextlib.closing(KernelFile(node.path)) as file:
            cameras.card_of(node)
            read_controls(file)
            read_modes(file, 1280, 720)
            assert not cameras.is_streaming()
    with cameras.capturing(cameras.webcam()) as (capture, _form):
        assert cameras.is_streaming()
        with contextlib.closing(KernelFile(cameras.webcam())) as file:
            assert read_modes(file, 1280, 720)
        cameras.wait_until(lambda: _takes_one(capture), "a picture")
    cameras.wait_until(lambda: not cameras.is_streaming(), "the camera is off")


def _takes_one(capture: Capture) -> bool:
    captured = capture.newest(0.1)
    if captured is None:
        return False
    capture.release(captured)
    return True


def test_a_camera_is_found_by_a_pattern_and_its_data_node_is_not() -> None:
    path, file = find("VIV*")
    file.close()
    assert path in {cameras.webcam(), cameras.hdmi()}
    with pytest.raises(CameraError) as caught:
        find(str(cameras.data_node()))
    assert caught.value.camera_reason is CameraReason.WRONG_FORMAT


def test_looking_leaves_no_file_open() -> None:
    before = len(list(FILES.iterdir()))
    for node in video_nodes():
        cameras.card_of(node)
        with contextlib.suppress(CameraError):
            find(str(node.path))[1].close()
    assert len(list(FILES.iterdir())) == before
