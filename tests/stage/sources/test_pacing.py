from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from tests.support.pictures import blank_picture

from belvedere.stage.sources.pacing import PacedSource, paced
from belvedere.stage.sources.source import VideoDescription, VideoFormat
from belvedere.testing.clock import FakeClock

if TYPE_CHECKING:
    from belvedere.stage.sources.source import Picture

WANTED = VideoDescription(VideoFormat.RAW, 160, 96, 10)


class Stopping(threading.Event):
    """An event whose waits pass on a simulated clock, and which is set after some of them."""

    def __init__(self, clock: FakeClock, waits: int) -> None:
        super().__init__()
        self._clock = clock
        self._waits = waits

    def wait(self, timeout: float | None = None) -> bool:
        self._waits -= 1
        if self._waits < 0:
            self.set()
        self._clock.advance(timeout or 0.0)
        return self.is_set()


def test_pictures_come_at_a_steady_rate_whatever_drawing_takes() -> None:
    clock = FakeClock()
    times = []
    for at_s in paced(10, clock, Stopping(clock, 5)):
        times.append(at_s)
        clock.advance(0.03)
    assert [after - times[0] for after in times] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


def test_after_a_delay_there_is_no_burst() -> None:
    clock = FakeClock()
    times = []
    for at_s in paced(10, clock, Stopping(clock, 5)):
        times.append(at_s)
        if len(times) == 2:
            clock.advance(5.0)
    assert [after - times[0] for after in times] == pytest.approx([0, 0.1, 5.1, 5.1, 5.2])


class Drawing(PacedSource):
    """A source that records its calls, and fails on request."""

    def __init__(self, log: list[str], *, is_failing: bool = False) -> None:
        self._log = log
        self._is_failing = is_failing

    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do nothing."""

    def open(self, width: int, height: int, fps: int) -> None:
        self._log.append(f"open {width}x{height}@{fps}")

    def read(self, at_s: float, picture: Picture) -> None:
        assert at_s > 0
        self._log.append(f"read {len(picture.y)}")
        if self._is_failing:
            raise OSError("unplugged")

    def close(self) -> None:
        self._log.append("close")


class LendingSink:
    """A sink that lends a buffer every other time."""

    def __init__(self, clock: FakeClock, log: list[str]) -> None:
        self._clock = clock
        self._log = log
        self._lends = 0

    def now(self) -> float:
        return self._clock()

    def describe(self, description: VideoDescription) -> None:
        assert description == WANTED
        self._log.append("describe")

    def lend(self) -> Picture | None:
        self._lends += 1
        return blank_picture(160, 96) if self._lends % 2 else None

    def push_picture(self, captured_s: float) -> None:
        assert captured_s == self._clock()
        self._log.append("push")

    def push_h264(self, data: bytes, captured_s: float) -> None:
        raise NotImplementedError


def test_only_pictures_that_somebody_takes_are_drawn() -> None:
    clock, log = FakeClock(), list[str]()
    Drawing(log).run(WANTED, LendingSink(clock, log), Stopping(clock, 3))
    assert log == ["open 160x96@10", "describe", "read 15360", "push", "read 15360", "push", "close"]


def test_a_source_that_fails_is_closed() -> None:
    clock, log = FakeClock(), list[str]()
    with pytest.raises(OSError, match="unplugged"):
        Drawing(log, is_failing=True).run(WANTED, LendingSink(clock, log), Stopping(clock, 3))
    assert log[-1] == "close"
