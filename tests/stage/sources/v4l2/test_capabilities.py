from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path

import pytest
from tests.support.fake_camera import CAPTURES, FakeCamera

from belvedere.stage.sources.v4l2 import abi
from belvedere.stage.sources.v4l2.capabilities import (
    InputState,
    read_card,
    read_codes,
    read_input,
    read_modes,
)
from belvedere.stage.sources.v4l2.negotiation import Mode

PATH = Path("/dev/video0")
THIRTY = (Fraction(30), Fraction(30))


def modes_of(camera: FakeCamera) -> tuple[Mode, ...]:
    return read_modes(camera.open(PATH), 1280, 720)


def test_a_card_says_who_it_is() -> None:
    camera = FakeCamera()
    camera.card = b"USB Video: USB Video"
    card = read_card(camera.open(PATH))
    assert (card.name, card.driver, card.bus, card.is_camera) == ("USB Video: USB Video", "fake", "usb-1", True)


@pytest.mark.parametrize(
    ("capabilities", "obstacle"),
    [
        (abi.CAP_META_CAPTURE | abi.CAP_STREAMING, "data about pictures"),
        (CAPTURES | abi.CAP_VIDEO_M2M, "converts"),
        (abi.CAP_VIDEO_M2M_MPLANE | abi.CAP_STREAMING, "converts"),
        (abi.CAP_VIDEO_CAPTURE_MPLANE | abi.CAP_STREAMING, "several planes"),
        (abi.CAP_VIDEO_CAPTURE, "does not capture"),
        (CAPTURES | abi.CAP_IO_MC, "use rpicam-vid"),
        (0, "does not capture"),
    ],
)
def test_what_is_no_camera_says_why(capabilities: int, obstacle: str) -> None:
    camera = FakeCamera()
    camera.capabilities = capabilities
    card = read_card(camera.open(PATH))
    assert not card.is_camera
    assert obstacle in card.obstacle


@pytest.mark.parametrize(
    ("capabilities", "stream"),
    [(CAPTURES, 0), (abi.CAP_VIDEO_M2M, abi.CAPTURE), (abi.CAP_VIDEO_M2M_MPLANE, abi.CAPTURE_MPLANE)],
)
def test_what_converts_says_where_it_gives_out_the_result(capabilities: int, stream: int) -> None:
    camera = FakeCamera({"H264": []})
    camera.capabilities = capabilities
    camera.stream = stream
    file = camera.open(PATH)
    assert read_card(file).converts_to == stream
    assert read_codes(file, stream) == ["H264"]
    assert read_codes(file, stream + 1) == []


def test_an_image_processor_that_looks_like_a_camera_is_none() -> None:
    camera = FakeCamera()
    camera.driver = b"bcm2835-isp"
    assert not read_card(camera.open(PATH)).is_camera


def test_every_format_size_and_rate_is_listed() -> None:
    camera = FakeCamera({"YUYV": [(640, 480, ((1, 30), (1001, 30_000)))], "MJPG": [(1280, 720, ((1, 30),))]})
    assert modes_of(camera) == (
        Mode("YUYV", 640, 480, (THIRTY, (Fraction(30_000, 1001),) * 2)),
        Mode("MJPG", 1280, 720, (THIRTY,)),
    )


def test_listing_sets_nothing_and_does_not_turn_the_camera_on() -> None:
    camera = FakeCamera()
    modes_of(camera)
    assert set(camera.requests) <= {
        abi.Request.ENUM_FMT,
        abi.Request.ENUM_FRAMESIZES,
        abi.Request.ENUM_FRAMEINTERVALS,
        abi.Request.G_FMT,
    }


def test_of_a_range_of_sizes_the_wanted_and_the_usual_ones_are_modes() -> None:
    camera = FakeCamera({})
    camera.stepwise = {"YU12": (32, 2592, 2, 32, 1944, 2)}
    assert [(mode.width, mode.height) for mode in modes_of(camera)] == [(1280, 720), (1920, 1080), (640, 480)]
    camera.stepwise = {"YU12": (32, 800, 64, 32, 600, 64)}
    assert [(mode.width, mode.height) for mode in modes_of(camera)] == [(800, 544), (672, 480)]


def test_a_driver_that_lists_no_sizes_has_its_present_one() -> None:
    camera = FakeCamera({"YUYV": []})
    camera.form = abi.PixFormat(width=720, height=576)
    assert modes_of(camera) == (Mode("YUYV", 720, 576),)
    camera.fails = {abi.Request.G_FMT: errno.EINVAL}
    assert modes_of(camera) == ()


def test_sizes_and_rates_that_make_no_sense_are_left_out() -> None:
    camera = FakeCamera(
        {"YUYV": [(0, 0, ((1, 30),)), (100_000, 720, ()), (640, 480, ((0, 1), (1, 0), (0, 0), (1, 2**31), (1, 30)))]}
    )
    assert modes_of(camera) == (Mode("YUYV", 640, 480, ((Fraction(1000),) * 2, THIRTY)),)


def test_lists_without_end_are_cut() -> None:
    intervals = tuple((1, rate) for rate in range(1, 100))
    sizes = [(16 + n, 16, intervals if n == 0 else ()) for n in range(200)]
    camera = FakeCamera({f"{n:04}": sizes if n == 0 else sizes[:1] for n in range(100)})
    modes = modes_of(camera)
    assert len(modes) == 128 + 63
    assert len(modes[0].rates) == 64
    assert len(modes_of(FakeCamera({f"{n:04}": sizes for n in range(6)}))) == 512


def test_a_range_of_rates_is_one() -> None:
    camera = FakeCamera({"YUYV": [(640, 480, ((1, 30),))]})

    def answer_with_range(request: int, answer: abi.FrameInterval) -> None:
        if request == abi.Request.ENUM_FRAMEINTERVALS:
            answer.type = abi.RangeType.CONTINUOUS
            answer.stepwise.min, answer.stepwise.max = abi.Fraction(1, 120), abi.Fraction(1, 5)

    camera.tamper = answer_with_range
    assert modes_of(camera) == (Mode("YUYV", 640, 480, ((Fraction(5), Fraction(120)),)),)


def test_a_range_of_rates_that_ends_before_it_begins_is_left_out() -> None:
    camera = FakeCamera({"YUYV": [(640, 480, ((1, 30),))]})

    def answer_backwards(request: int, answer: abi.FrameInterval) -> None:
        if request == abi.Request.ENUM_FRAMEINTERVALS:
            answer.type = abi.RangeType.STEPWISE
            answer.stepwise.min, answer.stepwise.max = abi.Fraction(1, 5), abi.Fraction(1, 120)

    camera.tamper = answer_backwards
    assert modes_of(camera) == (Mode("YUYV", 640, 480),)


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (0, ""),
        (abi.INPUT_NO_POWER, "no power"),
        (abi.INPUT_NO_SIGNAL, "no signal"),
        (abi.INPUT_NO_CARRIER, "no signal"),
        (abi.INPUT_NO_SYNC, "no stable signal"),
    ],
)
def test_the_input_says_whether_there_is_a_signal(status: int, trouble: str) -> None:
    camera = FakeCamera()
    camera.inputs = [(b"HDMI", status, abi.INPUT_HAS_DV_TIMINGS)]
    assert read_input(camera.open(PATH)) == InputState("HDMI", trouble, has_timings=True)


def test_a_driver_that_does_not_tell_of_its_input_may_still_deliver() -> None:
    camera = FakeCamera()
    for number in (errno.ENOTTY, errno.EIO):
        camera.fails = {abi.Request.G_INPUT: number}
        assert read_input(camera.open(PATH)) is None


@pytest.mark.parametrize(
    "request_", [abi.Request.ENUM_FMT, abi.Request.ENUM_FRAMESIZES, abi.Request.ENUM_FRAMEINTERVALS]
)
def test_a_camera_that_goes_while_it_is_listed_is_an_error(request_: int) -> None:
    camera = FakeCamera()
    camera.fails = {request_: errno.ENODEV}
    with pytest.raises(OSError, match="No such device"):
        modes_of(camera)
    camera.fails = {abi.Request.G_INPUT: errno.ENODEV}
    with pytest.raises(OSError, match="No such device"):
        read_input(camera.open(PATH))
