"""Runs the product's source as the stage does, and keeps what comes of it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tests.support.pictures import blank_picture
from tests.vm.cameras import WAIT_S, WANTED

from belvedere.errors import CameraError
from belvedere.stage.sources.v4l2.source import V4l2Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.sources.source import Picture, VideoDescription
    from belvedere.stage.sources.v4l2.setup import V4l2Camera


class RecordingSink:
    """Keeps capture times, times of arrival, and the newest picture; stops the source when it has enough."""

    def __init__(self, is_enough: Callable[[RecordingSink], bool]) -> None:
        self.stopping = threading.Event()
        self.description: VideoDescription | None = None
        self.captured_s: list[float] = []
        self.arrived_s: list[float] = []
        self.picture: Picture | None = None
        self._is_enough = is_enough
        self._give_up_s = time.monotonic() + WAIT_S

    def now(self) -> float:
        return time.monotonic()

    def describe(self, description: VideoDescription) -> None:
        self.description = description
        self.picture = blank_picture(description.width, description.height)

    def lend(self) -> Picture | None:
        return self.picture

    def push_picture(self, captured_s: float) -> None:
        self.captured_s.append(captured_s)
        self.arrived_s.append(time.monotonic())
        if self._is_enough(self) or self.arrived_s[-1] > self._give_up_s:
            self.stopping.set()

    def push_h264(self, data: bytes, captured_s: float) -> None:
        raise AssertionError((len(data), captured_s))


def pictures(
    camera: V4l2Camera, is_enough: Callable[[RecordingSink], bool], wanted: VideoDescription = WANTED
) -> RecordingSink:
    """Run the source until there is enough."""
    sink = RecordingSink(is_enough)
    V4l2Source(camera).run(wanted, sink, sink.stopping)
    assert is_enough(sink), f"only {len(sink.captured_s)} pictures in {WAIT_S} s"
    return sink


def failure_of(camera: V4l2Camera, is_enough: Callable[[RecordingSink], bool] = lambda _sink: False) -> CameraError:
    """Run the source until it fails."""
    sink = RecordingSink(is_enough)
    try:
        V4l2Source(camera).run(WANTED, sink, sink.stopping)
    except CameraError as error:
        return error
    raise AssertionError(f"it did not fail within {len(sink.captured_s)} pictures")
