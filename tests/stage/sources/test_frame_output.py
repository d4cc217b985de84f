from __future__ import annotations

from tests.support.recording_sink import WANTED, RecordingSink
from tests.support.videos import grey_frame

from belvedere.stage.sources.frame_output import BURST, FrameOutput
from belvedere.stage.sources.source import Picture, VideoDescription, VideoFormat


def pushed(rate: int, seconds: int) -> int:
    output = FrameOutput(WANTED, RecordingSink(10_000))
    return sum(output.push(grey_frame(100), 1000 + number / rate) for number in range(rate * seconds))


def test_frames_come_in_the_wanted_size_with_their_capture_time() -> None:
    sink = RecordingSink()
    assert FrameOutput(WANTED, sink).push(grey_frame(100), 12.5)
    assert (sink.descriptions, sink.captured) == ([WANTED], [12.5])
    assert abs(sink.levels[0] - 100) <= 1


def test_the_rate_is_the_cameras_up_to_the_wanted_one() -> None:
    for fps, described in ((25.0, 25), (29.97, 30), (60.0, 30), (0.2, 1), (None, 30)):
        sink = RecordingSink()
        FrameOutput(WANTED, sink, fps)
        assert sink.descriptions == [VideoDescription(VideoFormat.RAW, WANTED.width, WANTED.height, described)]


def test_a_camera_that_is_faster_than_wanted_is_thinned_and_a_slower_one_is_not() -> None:
    assert abs(pushed(60, 10) - 300) <= 0.05 * 300 + BURST
    assert pushed(30, 10) == 300
    assert pushed(25, 10) == 250


def test_frames_that_follow_each_other_quickly_after_a_stall_are_all_taken() -> None:
    output = FrameOutput(WANTED, RecordingSink(100))
    assert all(output.push(grey_frame(100), 1000 + number / 30) for number in range(10))
    assert all(output.push(grey_frame(100), 1000.5 + number / 1000) for number in range(BURST))


class FullSink(RecordingSink):
    def lend(self) -> Picture | None:
        return None


def test_a_frame_that_nobody_can_take_is_skipped() -> None:
    sink = FullSink()
    assert not FrameOutput(WANTED, sink).push(grey_frame(100), 0.0)
    assert sink.captured == []
