from __future__ import annotations

import pytest
from tests.support.pictures import blank_picture

from belvedere.errors import InternalError
from belvedere.stage.frames import EncodedFrame
from belvedere.stage.options import StageOptions
from belvedere.stage.sink import BACKLOG_FRAMES, SourceSink, StillDelivery
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.tap import RawStill

RAW = VideoDescription(VideoFormat.RAW, 160, 96, 30)
H264 = VideoDescription(VideoFormat.H264, 160, 96, 30)


class Encoder:
    """An encoder whose frames are the first byte of the picture."""

    def __init__(self, options: StageOptions) -> None:
        self.options = options
        self.picture = blank_picture(options.width, options.height)
        self.is_silent = False

    def encode(self, at_s: float, *, wants_idr: bool) -> EncodedFrame | None:
        if self.is_silent:
            return None
        return EncodedFrame(bytes(self.picture.y[:1]), at_s, round(at_s * 90_000), wants_idr)


class Capture:
    """A sink on a clock that the test sets."""

    def __init__(self) -> None:
        self.now_s = 10.0
        self.wakes = 0
        self.encoders: list[Encoder] = []
        self.sink = SourceSink(self._open, StageOptions(bitrate_kbps=700), lambda: self.now_s, self._wake)

    def frames(self) -> list[EncodedFrame]:
        """The frames in the outbox, which is emptied."""
        frames = [delivery for delivery in self.sink.outbox if isinstance(delivery, EncodedFrame)]
        self.sink.outbox.clear()
        return frames

    def _open(self, options: StageOptions) -> Encoder:
        self.encoders.append(Encoder(options))
        return self.encoders[-1]

    def _wake(self) -> None:
        self.wakes += 1


def test_a_raw_picture_is_drawn_into_the_encoders_own_planes() -> None:
    capture = Capture()
    capture.sink.describe(RAW)
    picture = capture.sink.lend()
    assert picture is capture.encoders[0].picture
    picture.y[0] = 77
    capture.sink.push_picture(9.5)
    description, frame = capture.sink.outbox
    assert description is RAW
    assert isinstance(frame, EncodedFrame)
    assert (frame.data, frame.captured_s) == (bytes([77]), 9.5)
    assert capture.wakes == 2


def test_the_encoder_is_opened_for_the_size_that_comes_and_anew_when_it_changes() -> None:
    capture = Capture()
    capture.sink.describe(RAW)
    capture.sink.describe(VideoDescription(VideoFormat.RAW, 320, 192, 25))
    options = [encoder.options for encoder in capture.encoders]
    assert [(each.width, each.height, each.fps, each.bitrate_kbps) for each in options] == [
        (160, 96, 30, 700),
        (320, 192, 25, 700),
    ]


def test_a_capture_time_in_the_future_counts_as_now() -> None:
    capture = Capture()
    capture.sink.describe(RAW)
    capture.sink.push_picture(99.0)
    capture.sink.describe(H264)
    capture.sink.push_h264(b"x", 99.0, is_idr=True)
    assert [frame.captured_s for frame in capture.frames()] == [10.0, 10.0]


def test_while_the_event_loop_is_behind_no_picture_is_taken_and_the_source_counts_as_alive() -> None:
    capture = Capture()
    capture.sink.describe(RAW)
    for _ in range(BACKLOG_FRAMES - 1):
        assert capture.sink.lend() is not None
        capture.sink.push_picture(10.0)
    capture.now_s = 20.0
    assert capture.sink.lend() is None
    assert capture.sink.alive_s == 20.0
    capture.frames()
    assert capture.sink.lend() is not None


def test_an_encoder_without_output_delivers_nothing() -> None:
    capture = Capture()
    capture.sink.describe(RAW)
    capture.encoders[0].is_silent = True
    capture.sink.push_picture(10.0)
    assert capture.frames() == []


def test_encoded_pictures_pass_from_their_first_idr_on_with_rising_times() -> None:
    capture = Capture()
    capture.sink.describe(H264)
    for data, is_idr in ((b"lost", False), (b"idr", True), (b"delta", False)):
        capture.sink.push_h264(data, 9.0, is_idr=is_idr)
    frames = capture.frames()
    assert [(frame.data, frame.ticks, frame.is_idr) for frame in frames] == [
        (b"idr", 810_000, True),
        (b"delta", 810_001, False),
    ]
    assert not capture.encoders


def test_encoded_pictures_that_nobody_can_take_are_dropped_up_to_the_next_idr() -> None:
    capture = Capture()
    capture.sink.describe(H264)
    for number in range(20):
        capture.sink.push_h264(b"%d" % number, 9.0, is_idr=number % 5 == 0)
    assert [frame.data for frame in capture.frames()] == [b"0", b"1", b"2"]
    for number in range(20, 25):
        capture.sink.push_h264(b"%d" % number, 9.0, is_idr=number == 23)
    assert [frame.data for frame in capture.frames()] == [b"23", b"24"]


def test_a_still_of_raw_pictures_is_a_copy_and_made_only_on_request() -> None:
    capture = Capture()
    capture.sink.describe(RAW)
    capture.sink.push_picture(9.0)
    capture.sink.wants_still.set()
    picture = capture.sink.lend()
    assert picture is not None
    picture.y[0], picture.u[0], picture.v[0] = 50, 60, 70
    capture.sink.push_picture(9.5)
    picture.y[0] = 51
    (delivery,) = (each for each in capture.sink.outbox if isinstance(each, StillDelivery))
    assert isinstance(delivery.still, RawStill)
    assert (delivery.still.y[0], delivery.still.u[0], delivery.still.v[0]) == (50, 60, 70)
    assert (delivery.still.width, delivery.still.height, delivery.still.captured_s) == (160, 96, 9.5)


def test_a_still_of_encoded_pictures_is_the_next_idr() -> None:
    capture = Capture()
    capture.sink.describe(H264)
    capture.sink.push_h264(b"0", 9.0, is_idr=True)
    capture.sink.wants_still.set()
    capture.sink.outbox.clear()
    capture.sink.push_h264(b"1", 9.0, is_idr=False)
    capture.sink.push_h264(b"2", 9.0, is_idr=True)
    (delivery,) = (each for each in capture.sink.outbox if isinstance(each, StillDelivery))
    assert isinstance(delivery.still, EncodedFrame)
    assert delivery.still.data == b"2"


def test_a_source_that_delivers_something_else_than_it_said_fails() -> None:
    sink = Capture().sink
    with pytest.raises(InternalError):
        sink.push_picture(9.0)
    with pytest.raises(InternalError):
        sink.push_h264(b"", 9.0, is_idr=True)
    sink.describe(H264)
    with pytest.raises(InternalError):
        sink.lend()
