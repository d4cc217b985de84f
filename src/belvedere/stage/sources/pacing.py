"""Sources that have no clock of their own: they draw a picture whenever it is time for one."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from belvedere.stage.sources.source import VideoDescription, VideoFormat

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from belvedere.stage.sources.source import Picture, Sink


def paced(fps: int, clock: Callable[[], float], stopping: threading.Event) -> Iterator[float]:
    """Yield the time `fps` times a second until `stopping` is set.

    After a delay the rhythm starts again from now: catching up would encode a burst of pictures.
    """
    interval_s = 1 / fps
    due_s = clock()
    while not stopping.wait(max(0.0, due_s - clock())):
        now_s = clock()
        due_s = max(due_s + interval_s, now_s)
        yield now_s


class PacedSource(abc.ABC):
    """A video source whose pictures are drawn: implements `run` of `VideoSource` by `open`, `read` and `close`."""

    @abc.abstractmethod
    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do slow preparations in advance, as `VideoSource` has it."""

    @abc.abstractmethod
    def open(self, width: int, height: int, fps: int) -> None:
        """Turn on. `read` will be called about `fps` times a second with pictures of this size."""

    @abc.abstractmethod
    def read(self, at_s: float, picture: Picture) -> None:
        """Fill `picture` with the view at `at_s`, which is now."""

    @abc.abstractmethod
    def close(self) -> None:
        """Turn off. Called once for every `open`, also after an error."""

    def run(self, wanted: VideoDescription, sink: Sink, stopping: threading.Event) -> None:
        """Draw raw pictures of the wanted size and rate until `stopping` is set."""
        self.open(wanted.width, wanted.height, wanted.fps)
        try:
            sink.describe(VideoDescription(VideoFormat.RAW, wanted.width, wanted.height, wanted.fps))
            for at_s in paced(wanted.fps, sink.now, stopping):
                picture = sink.lend()
                if picture is not None:
                    self.read(at_s, picture)
                    sink.push_picture(at_s)
        finally:
            self.close()
