"""A simulated camera in the demo's room, turned by the virtual head."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from belvedere.errors import OwnerError
from belvedere.sim.plan import PANORAMA_HEIGHT, PANORAMA_WIDTH
from belvedere.sim.time_bar import draw_time_bar
from belvedere.stage.sources.pacing import PacedSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.sim.room import DecodedRoom, Room
    from belvedere.stage.sources.source import Picture


class RoomSource(PacedSource):
    """A video source that shows the room in the direction of the head.

    Args:
        room: the room to show.
        angles: returns pan and tilt in degrees at a time (now, seconds of the monotonic clock); called from any thread.
        is_measuring: whether to draw the time bar at the top of the picture.
        time_of_day: the time for the clock on the wall.
    """

    def __init__(
        self,
        room: Room,
        angles: Callable[[float], tuple[float, float]],
        *,
        is_measuring: bool = False,
        time_of_day: Callable[[], time.struct_time] = time.localtime,
    ) -> None:
        self._room = room
        self._angles = angles
        self._is_measuring = is_measuring
        self._time_of_day = time_of_day
        self._decoded: DecodedRoom | None = None

    def prepare(self, width: int, height: int, fps: int) -> None:  # noqa: ARG002 (the room has one size)
        """Decode the room's picture. Raises OwnerError."""
        self._room.decoded()

    def open(self, width: int, height: int, fps: int) -> None:  # noqa: ARG002 (the room does not move)
        """Decode the room. Raises OwnerError if the requested picture is larger than the room's."""
        if width > PANORAMA_WIDTH or height > PANORAMA_HEIGHT:
            size = f"{PANORAMA_WIDTH}x{PANORAMA_HEIGHT}"
            raise OwnerError(f"the demo's room has only {size} pixels: set a smaller width or height in [stage]")
        self._decoded = self._room.decoded()

    def read(self, at_s: float, picture: Picture) -> None:
        """Fill the picture with the view in the direction of the head."""
        if self._decoded is None:
            raise OwnerError("the camera is off")
        now = self._time_of_day()
        self._decoded.clock.show(now.tm_hour, now.tm_min, now.tm_sec)
        self._decoded.panorama.show(*self._angles(at_s), picture)
        if self._is_measuring:
            draw_time_bar(at_s, picture)

    def close(self) -> None:
        """Free the room's memory."""
        self._decoded = None
        self._room.forget()
