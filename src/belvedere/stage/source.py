"""What a picture source is: the seam between cameras, real or drawn, and the encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture waiting to be filled: three writable planes of bytes, each row right after the one before.

    The colours are 8 bit YUV 4:2:0 in video range (black is 16, white 235) by the matrix of BT.709.

    Attributes:
        width, height: in pixels, both even.
        y: brightness, width x height bytes.
        u, v: colour, half the width x half the height bytes each.
    """

    width: int
    height: int
    y: memoryview
    u: memoryview
    v: memoryview


class VideoSource(Protocol):
    """A camera. It is used by one thread at a time, never by the event loop, and may be opened again once closed.

    Whatever it raises ends the picture for today's viewers; the next viewer gets a new source.
    """

    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do ahead what takes long and shows nothing: a camera stays off. May be called often, or not at all."""
        ...

    def open(self, width: int, height: int, fps: int) -> None:
        """Turn on; `read` will be called about `fps` times a second with pictures of this size."""
        ...

    def read(self, at_s: float, picture: Picture) -> None:
        """Fill `picture` with what is seen at `at_s` (seconds, the server's monotonic clock: now)."""
        ...

    def close(self) -> None:
        """Turn off; called once for every `open`, also after an error."""
        ...
