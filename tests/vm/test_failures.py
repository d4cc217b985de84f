from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.vm import cameras
from tests.vm.recording import RecordingSink, failure_of, pictures

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.options import StageOptions
from belvedere.stage.producer import create_producer
from belvedere.stage.sources.v4l2.discovery import video_nodes
from belvedere.stage.sources.v4l2.setup import V4l2Camera
from belvedere.stage.sources.v4l2.source import V4l2Source
from belvedere.stage.supervisor import SourceSupervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.sources.source import VideoDescription
    from belvedere.stage.tap import Still

pytestmark = pytest.mark.realtime

ANOTHER_PROGRAM = """
import sys
from pathlib import Path
from tests.vm import cameras
with cameras.capturing(Path(sys.argv[1])):
    print("on", flush=True)
    sys.stdin.read()
"""
WITHOUT_RIGHTS = """
import sys
from belvedere.errors import CameraError
from belvedere.stage.sources.v4l2.discovery import find
try:
    find(sys.argv[1])
except CameraError as error:
    print(error.camera_reason, error)
"""
NOBODY = 65534


class Listener:
    """What the stage hears of its camera."""

    def __init__(self) -> None:
        self.frames = 0
        self.failures: list[CameraReason] = []
        self._changed = asyncio.Event()

    def receive_description(self, description: VideoDescription) -> None:
        pass

    def receive_still(self, still: Still) -> None:
        raise AssertionError(still)

    def receive_frame(self, frame: EncodedFrame) -> None:
        assert frame.data
        self.frames += 1
        self._changed.set()

    def receive_failure(self, error: Exception) -> None:
        assert isinstance(error, CameraError), error
        self.failures.append(error.camera_reason)
        self._changed.set()

    async def frames_after(self, count: int) -> None:
        """Wait for more frames than `count`."""
        async with asyncio.timeout(cameras.WAIT_S):
            while self.frames <= count:
                self._changed.clear()
                await self._changed.wait()

    async def failure(self, reason: CameraReason) -> None:
        """Wait for a failure of this reason."""
        async with asyncio.timeout(cameras.WAIT_S):
            while reason not in self.failures:
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
def plugged_in() -> Iterator[None]:
    """Plug the cameras in again, whatever happened."""
    yield
    if not video_nodes():
        cameras.plug_in()


@pytest.mark.usefixtures("plugged_in")
async def test_a_camera_that_is_unplugged_is_told_and_found_again_once_it_is_back() -> None:
    options = StageOptions(width=320, height=180, fps=15)
    listener = Listener()
    camera = V4l2Camera("viv*")
    supervisor = SourceSupervisor(
        lambda own: create_producer(lambda: V4l2Source(camera), options, time.monotonic, own), listener
    )
    supervisor.start()
    await listener.frames_after(5)
    assert listener.failures == []
    await asyncio.to_thread(cameras.unplug)
    await listener.failure(CameraReason.NOT_FOUND)
    assert listener.failures[0] is CameraReason.UNPLUGGED
    count = listener.frames
    await asyncio.to_thread(cameras.plug_in)
    await listener.frames_after(count + 5)
    supervisor.stop()
    assert await supervisor.wait_off()
    assert not cameras.is_streaming()


def test_a_camera_that_another_program_uses_is_busy_until_that_ends() -> None:
    path = cameras.webcam()
    command = [sys.executable, "-c", ANOTHER_PROGRAM, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "on\n"
        error = failure_of(V4l2Camera(str(path)))
        assert error.camera_reason is CameraReason.BUSY
        assert f"{path}: another program uses the camera" in str(error)
        other.stdin.close()
        other.wait(cameras.WAIT_S)
    pictures(V4l2Camera(str(path)), lambda sink: len(sink.captured_s) >= 3)


@pytest.mark.parametrize("mode", ["No Signal", "No Lock"])
def test_a_signal_that_is_lost_is_told_and_its_absence_at_the_start_too(mode: str) -> None:
    path = cameras.hdmi()
    camera = V4l2Camera(str(path))

    def lose_signal(count: int) -> bool:
        if count == 2:
            cameras.set_control(path, "dv_timings_signal_mode", mode)
        return False

    try:
        error = failure_of(camera, lambda sink: lose_signal(len(sink.captured_s)))
        assert error.camera_reason is CameraReason.NO_SIGNAL
        assert f"{path} (HDMI" in str(error)
        assert failure_of(camera).camera_reason is CameraReason.NO_SIGNAL
    finally:
        cameras.set_control(path, "dv_timings_signal_mode", "Current DV Timings")
    pictures(camera, lambda sink: bool(sink.captured_s))


def test_without_the_right_to_use_cameras_the_group_is_named() -> None:
    path = cameras.webcam()
    path.chmod(0o660)
    subprocess.run(["chgrp", "44", str(path)], check=True)  # Debian's number of the group `video`
    command = [sys.executable, "-c", WITHOUT_RIGHTS, str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, user=NOBODY, group=NOBODY).stdout
    assert told.startswith("no_permission ")
    assert "usermod -aG video" in told


def test_damaged_buffers_are_passed_over() -> None:
    path = cameras.webcam()
    cameras.set_control(path, "percentage_of_dropped_buffers", 50)
    try:
        sink = pictures(V4l2Camera(str(path)), lambda sink: len(sink.captured_s) >= 10)
    finally:
        cameras.set_control(path, "percentage_of_dropped_buffers", 0)
    assert len(sink.captured_s) >= 10


def test_a_stop_ends_the_run_while_no_picture_comes() -> None:
    path = cameras.webcam()
    sink = RecordingSink(lambda _sink: False)
    source = V4l2Source(V4l2Camera(str(path)))
    cameras.set_control(path, "percentage_of_dropped_buffers", 100)
    try:
        thread = threading.Thread(target=source.run, args=(cameras.WANTED, sink, sink.stopping))
        thread.start()
        cameras.wait_until(cameras.is_streaming, "the camera is on")
        sink.stopping.set()
        thread.join(cameras.WAIT_S)
    finally:
        cameras.set_control(path, "percentage_of_dropped_buffers", 0)
    assert not thread.is_alive()  # how soon it ends is tested where time is virtual
    assert not cameras.is_streaming()
