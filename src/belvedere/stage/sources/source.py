"""The interface between video sources (cameras, real or simulated) and the encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Picture:
    """A buffer for one picture: three writable planes of bytes, whose rows follow each other without padding.

    The colours are 8-bit YUV 4:2:0 in video range (black is 16, white 235) with the matrix of BT.709.

    Attributes:
        width, height: in pixels, both even.
        y: luma, width x height bytes.
        u, v: chroma, (width / 2) x (height / 2) bytes each.
    """

    width: int
    height: int
    y: memoryview
    u: memoryview
    v: memoryview


class VideoSource(Protocol):
    """A camera. It is used by one thread at a time, never on the event loop, and may be opened again once closed.

    An exception ends the picture for the current viewers; the next viewer gets a new source.
    """

    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do slow preparations in advance, without turning the camera on. May be called often, or not at all."""
        ...

    def open(self, width: int, height: int, fps: int) -> None:
        """Turn on. `read` will be called about `fps` times a second with pictures of this size."""
        ...

    def read(self, at_s: float, picture: Picture) -> None:
        """Fill `picture` with the view at `at_s`, which is now, in seconds of the server's monotonic clock."""
        ...

    def close(self) -> None:
        """Turn off. Called once for every `open`, also after an error."""
        ...
