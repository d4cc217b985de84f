from __future__ import annotations

import json
from typing import TYPE_CHECKING

import av
import pytest
from tests.support.videos import write_video

from belvedere.cli import main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime


def status_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["camera", "test", *arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_a_camera_that_works_is_described_and_its_picture_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = write_video(tmp_path / "a.mp4", range(40, 65), 25)
    still = tmp_path / "still.png"
    assert status_of(str(video), "--json", "--still", str(still)) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["width"], report["height"], report["described_fps"]) == (1280, 720, 25)
    assert report["frames"] > 10
    with av.open(still) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height) == (1280, 720)


def test_a_wrong_camera_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.mp4").write_text("no video\n" * 100)
    cut = write_video(tmp_path / "a.mp4", range(40, 65), 25).read_bytes()[:-2000]
    (tmp_path / "cut.mp4").write_bytes(cut)
    names = ["/dev/no-such-video", str(tmp_path), "rtsp://127.0.0.1:1/", "http://x/", "missing.mp4"]
    for name in [*names, str(tmp_path / "text.mp4"), str(tmp_path / "cut.mp4"), "rtsp://ann:tulip@127.0.0.1/"]:
        assert status_of(name) == 2, name
        said = capsys.readouterr()
        assert said.err.startswith("belvedere: ")
        assert (said.err.count("\n"), said.out) == (1, ""), name
        assert "tulip" not in said.err


def test_without_an_argument_it_is_the_configured_camera(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "belvedere.toml"
    config.write_text('[camera]\nkind = "process"\ncommand = "no-such-program --capture"\n', encoding="utf-8")
    assert status_of("--config", str(config)) == 2
    assert "no-such-program" in capsys.readouterr().err


def test_a_still_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = write_video(tmp_path / "a.mp4", range(40, 65), 25)
    assert status_of(str(video), "--still", str(tmp_path / "no" / "still.png")) == 2
    assert "still.png" in capsys.readouterr().err
