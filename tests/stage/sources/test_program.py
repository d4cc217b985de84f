from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.support.recording_sink import WANTED, RecordingSink
from tests.support.videos import annex_b, jpeg

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.sources.program import ProgramSource, split_command
from belvedere.stage.sources.source import VideoFormat

if TYPE_CHECKING:
    from pathlib import Path

LEVELS = [60, 120, 180, 220]


def shell(script: str, silence_timeout_s: float = 10.0) -> ProgramSource:
    return ProgramSource(("sh", "-c", script), silence_timeout_s=silence_timeout_s)


def error(source: ProgramSource) -> CameraError:
    with pytest.raises(CameraError) as caught:
        RecordingSink(100).record(source)
    return caught.value


def video_range(level: int) -> int:
    return round(16 + level * 219 / 255)


def test_a_command_is_split_as_a_shell_would_without_being_one() -> None:
    assert split_command("gphoto2 --stdout '--set x=1 2' $HOME;ls") == (
        "gphoto2",
        "--stdout",
        "--set x=1 2",
        "$HOME;ls",
    )
    assert split_command(("a b", "c")) == ("a b", "c")
    for bad in ("", "  ", "'open", ()):
        with pytest.raises(ValueError, match=r"program|quotation"):
            split_command(bad)


@pytest.mark.realtime
def test_each_picture_of_an_mjpeg_stream_is_shown_as_it_comes(tmp_path: Path) -> None:
    sink = RecordingSink(len(LEVELS))
    for number, level in enumerate(LEVELS):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(level))
    (tmp_path / "go").touch()
    turns = iter(range(1, len(LEVELS)))

    def let_go() -> None:
        if (turn := next(turns, None)) is not None:
            (tmp_path / f"go{turn}").touch()

    sink.on_picture = let_go
    wait = f"while [ ! -e {tmp_path}/go$n ]; do sleep 0.01; done"
    sink.record(
        shell(f"(cat {tmp_path}/0.jpg; for n in 1 2 3; do {wait}; sleep 0.05; cat {tmp_path}/$n.jpg; done; sleep 60)")
    )
    assert all(abs(level - video_range(want)) <= 3 for level, want in zip(sink.levels, LEVELS, strict=True))


@pytest.mark.realtime
def test_of_pictures_that_came_at_once_only_the_newest_is_shown(tmp_path: Path) -> None:
    (tmp_path / "many.mjpeg").write_bytes(b"".join(map(jpeg, [*range(20, 120), 200])))
    sink = RecordingSink(1)
    sink.record(shell(f"cat {tmp_path}/many.mjpeg; sleep 60"))
    assert abs(sink.levels[0] - video_range(200)) <= 3


@pytest.mark.realtime
def test_a_program_that_writes_faster_than_we_show_does_not_make_the_picture_late(tmp_path: Path) -> None:
    """The pictures count up; what is shown after a second of looking away is what was written last, not then."""
    (tmp_path / "many.mjpeg").write_bytes(b"".join(map(jpeg, range(20, 220))))
    sink = RecordingSink(2)
    sink.on_picture = lambda: time.sleep(0.3) if len(sink.levels) == 1 else None
    sink.record(shell(f"head -c 2000 {tmp_path}/many.mjpeg; sleep 0.1; cat {tmp_path}/many.mjpeg; sleep 60"))
    assert abs(sink.levels[1] - video_range(219)) <= 3


@pytest.mark.realtime
def test_h264_is_passed_on_in_access_units(tmp_path: Path) -> None:
    (tmp_path / "video.h264").write_bytes(annex_b([*LEVELS, 0]))
    sink = RecordingSink(len(LEVELS))
    sink.record(shell(f"cat {tmp_path}/video.h264; sleep 60"))
    assert sink.descriptions[0].format is VideoFormat.H264
    assert len(sink.units) == len(LEVELS)  # nothing tells that the last one is whole
    assert all(abs(level - want) <= 3 for level, want in zip(sink.levels, LEVELS, strict=True))


@pytest.mark.realtime
def test_h264_is_decoded_where_it_is_to_be_encoded_anew(tmp_path: Path) -> None:
    (tmp_path / "video.h264").write_bytes(annex_b([*LEVELS, 100, 0]))
    sink = RecordingSink(1)
    sink.record(ProgramSource(("sh", "-c", f"cat {tmp_path}/video.h264; sleep 60"), encodes_anew=True))
    assert sink.descriptions == [WANTED]
    assert sink.units == []
    assert abs(sink.levels[0] - 100) <= 3


@pytest.mark.realtime
def test_a_unit_has_the_time_at_which_its_first_bytes_arrived(tmp_path: Path) -> None:
    (tmp_path / "video.h264").write_bytes(annex_b([60, 120]))
    sink = RecordingSink(1)
    began_s = sink.now()
    sink.record(shell(f"head -c 600 {tmp_path}/video.h264; sleep 0.4; tail -c +601 {tmp_path}/video.h264; sleep 60"))
    assert sink.captured[0] - began_s < 0.35 < sink.now() - began_s


@pytest.mark.realtime
def test_each_way_to_fail_has_its_reason() -> None:
    assert error(shell("exit 0")).camera_reason is CameraReason.ENDED
    failed = error(shell("echo 'no camera found' >&2; exit 1"))
    assert failed.camera_reason is CameraReason.PROGRAM_FAILED
    assert str(failed) == "sh: failed with status 1: no camera found"
    silent = error(shell("echo 'waiting for it' >&2; sleep 60", 0.3))
    assert silent.camera_reason is CameraReason.NO_SIGNAL
    assert "waiting for it" in str(silent)
    assert error(ProgramSource(("no-such-program",))).camera_reason is CameraReason.NOT_FOUND
    assert error(shell("cat /dev/zero")).camera_reason is CameraReason.WRONG_FORMAT
    assert error(shell("printf '\\377\\330'; cat /dev/zero")).camera_reason is CameraReason.WRONG_FORMAT
    assert error(shell("printf '\\000\\000\\001'; cat /dev/zero")).camera_reason is CameraReason.WRONG_FORMAT


@pytest.mark.realtime
def test_a_stop_ends_the_program_while_it_is_silent() -> None:
    sink = RecordingSink(100)
    threading.Timer(0.1, sink.stopping.set).start()
    began_s = time.monotonic()
    sink.record(ProgramSource(("sleep", "60")))
    assert time.monotonic() - began_s < 1.0
