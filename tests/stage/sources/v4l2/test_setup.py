from __future__ import annotations

import errno
from pathlib import Path

import pytest
from tests.support.fake_camera import FakeCamera, FakeControl

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.sources.v4l2 import abi
from belvedere.stage.sources.v4l2.negotiation import Choice, PixelFormat
from belvedere.stage.sources.v4l2.setup import V4l2Camera, check_signal, prepare

HDMI = (b"HDMI 1", 0, abi.INPUT_HAS_DV_TIMINGS)


def prepared(camera: FakeCamera, wanted: V4l2Camera | None = None) -> Choice:
    file = camera.open(Path("/dev/video0"))
    return prepare(file, wanted or V4l2Camera("*"), "/dev/video0", VideoDescription(VideoFormat.RAW, 64, 48, 30))


def error_of(camera: FakeCamera, wanted: V4l2Camera | None = None) -> CameraError:
    with pytest.raises(CameraError) as caught:
        prepared(camera, wanted)
    assert str(caught.value).startswith("/dev/video0")
    return caught.value


def test_the_mode_is_chosen_from_what_the_driver_lists() -> None:
    assert prepared(FakeCamera()).pixel_format is PixelFormat.YUYV


def test_nothing_turns_the_camera_on() -> None:
    camera = FakeCamera()
    camera.inputs = [HDMI]
    prepared(camera, V4l2Camera("*", input=0))
    assert not camera.is_streaming
    assert camera.requests.keys().isdisjoint({abi.Request.STREAMON, abi.Request.REQBUFS, abi.Request.S_FMT})


def test_a_camera_without_a_usable_format_is_refused() -> None:
    error = error_of(FakeCamera({"GREY": [(64, 48, ())]}))
    assert error.camera_reason is CameraReason.WRONG_FORMAT
    assert "its formats are: GREY" in str(error)
    assert error_of(FakeCamera(), V4l2Camera("*", PixelFormat.H264)).camera_reason is CameraReason.WRONG_FORMAT


def test_an_input_without_signal_is_refused_before_anything_is_set() -> None:
    camera = FakeCamera()
    camera.inputs = [(b"HDMI 1", abi.INPUT_NO_SIGNAL, abi.INPUT_HAS_DV_TIMINGS)]
    error = error_of(camera)
    assert error.camera_reason is CameraReason.NO_SIGNAL
    assert "(HDMI 1): no signal: switch the camera on" in str(error)
    assert camera.timings_taken == 0


def test_the_prescribed_input_is_selected() -> None:
    camera = FakeCamera()
    camera.inputs = [(b"Composite", abi.INPUT_NO_SIGNAL, 0), (b"S-Video", 0, 0)]
    prepared(camera, V4l2Camera("*", input=1))
    assert camera.input == 1
    error = error_of(camera, V4l2Camera("*", input=2))
    assert "camera.input: it has no input 2" in str(error)


def test_a_receiver_takes_the_size_of_the_signal_over() -> None:
    camera = FakeCamera()
    prepared(camera)
    assert camera.timings_taken == 0
    camera.inputs = [HDMI]
    prepared(camera)
    assert camera.timings_taken == 1


@pytest.mark.parametrize("number", [errno.ENOTTY, errno.ENODATA])
def test_a_receiver_that_takes_it_over_by_itself_is_left_alone(number: int) -> None:
    camera = FakeCamera()
    camera.inputs = [HDMI]
    camera.fails = {abi.Request.QUERY_DV_TIMINGS: number}
    prepared(camera)
    assert camera.timings_taken == 0


def test_a_signal_beyond_what_the_receiver_can_do_is_a_wrong_format() -> None:
    camera = FakeCamera()
    camera.inputs = [HDMI]
    camera.fails = {abi.Request.QUERY_DV_TIMINGS: errno.ERANGE}
    assert error_of(camera).camera_reason is CameraReason.WRONG_FORMAT
    camera.fails = {abi.Request.QUERY_DV_TIMINGS: errno.EIO}
    with pytest.raises(OSError, match="Input/output error"):
        prepared(camera)


@pytest.mark.parametrize(("number", "trouble"), [(errno.ENOLINK, "no signal"), (errno.ENOLCK, "no stable signal")])
def test_a_receiver_that_finds_no_timings_has_no_signal(number: int, trouble: str) -> None:
    camera = FakeCamera()
    camera.inputs = [HDMI]
    camera.fails = {abi.Request.QUERY_DV_TIMINGS: number}
    error = error_of(camera)
    assert error.camera_reason is CameraReason.NO_SIGNAL
    assert f"(HDMI 1): {trouble}: switch" in str(error)


def test_the_controls_are_set() -> None:
    camera = FakeCamera()
    camera.controls = [FakeControl(1, "Gain")]
    prepared(camera, V4l2Camera("*", controls={"gain": 7}))
    assert camera.controls[0].value == 7


def test_a_signal_that_is_lost_is_noticed() -> None:
    camera = FakeCamera()
    file = camera.open(Path("/dev/video0"))
    check_signal(file, "/dev/video0")
    camera.inputs = [(b"HDMI 1", abi.INPUT_NO_SYNC, 0)]
    with pytest.raises(CameraError, match="no stable signal"):
        check_signal(file, "/dev/video0")
    camera.fails = {abi.Request.G_INPUT: errno.ENOTTY}
    check_signal(file, "/dev/video0")
