"""The video source `test`: colour bars that move to the left, for trying everything but the camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.stage.sources.pacing import PacedSource

if TYPE_CHECKING:
    from belvedere.stage.sources.source import Picture

# white, yellow, cyan, green, magenta, red, blue at 75 %, as YUV in video range (BT.709)
BARS = (
    (180, 128, 128),
    (168, 44, 136),
    (145, 147, 44),
    (133, 63, 52),
    (63, 193, 204),
    (51, 109, 212),
    (28, 212, 120),
)
SCROLL_PX_PER_S = 120  # fast enough to notice a frozen picture, slow enough to look at


class PatternSource(PacedSource):
    """Seven bars, which return after a little more than ten seconds at a width of 1280 pixels."""

    def __init__(self) -> None:
        self._rows: tuple[bytes, bytes, bytes] = (b"", b"", b"")

    def prepare(self, width: int, height: int, fps: int) -> None:
        """Do nothing: no preparation is needed."""

    def open(self, width: int, height: int, fps: int) -> None:  # noqa: ARG002 (the interface has more arguments than bars need)
        """Draw one row of each plane, of twice the width, so that every position is a slice of it."""
        luma = [BARS[x * len(BARS) // width] for x in range(width)] * 2
        self._rows = (
            bytes(bar[0] for bar in luma),
            bytes(bar[1] for bar in luma[::2]),
            bytes(bar[2] for bar in luma[::2]),
        )

    def read(self, at_s: float, picture: Picture) -> None:
        """Draw the bars at their position at `at_s`."""
        shift = int(at_s * SCROLL_PX_PER_S) % picture.width
        y, u, v = self._rows
        half = picture.width // 2
        picture.y[:] = y[shift : shift + picture.width] * picture.height
        picture.u[:] = u[shift // 2 : shift // 2 + half] * (picture.height // 2)
        picture.v[:] = v[shift // 2 : shift // 2 + half] * (picture.height // 2)

    def close(self) -> None:
        """Do nothing: there are no resources."""
