"""The hands of the clock on the wall, drawn into the panorama once a second."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from belvedere.sim.plan import CLOCK_RADIUS_M, CLOCK_X_M, CLOCK_Y_M, FRONT

if TYPE_CHECKING:
    from belvedere.sim.panorama import Panorama, Plane


class Hand(NamedTuple):
    """A hand: the positions of its ends and its width, in shares of the dial's radius, and its colour as Y, U, V."""

    tail: float
    tip: float
    width: float
    colour: tuple[int, int, int]


INK = (56, 126, 132)
RED = (90, 106, 190)
HOUR_HAND = Hand(-0.10, 0.45, 0.085, INK)
MINUTE_HAND = Hand(-0.12, 0.68, 0.060, INK)
SECOND_HAND = Hand(-0.20, 0.74, 0.030, RED)


class _Dial:
    """The part of one plane that shows the clock, with a copy of it without hands."""

    def __init__(self, plane: Plane, scale: float) -> None:
        self.plane = plane
        self.scale = scale
        corners = [
            FRONT.pixel(CLOCK_X_M + dx * CLOCK_RADIUS_M, CLOCK_Y_M + dy * CLOCK_RADIUS_M)
            for dx in (-1, 1)
            for dy in (-1, 1)
        ]
        columns, rows = zip(*corners, strict=True)
        self._left, self._width = int(min(columns) * scale), int((max(columns) - min(columns)) * scale) + 2
        self._rows = range(int(min(rows) * scale), int(max(rows) * scale) + 2)
        self._bare = [bytes(plane.data[self._span(row)]) for row in self._rows]

    def wipe(self) -> None:
        """Restore the dial without hands."""
        for row, bare in zip(self._rows, self._bare, strict=True):
            self.plane.data[self._span(row)] = bare

    def stroke(self, start: tuple[float, float], end: tuple[float, float], width: float, value: int) -> None:
        """Draw a smooth line between two points of the panorama, `width` pixels wide; all in pixels of the panorama."""
        (x0, y0), (x1, y1) = ((x * self.scale, y * self.scale) for x, y in (start, end))
        length = math.hypot(x1 - x0, y1 - y0)
        along_x, along_y = (x1 - x0) / length, (y1 - y0) / length
        reach = width * self.scale / 2
        for row in range(int(min(y0, y1) - reach), int(max(y0, y1) + reach) + 2):
            for column in range(int(min(x0, x1) - reach), int(max(x0, x1) + reach) + 2):
                dx, dy = column + 0.5 - x0, row + 0.5 - y0
                beside = abs(dx * along_y - dy * along_x) - reach
                if beside >= 0.5:  # noqa: PLR2004 (half a pixel)
                    continue
                along = dx * along_x + dy * along_y
                cover = min(1.0, 0.5 - beside, along + 0.5, length - along + 0.5)
                if cover > 0:
                    index = row * self.plane.stride + column
                    self.plane.data[index] += round((value - self.plane.data[index]) * cover)

    def _span(self, row: int) -> slice:
        start = row * self.plane.stride + self._left
        return slice(start, start + self._width)


class WallClock:
    """Shows a time of day on the wall."""

    def __init__(self, panorama: Panorama) -> None:
        self._dials = [_Dial(panorama.y, 1.0), _Dial(panorama.u, 0.5), _Dial(panorama.v, 0.5)]
        self._shown: tuple[int, int, int] | None = None

    def show(self, hour: int, minute: int, second: int) -> None:
        """Draw the hands; takes about a millisecond if the time has changed, and nothing otherwise."""
        if self._shown == (hour, minute, second):
            return
        self._shown = (hour, minute, second)
        for dial in self._dials:
            dial.wipe()
        self._set(HOUR_HAND, (hour % 12 + minute / 60) / 12)
        self._set(MINUTE_HAND, (minute + second / 60) / 60)
        self._set(SECOND_HAND, second / 60)

    def _set(self, hand: Hand, turn: float) -> None:
        east, north = math.sin(math.tau * turn) * CLOCK_RADIUS_M, math.cos(math.tau * turn) * CLOCK_RADIUS_M
        tail, tip = (FRONT.pixel(CLOCK_X_M + east * end, CLOCK_Y_M + north * end) for end in (hand.tail, hand.tip))
        centre, edge = (FRONT.pixel(CLOCK_X_M, CLOCK_Y_M + y) for y in (0, CLOCK_RADIUS_M))
        width = hand.width * (centre[1] - edge[1])
        for dial, value in zip(self._dials, hand.colour, strict=True):
            dial.stroke(tail, tip, width, value)
