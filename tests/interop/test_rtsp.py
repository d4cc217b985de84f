"""An IP camera made of GStreamer's RTSP server."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.stage.direct.watching import until
from tests.support.recording_sink import RecordingSink

from belvedere.errors import CameraError, CameraReason
from belvedere.secret import Secret
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.rtsp import RtspSource, Transport
from belvedere.stage.sources.source import VideoFormat
from belvedere.stage.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.interop, pytest.mark.realtime]

SERVER = Path(__file__).with_name("rtsp_server.py")
USER, TULIP = "ann", "tu:l/i@p"
ENOUGH = 20  # pictures
RECOVERY_S = 15.0  # the supervisor's longest delay, opening, and a key frame, on a busy machine


class Camera:
    """The server, in a process that can be killed."""

    def __init__(self, port: int, *login: str) -> None:
        command = ["/usr/bin/python3", str(SERVER), str(port), *login]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.url = f"rtsp://127.0.0.1:{self.port}/camera"

    def kill(self) -> None:
        """End it without a word to anyone."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Camera]]:
    cameras: list[Camera] = []

    def start(*login: str, port: int = 0) -> Camera:
        cameras.append(Camera(port, *login))
        return cameras[-1]

    yield start
    for camera in cameras:
        camera.kill()


def seen(source: RtspSource) -> RecordingSink:
    sink = RecordingSink(ENOUGH)
    sink.record(source)
    assert len(sink.levels) == ENOUGH
    return sink


def error(source: RtspSource) -> CameraError:
    with pytest.raises(CameraError) as caught:
        RecordingSink(ENOUGH).record(source)
    assert "tu" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("transport", Transport)
@pytest.mark.parametrize("login", [(), (USER, TULIP)], ids=["open", "login"])
def test_the_picture_comes_over_tcp_and_udp_with_and_without_a_login(
    transport: Transport, login: tuple[str, ...], serve: Callable[..., Camera]
) -> None:
    username, password = (login[0], Secret(login[1])) if login else (None, None)
    sink = seen(RtspSource(serve(*login).url, username=username, password=password, transport=transport))
    assert sink.descriptions[0].format is VideoFormat.H264
    assert min(sink.levels) < 30  # it blinks: black
    assert max(sink.levels) > 220  # and white
    assert sink.captured == sorted(sink.captured)


def test_h264_is_decoded_where_it_is_to_be_encoded_anew(serve: Callable[..., Camera]) -> None:
    sink = seen(RtspSource(serve().url, encodes_anew=True))
    assert sink.descriptions[0].format is VideoFormat.RAW
    assert sink.units == []
    assert max(sink.levels) > 220


def test_with_a_clock_that_is_right_a_picture_is_as_old_as_the_camera_says(serve: Callable[..., Camera]) -> None:
    sink = RecordingSink(4 * ENOUGH)  # the camera's clock is told after some seconds
    ages: list[float] = []
    sink.on_picture = lambda: ages.append(sink.now() - sink.captured[-1])
    sink.record(RtspSource(serve().url, trusts_clock=True))
    assert all(0 <= age < 5 for age in ages)


def test_a_wrong_login_is_refused_and_a_wrong_path_is_not_found(serve: Callable[..., Camera]) -> None:
    camera = serve(USER, TULIP)
    assert error(RtspSource(camera.url)).camera_reason is CameraReason.REFUSED
    wrong = RtspSource(camera.url, username=USER, password=Secret("tulips"))
    assert error(wrong).camera_reason is CameraReason.REFUSED
    elsewhere = RtspSource(serve().url + "s/none")
    assert error(elsewhere).camera_reason is CameraReason.NOT_FOUND


async def test_a_camera_that_was_killed_and_started_again_is_seen_again(serve: Callable[..., Camera]) -> None:
    camera = serve()
    stage = Stage(
        lambda: RtspSource(camera.url),
        StageOptions(width=320, height=192),
        on_viewers=lambda _viewers: told.append(stage.camera_reason),
    )
    told: list[CameraReason | None] = []
    viewer = stage.admit("ann", Nothing())
    viewer.receive_connected()
    assert await asyncio.wait_for(viewer.subscriber.next_frame(), RECOVERY_S) is not None
    camera.kill()
    await until(lambda: not stage.is_available, RECOVERY_S)
    serve(port=camera.port)
    await until(lambda: stage.is_available, RECOVERY_S)
    assert told[0] is None
    assert told[-1] is None
    assert set(told[1:-1]) <= {CameraReason.ENDED, CameraReason.UNREACHABLE}
    await stage.close()


class Nothing:
    """A way to watch that sends nothing to anybody."""

    name = "nothing"

    def load(self) -> None:
        """Import nothing."""
