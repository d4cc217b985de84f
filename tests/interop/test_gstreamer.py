"""GStreamer's webrtcbin watches by WHEP and publishes by WHIP, with the offers that it makes by itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.serving import serving

pytestmark = [pytest.mark.realtime, pytest.mark.interop]

HERE = Path(__file__).parent
PYTHON = "/usr/bin/python3"  # Debian's, which has GStreamer's modules
PLAYER_TOKEN, PUBLISHER_TOKEN = "a-token-of-the-player", "a-token-of-the-publisher"
PLAYER = '[[access.players]]\nname = "gstreamer"\ntoken_file = "player"\n'
FILES = {"player": PLAYER_TOKEN, "publisher": PUBLISHER_TOKEN}
TIMEOUT_S = 40.0
AUD, SPS, PPS, IDR, SLICE = 9, 7, 8, 5, 1


def play(address: str, frames: int) -> Any:  # noqa: ANN401 (JSON)
    """What GStreamer saw; it must have seen so many pictures."""
    command = [PYTHON, str(HERE / "gstreamer_player.py"), f"{address}/api/v1/stage/whep", PLAYER_TOKEN, str(frames)]
    played = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    assert played.returncode == 0, played.stderr.decode()
    return json.loads(played.stdout)


def test_it_watches_with_a_token(tmp_path: Path) -> None:
    settings = f'{PLAYER}[camera]\nkind = "pattern"\n[stage]\nwidth = 640\nheight = 352\n'
    with serving(tmp_path, settings, FILES) as address:
        played = play(address, 15)
    first, *others = ([kind for kind in frame if kind != AUD] for frame in played["frames"])
    assert first == [SPS, PPS, IDR]
    assert [SLICE] in others
    assert "a=sendonly\r\n" in played["answer"]
    assert "a=rtcp-mux-only\r\n" in played["answer"]
    assert played["headers"]["content-type"] == "application/sdp"
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "watches by WebRTC (session player-gstreamer)" in log
    assert PLAYER_TOKEN not in log


def test_it_publishes_and_its_picture_is_passed_on(tmp_path: Path) -> None:
    settings = f'{PLAYER}[camera]\nkind = "whip"\ntoken_file = "publisher"\n'
    with serving(tmp_path, settings, FILES) as address:
        command = [PYTHON, str(HERE / "gstreamer_publisher.py"), f"{address}/api/v1/stage/whip", PUBLISHER_TOKEN]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as publisher:
            try:
                assert publisher.stdin is not None
                assert publisher.stdout is not None
                assert publisher.stdout.readline() == b"publishing\n"
                for _ in range(2):  # the second viewer comes between two IDRs, which are far apart
                    frames = [[kind for kind in frame if kind != AUD] for frame in play(address, 15)["frames"]]
                    assert {SPS, PPS, IDR} <= set(frames[0])
                publisher.stdin.close()
                assert publisher.wait(TIMEOUT_S) == 0
            finally:
                publisher.kill()
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "a program publishes the picture (publisher" in log
    assert "a program stopped publishing the picture: it ended" in log
    assert PUBLISHER_TOKEN not in log
