from __future__ import annotations

import itertools
import statistics
import threading
import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.pictures import blank_picture
from tests.vm import cameras
from tests.vm.recording import pictures

from belvedere.stage.sources.conversion import PictureConverter
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.sources.v4l2.decoding import open_decoder
from belvedere.stage.sources.v4l2.negotiation import PixelFormat
from belvedere.stage.sources.v4l2.setup import V4l2Camera

if TYPE_CHECKING:
    from belvedere.stage.sources.source import Picture
    from belvedere.stage.sources.v4l2.capture import Capture, Captured

pytestmark = pytest.mark.realtime
RAW_FORMATS = [each for each in PixelFormat if each not in {PixelFormat.MJPEG, PixelFormat.H264}]
SPOTS = [(x, 170) for x in range(20, 320, 40)]  # in each colour bar, below the text that the driver writes
TOLERANCE = 6  # of rounding in the driver and in the conversion


@pytest.fixture(scope="module", autouse=True)
def _still_picture() -> None:
    """A test picture that does not move, so that formats can be compared."""
    cameras.set_control(cameras.webcam(), "osd_text_mode", "None")


def taken(capture: Capture) -> Captured:
    found: list[Captured] = []

    def take() -> bool:
        captured = capture.newest(0.1)
        if captured is not None:
            found.append(captured)
        return bool(found)

    cameras.wait_until(take, "a picture")
    return found[0]


def colours(pixel_format: PixelFormat) -> list[tuple[int, int, int]]:
    """The colours of the bars as the stage gets them, if the camera delivers this format."""
    picture: Picture = blank_picture(320, 180)
    with cameras.capturing(cameras.webcam(), pixel_format) as (capture, form):
        assert form.code in pixel_format.codes
        assert (form.width, form.height, form.rate) == (320, 180, Fraction(15))
        decoder = open_decoder(pixel_format, form)
        captured = taken(capture)
        decoder.load(captured.data)
        capture.release(captured)
    frame = decoder.frame()
    assert frame is not None
    PictureConverter().convert(frame, picture)
    return [
        (picture.y[y * 320 + x], picture.u[y // 2 * 160 + x // 2], picture.v[y // 2 * 160 + x // 2]) for x, y in SPOTS
    ]


def test_every_format_shows_the_same_picture() -> None:
    expected = colours(PixelFormat.YU12)
    assert len(set(expected)) >= 6, "colour bars"
    for pixel_format in RAW_FORMATS:
        found = colours(pixel_format)
        differences = [
            abs(a - b) for one, other in zip(found, expected, strict=True) for a, b in zip(one, other, strict=True)
        ]
        assert max(differences) <= TOLERANCE, (pixel_format, found, expected)


def test_pictures_carry_the_drivers_time_which_rises_and_is_not_later_than_their_arrival(
    findings: dict[str, float],
) -> None:
    began_s = time.monotonic()
    sink = pictures(V4l2Camera(str(cameras.webcam())), lambda sink: len(sink.captured_s) >= 30)
    ages_s = [arrived_s - captured_s for captured_s, arrived_s in zip(sink.captured_s, sink.arrived_s, strict=True)]
    findings["ms from turning on to the first picture"] = round((sink.arrived_s[0] - began_s) * 1000)
    findings["ms from capture to the converted picture, median"] = round(statistics.median(ages_s) * 1000)
    assert sink.description == VideoDescription(VideoFormat.RAW, 320, 180, 15)
    assert all(earlier < later for earlier, later in itertools.pairwise(sink.captured_s))
    assert min(ages_s) >= 0
    with cameras.capturing(cameras.webcam()) as (capture, _form):
        capture.release(taken(capture))
        assert capture.has_driver_time


def test_a_slow_reader_gets_a_new_picture_and_the_others_are_counted() -> None:
    pause = threading.Event()
    with cameras.capturing(cameras.webcam()) as (capture, _form):
        capture.release(taken(capture))
        pause.wait(
            1.0
        )  # the reader is slow: the driver fills all its buffers, and has none for the pictures after them
        before_s = time.monotonic()
        captured = taken(capture)
        capture.release(captured)
        assert captured.captured_s > before_s - 1 / 15, "an old picture"
        assert capture.dropped >= 4


def test_a_stop_ends_the_run_and_turns_the_camera_off() -> None:
    sink = pictures(V4l2Camera(str(cameras.webcam())), lambda sink: bool(sink.captured_s))
    assert sink.stopping.is_set()
    assert not cameras.is_streaming()


def test_runs_leave_no_file_and_no_memory_behind() -> None:
    camera = V4l2Camera(str(cameras.webcam()))

    def held() -> tuple[int, int]:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8")
        return len(list(Path("/proc/self/fd").iterdir())), maps.count("/dev/video")

    pictures(camera, lambda sink: bool(sink.captured_s))
    before = held()
    for _ in range(5):
        pictures(camera, lambda sink: bool(sink.captured_s))
    assert held() == before
    assert before[1] == 0


def test_an_hdmi_receiver_takes_the_size_of_its_signal_over_and_it_is_scaled() -> None:
    wanted = VideoDescription(VideoFormat.RAW, 320, 180, 15)
    sink = pictures(V4l2Camera(str(cameras.hdmi())), lambda sink: len(sink.captured_s) >= 3, wanted)
    assert sink.description is not None
    assert (sink.description.width, sink.description.height) == (320, 180)
    assert sink.picture is not None
    assert len(set(bytes(sink.picture.y))) > 6
