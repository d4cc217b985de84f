from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path

import pytest
from tests.support.fake_camera import FakeCamera, failure

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.sources.v4l2 import abi
from belvedere.stage.sources.v4l2.capture import Capture, Captured
from belvedere.stage.sources.v4l2.negotiation import Choice, Mode, PixelFormat

THIRTY = Fraction(30)


def choice(rate: Fraction | None = THIRTY) -> Choice:
    return Choice(Mode("YUYV", 64, 48), PixelFormat.YUYV, rate, "")


def started(camera: FakeCamera) -> Capture:
    capture = Capture(camera.open(Path("/dev/video0")), "/dev/video0", camera.clock)
    capture.start(choice())
    return capture


def number_of(captured: Captured | None) -> int:
    """The number that the camera wrote into the picture."""
    assert captured is not None
    return int.from_bytes(captured.data[:4], "little")


def take(capture: Capture, timeout_s: float = 0.05) -> tuple[int, float]:
    captured = capture.newest(timeout_s)
    assert captured is not None
    result = number_of(captured), captured.captured_s
    capture.release(captured)
    return result


def test_starting_sets_format_and_rate_and_turns_the_camera_on() -> None:
    camera = FakeCamera()
    started(camera)
    assert (camera.form.width, camera.form.height, abi.fourcc_text(camera.form.pixelformat)) == (64, 48, "YUYV")
    assert camera.rate_set == (30, 1)
    assert camera.mapped == 4
    assert camera.is_streaming


def test_what_the_driver_gives_is_told() -> None:
    camera = FakeCamera()
    camera.bytes_per_line = 160
    form = Capture(camera.open(Path("/dev/video0")), "", camera.clock).start(choice())
    assert (form.code, form.width, form.height, form.bytes_per_line, form.rate) == ("YUYV", 64, 48, 160, THIRTY)


@pytest.mark.parametrize(
    ("colours", "is_bt709", "is_full_range"),
    [
        ((0, 0, 0), False, False),
        ((8, 0, 0), False, False),  # sRGB, as uvcvideo says of most cameras
        ((abi.COLORSPACE_REC709, 0, 0), True, False),
        ((abi.COLORSPACE_REC709, 1, 1), False, True),
        ((abi.COLORSPACE_JPEG, 0, 0), False, True),
        ((abi.COLORSPACE_JPEG, abi.YCBCR_709, 2), True, False),
    ],
)
def test_the_colours_are_the_drivers_or_those_of_its_colour_space(
    colours: tuple[int, int, int], *, is_bt709: bool, is_full_range: bool
) -> None:
    camera = FakeCamera()
    camera.colours = colours
    form = Capture(camera.open(Path("/dev/video0")), "", camera.clock).start(choice())
    assert (form.is_bt709, form.is_full_range) == (is_bt709, is_full_range)


def test_pictures_come_in_order_with_the_drivers_rising_time() -> None:
    camera = FakeCamera()
    capture = started(camera)
    taken = [take(capture) for _ in range(20)]
    assert [number for number, _ in taken] == list(range(20))
    assert capture.has_driver_time
    assert [round(at_s - taken[0][1], 3) for _, at_s in taken] == [round(n / 30, 3) for n in range(20)]
    assert taken[-1][1] == pytest.approx(camera.now_s - 0.005, abs=1e-5)
    assert (capture.dropped, capture.damaged) == (0, 0)


def test_a_reader_that_falls_behind_gets_the_newest_and_the_others_are_counted() -> None:
    camera = FakeCamera()
    capture = started(camera)
    take(capture)
    camera.now_s += 0.101  # three pictures
    assert take(capture)[0] == 3
    assert capture.dropped == 2


def test_a_reader_that_falls_behind_by_all_buffers_gets_the_next_picture_and_no_old_one() -> None:
    camera = FakeCamera()
    capture = started(camera)
    take(capture)
    camera.now_s += 1.0  # the driver drops, since it has no buffer
    assert capture.newest(0.05) is None
    assert capture.dropped == 4
    number, captured_s = take(capture)
    assert number == 31
    assert camera.now_s - captured_s == pytest.approx(0.005, abs=1e-5)
    assert capture.dropped == 30


def test_a_count_that_the_driver_begins_anew_is_no_loss() -> None:
    camera = FakeCamera()

    def begin_anew(request: int, answer: abi.Buffer) -> None:
        if request == abi.Request.DQBUF and answer.sequence > 2:
            answer.sequence -= 3

    camera.tamper = begin_anew
    capture = started(camera)
    for _ in range(6):
        take(capture)
    assert capture.dropped == 0


def test_in_order_no_picture_is_passed_over() -> None:
    camera = FakeCamera()
    capture = started(camera)
    camera.now_s += 0.101
    for number in range(3):
        captured = capture.next(0.05)
        assert number_of(captured) == number
        assert captured is not None
        capture.release(captured)
    assert capture.next(0.001) is None


def test_without_a_picture_in_time_there_is_none() -> None:
    camera = FakeCamera()
    camera.interval_s = float("inf")
    capture = started(camera)
    assert capture.newest(0.05) is None
    assert camera.now_s == pytest.approx(1000.05)


def test_damaged_and_empty_pictures_are_given_back_and_counted() -> None:
    camera = FakeCamera()
    camera.flags = lambda number: abi.FLAG_ERROR if number % 2 else abi.FLAG_TIMESTAMP_MONOTONIC
    whole = camera.picture
    camera.picture = lambda number: b"" if number % 4 == 2 else whole(number)
    capture = started(camera)
    seen = [number_of(captured) for _ in range(40) if (captured := _take_and_release(capture)) is not None]
    assert seen == [0] * 10  # numbers are read after the release, which is why they are all alike
    assert capture.damaged == 30


def _take_and_release(capture: Capture) -> Captured | None:
    captured = capture.newest(0.05)
    if captured is None:
        return None
    number_of(captured)
    capture.release(captured)
    return Captured(memoryview(bytes(4)), captured.captured_s, captured.index)


@pytest.mark.parametrize(
    ("flags", "offset_s"),
    [(0, -0.005), (0x4000, -0.005), (abi.FLAG_TIMESTAMP_MONOTONIC, -1000.0), (abi.FLAG_TIMESTAMP_MONOTONIC, 1.0)],
)
def test_a_time_that_is_not_monotonic_or_makes_no_sense_is_replaced_by_that_of_arrival(
    flags: int, offset_s: float
) -> None:
    camera = FakeCamera()
    camera.flags = lambda _number: flags
    camera.stamp_offset_s = offset_s
    capture = started(camera)
    assert take(capture)[1] == camera.now_s
    assert not capture.has_driver_time


def test_a_time_a_little_in_the_future_counts_as_now() -> None:
    camera = FakeCamera()
    camera.stamp_offset_s = 0.01
    capture = started(camera)
    assert take(capture)[1] == camera.now_s
    assert capture.has_driver_time


def test_a_driver_without_rates_is_used_as_it_is() -> None:
    camera = FakeCamera()
    for number in (errno.ENOTTY, errno.EINVAL):
        camera.fails = {abi.Request.S_PARM: number}
        assert Capture(camera.open(Path("/dev/video0")), "", camera.clock).start(choice()).rate is None
    camera.requests.clear()
    assert Capture(camera.open(Path("/dev/video0")), "", camera.clock).start(choice(None)).rate is None
    assert abi.Request.S_PARM not in camera.requests


@pytest.mark.parametrize("given", [("MJPG", 64, 48), ("YUYV", 0, 48)])
def test_a_driver_that_delivers_another_format_than_it_lists_is_an_error(given: tuple[str, int, int]) -> None:
    camera = FakeCamera()
    camera.insists_on = given
    with pytest.raises(CameraError, match="the driver lists YUYV 64x48 and then delivers") as caught:
        started(camera)
    assert caught.value.camera_reason is CameraReason.WRONG_FORMAT


def test_another_size_than_was_asked_for_is_taken() -> None:
    camera = FakeCamera()
    camera.insists_on = ("YUYV", 32, 16)
    form = Capture(camera.open(Path("/dev/video0")), "", camera.clock).start(choice())
    assert (form.width, form.height) == (32, 16)


@pytest.mark.parametrize("count", [0, 1, 33, 10**6])
def test_an_impossible_number_of_buffers_is_an_error(count: int) -> None:
    camera = FakeCamera()
    camera.buffers = count
    with pytest.raises(CameraError, match="/dev/video0: the driver gave"):
        started(camera)


def test_a_buffer_that_does_not_exist_is_an_error() -> None:
    camera = FakeCamera()
    capture = started(camera)

    def invent(request: int, answer: abi.Buffer) -> None:
        if request == abi.Request.DQBUF:
            answer.index = 4

    camera.tamper = invent
    with pytest.raises(CameraError, match="filled buffer 4 of 4"):
        capture.newest(0.05)


def test_more_bytes_than_a_buffer_has_are_cut() -> None:
    camera = FakeCamera()
    capture = started(camera)
    camera.picture = lambda _number: bytes(65_536)

    def exaggerate(request: int, answer: abi.Buffer) -> None:
        if request == abi.Request.DQBUF:
            answer.bytesused = 2**32 - 1

    camera.tamper = exaggerate
    captured = capture.newest(0.05)
    assert captured is not None
    assert len(captured.data) == 65_536
    captured.data.release()


def test_a_driver_that_is_ready_for_ever_is_not_asked_for_ever() -> None:
    camera = FakeCamera()
    camera.wakes_without_picture = True
    camera.interval_s = float("inf")
    assert started(camera).newest(0.05) is None


def test_stopping_turns_the_camera_off_and_frees_its_memory_and_may_be_repeated() -> None:
    camera = FakeCamera()
    capture = started(camera)
    take(capture)
    capture.stop()
    assert not camera.is_streaming
    assert camera.mapped == 0
    count = camera.requests.total()
    capture.stop()
    assert camera.requests.total() == count


@pytest.mark.parametrize(
    "request_",
    [
        request
        for request in abi.Request
        if request.name in {"S_FMT", "S_PARM", "REQBUFS", "QUERYBUF", "QBUF", "STREAMON"}
    ],
)
def test_a_camera_that_goes_while_it_is_started_leaves_no_memory_behind(request_: abi.Request) -> None:
    camera = FakeCamera()
    camera.fails = {request_: errno.ENODEV}
    capture = Capture(camera.open(Path("/dev/video0")), "/dev/video0", camera.clock)
    with pytest.raises(OSError, match="No such device"):
        capture.start(choice())
    camera.fails = dict.fromkeys(abi.Request, errno.ENODEV)
    if camera.mapped:
        with pytest.raises(OSError, match="No such device"):
            capture.stop()
    else:
        capture.stop()
    assert camera.mapped == 0


def test_a_camera_that_is_unplugged_ends_the_wait_and_leaves_no_memory_behind() -> None:
    camera = FakeCamera()
    capture = started(camera)
    take(capture)
    camera.unplugged_at_s = camera.now_s + 0.01
    with pytest.raises(OSError, match=failure(errno.ENODEV).strerror):
        capture.newest(60)
    assert camera.now_s == camera.unplugged_at_s
    with pytest.raises(OSError, match="No such device"):
        capture.stop()
    assert camera.mapped == 0
