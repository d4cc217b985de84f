from __future__ import annotations

import pytest
from tests.support.h264_streams import h264_stream
from tests.support.pictures import blank_picture

from belvedere.errors import BitstreamError, CameraError, CameraReason, InternalError
from belvedere.stage.encoding.pass_through import MAX_DAMAGED
from belvedere.stage.encoding.rate_control import SIZES, EncodingTarget
from belvedere.stage.frames import EncodedFrame
from belvedere.stage.options import StageOptions
from belvedere.stage.sink import BACKLOG_FRAMES, MAX_FPS, STREAMS_BURST, SourceSink, StillDelivery
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.stage.tap import RawStill

RAW = VideoDescription(VideoFormat.RAW, 160, 96, 30)
H264 = VideoDescription(VideoFormat.H264, 160, 96, 30)


STREAM = h264_stream(160, 96, count=4)


class Encoder:
    """An encoder whose frames are the first byte of the picture."""

    def __init__(self, options: StageOptions) -> None:
        self.options = options
        self.picture = blank_picture(options.width, options.height)
        self.is_silent = False
        self.targets: list[EncodingTarget] = []

    def retarget(self, target: EncodingTarget) -> None:
        self.targets.append(target)

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
    assert description == RAW
    assert isinstance(description, VideoDescription)
    assert description.profile_level_id == "42c00d"
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
    capture.sink.push_h264(STREAM[0], 99.0)
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
    for data in (STREAM[1], STREAM[0], STREAM[1]):
        capture.sink.push_h264(data, 9.0)
    frames = capture.frames()
    assert [(frame.data, frame.ticks, frame.is_idr) for frame in frames] == [
        (STREAM[0], 810_000, True),
        (STREAM[1], 810_001, False),
    ]
    assert not capture.encoders


def test_encoded_pictures_are_described_by_their_first_idr_and_by_one_that_differs() -> None:
    capture = Capture()
    capture.sink.describe(H264)
    assert not capture.sink.outbox
    for data in (*STREAM[:4], *h264_stream(320, 192, "High"), STREAM[0]):
        capture.sink.outbox = type(capture.sink.outbox)(
            each for each in capture.sink.outbox if isinstance(each, VideoDescription)
        )
        capture.sink.push_h264(data, 9.0)
    found = [each for each in capture.sink.outbox if isinstance(each, VideoDescription)]
    assert [(each.format, each.width, each.profile_level_id[:4]) for each in found] == [
        (VideoFormat.H264, 160, "42c0"),
        (VideoFormat.H264, 320, "6400"),
        (VideoFormat.H264, 160, "42c0"),
    ]
    assert not any(each.can_request_idr for each in found)


def test_encoded_pictures_that_nobody_can_take_are_dropped_up_to_the_next_idr() -> None:
    capture = Capture()
    capture.sink.describe(H264)
    stream = h264_stream(160, 96, count=20, idr_every=5)
    for data in stream:
        capture.sink.push_h264(data, 9.0)
    assert [frame.data for frame in capture.frames()] == stream[:3]  # the description takes a place
    for number in (1, 2, 5, 6):
        capture.sink.push_h264(stream[number], 9.0)
    assert [frame.data for frame in capture.frames()] == [stream[5], stream[6]]


def test_a_camera_that_can_is_asked_for_an_idr_within_the_budget_of_all_viewers() -> None:
    capture = Capture()
    asked: list[float] = []
    capture.sink.describe(
        VideoDescription(VideoFormat.H264, 160, 96, 25, request_idr=lambda: asked.append(capture.now_s))
    )
    for number in range(250):
        capture.now_s = 10 + number / 25
        capture.sink.wants_idr.set()
        capture.sink.push_h264(STREAM[0] if number == 0 else STREAM[1], capture.now_s)
        capture.sink.outbox.clear()
    assert 5 <= len(asked) <= 14


def test_h264_that_browsers_do_not_show_is_decoded_and_encoded_anew_in_a_size_of_its_shape() -> None:
    capture = Capture()
    capture.sink.describe(VideoDescription(VideoFormat.H264, 0, 0, 25))
    capture.sink.wants_still.set()
    for data in h264_stream(640, 480, "High 4:4:4 Predictive", count=2, pix_fmt="yuv444p"):
        capture.sink.push_h264(data, 9.0)
    description, still, *frames = capture.sink.outbox
    assert description == VideoDescription(VideoFormat.RAW, 640, 480, 25)
    assert isinstance(still, StillDelivery)
    assert [frame.data for frame in frames if isinstance(frame, EncodedFrame)] == [bytes([40]), bytes([50])]
    assert (capture.encoders[0].picture.width, capture.encoders[0].picture.height) == (640, 480)


def test_a_camera_whose_stream_changes_all_the_time_has_few_encoders_opened_and_is_shown_later() -> None:
    capture = Capture()
    capture.sink.describe(H264)
    streams = [h264_stream(width, 96, "High 4:4:4 Predictive", pix_fmt="yuv444p")[0] for width in (160, 320)]
    for number in range(100):
        capture.sink.push_h264(streams[number % 2], 9.0)
        capture.sink.outbox.clear()
    assert len(capture.encoders) == STREAMS_BURST
    capture.now_s += 60
    capture.sink.push_h264(streams[1], 9.0)
    assert len(capture.encoders) == STREAMS_BURST + 1
    assert capture.frames()


def test_pictures_that_would_fill_the_memory_are_refused_before_they_are_decoded() -> None:
    capture = Capture()
    capture.sink.describe(H264)
    (largest,) = h264_stream(6400, 4096)
    with pytest.raises(CameraError) as refused:
        capture.sink.push_h264(largest, 9.0)
    assert refused.value.camera_reason is CameraReason.WRONG_FORMAT
    assert not capture.sink.outbox


@pytest.mark.parametrize(("said", "used"), [(2**31, MAX_FPS), (-5, 1), (0, 25)])
def test_a_rate_that_no_camera_has_is_not_given_to_an_encoder(said: int, used: int) -> None:
    capture = Capture()
    capture.sink.describe(VideoDescription(VideoFormat.H264, 160, 96, said))
    capture.sink.push_h264(h264_stream(160, 96, "High 4:4:4 Predictive", pix_fmt="yuv444p")[0], 9.0)
    assert capture.encoders[0].options.fps == used


def test_a_stream_is_encoded_anew_from_the_next_idr_on_when_b_frames_turn_up() -> None:
    capture = Capture()
    capture.sink.describe(H264)
    stream = h264_stream(160, 96, "Main", count=10, idr_every=5, bf="2", x264_params="b-adapt=0")
    capture.sink.push_h264(STREAM[0], 9.0)
    passing = capture.sink._passing
    assert passing is not None
    for data in stream:
        capture.sink.push_h264(data, 9.0)
        if passing.sps is not None and not capture.encoders:
            passing.obstacle = ""  # as if the SPS did not tell
        capture.frames()
    assert capture.encoders


def test_a_larger_stream_is_made_as_small_as_is_wanted_without_changing_its_shape() -> None:
    capture = Capture()
    capture.sink.describe(VideoDescription(VideoFormat.H264, 0, 0, 0))
    capture.sink.push_h264(h264_stream(1920, 1080, "Main", x264_params="interlaced=1")[0], 9.0)
    assert capture.sink.outbox[0] == VideoDescription(VideoFormat.RAW, 1280, 720, 25)


def test_a_source_that_sends_anything_but_h264_fails() -> None:
    sink = Capture().sink
    sink.describe(H264)
    for _ in range(MAX_DAMAGED - 1):
        sink.push_h264(b"junk", 9.0)
    with pytest.raises(BitstreamError):
        sink.push_h264(b"junk", 9.0)


def test_a_target_reaches_the_encoder_once_and_the_next_encoder_too() -> None:
    capture = Capture()
    capture.sink.describe(RAW)
    capture.sink.target = EncodingTarget(300_000)
    for _ in range(2):
        capture.sink.push_picture(9.0)
    capture.sink.describe(RAW)
    capture.sink.push_picture(9.0)
    assert [encoder.targets for encoder in capture.encoders] == [[EncodingTarget(300_000)]] * 2


def test_every_second_picture_is_left_out_if_the_target_says_so_but_not_one_for_a_still() -> None:
    capture = Capture()
    capture.sink.describe(RAW)
    capture.sink.outbox.clear()
    capture.sink.target = EncodingTarget(300_000, SIZES[-1], 2)
    assert [capture.sink.lend() is not None for _ in range(6)] == [False, True] * 3
    capture.sink.wants_still.set()
    assert capture.sink.lend() is not None


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
    capture.sink.push_h264(STREAM[0], 9.0)
    capture.sink.wants_still.set()
    capture.sink.outbox.clear()
    capture.sink.push_h264(STREAM[1], 9.0)
    capture.sink.push_h264(STREAM[0], 9.0)
    (delivery,) = (each for each in capture.sink.outbox if isinstance(each, StillDelivery))
    assert isinstance(delivery.still, EncodedFrame)
    assert delivery.still.data == STREAM[0]


def test_a_source_that_delivers_something_else_than_it_said_fails() -> None:
    sink = Capture().sink
    with pytest.raises(InternalError):
        sink.push_picture(9.0)
    with pytest.raises(InternalError):
        sink.push_h264(b"", 9.0)
    sink.describe(H264)
    with pytest.raises(InternalError):
        sink.lend()
