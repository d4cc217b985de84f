from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.support.recording_sink import RecordingSink
from tests.support.videos import write_video

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.sources.file import FileSource

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime
LEVELS = [40, 100, 160, 220]


def reason(path: Path) -> CameraReason:
    with pytest.raises(CameraError) as caught:
        RecordingSink().record(FileSource(path))
    assert str(path) in str(caught.value)
    return caught.value.camera_reason


def test_a_file_is_shown_again_and_again(tmp_path: Path) -> None:
    sink = RecordingSink(10)
    sink.record(FileSource(write_video(tmp_path / "a.mp4", LEVELS, 25)))
    wanted = (LEVELS * 3)[:10]
    assert all(abs(level - want) <= 3 for level, want in zip(sink.levels, wanted, strict=True)), sink.levels
    assert sink.descriptions[0].fps == 25


def test_a_file_is_shown_no_faster_than_its_time_stamps_say(tmp_path: Path) -> None:
    sink, path = RecordingSink(8), write_video(tmp_path / "a.mp4", LEVELS, 20)
    began_s = time.monotonic()  # the first frame may be late
    sink.record(FileSource(path))
    assert sink.captured[-1] - began_s >= 7 / 20


def test_a_stop_is_obeyed_between_two_frames_that_are_far_apart(tmp_path: Path) -> None:
    sink = RecordingSink(100)
    threading.Timer(0.2, sink.stopping.set).start()
    began_s = time.monotonic()
    sink.record(FileSource(write_video(tmp_path / "a.mp4", [40, 200], 1)))
    assert time.monotonic() - began_s < 0.9


def test_what_is_no_video_is_said_to_be_none(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", LEVELS * 20, 25).read_bytes()
    (tmp_path / "text.mp4").write_text("not a video\n" * 100)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "cut.mp4").write_bytes(video[: len(video) // 2])
    for name in ("text.mp4", "empty.mp4", "cut.mp4"):
        assert reason(tmp_path / name) is CameraReason.WRONG_FORMAT, name
    assert reason(tmp_path) is CameraReason.WRONG_FORMAT
    assert reason(tmp_path / "missing.mp4") is CameraReason.NOT_FOUND
    assert reason(tmp_path / "text.mp4" / "below") is CameraReason.NOT_FOUND


def test_a_playlist_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n")
    assert reason(tmp_path / "list.m3u8") in {CameraReason.WRONG_FORMAT, CameraReason.FAILED}


def test_a_file_whose_end_is_damaged_is_shown_as_far_as_it_can_be(tmp_path: Path) -> None:
    video = bytearray(write_video(tmp_path / "a.ts", LEVELS * 5, 25).read_bytes())
    video[len(video) // 2 :] = b"\x47" * (len(video) - len(video) // 2)
    (tmp_path / "damaged.ts").write_bytes(video)
    sink = RecordingSink(5)
    sink.record(FileSource(tmp_path / "damaged.ts"))
    assert len(sink.levels) == 5
