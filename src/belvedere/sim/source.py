"""A camera in the demo's room, on a head that turns it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from belvedere.errors import OwnerError
from belvedere.sim.plan import PANORAMA_HEIGHT, PANORAMA_WIDTH
from belvedere.sim.time_bar import draw_time_bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.sim.room import DecodedRoom, Room
    from belvedere.stage.source import Picture


class RoomSource:
    """Shows the room from where the head stands.

    Args:
        room: the room to look at.
        angles: pan and tilt in degrees at an instant (seconds of the monotonic clock, now); called from any thread.
        is_measuring: whether the time bar is drawn across the top of the picture.
        time_of_day: what the clock on the wall shows.
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
        self._seen: DecodedRoom | None = None

    def prepare(self, width: int, height: int, fps: int) -> None:  # noqa: ARG002 (the room has one size)
        """Decode the room's picture. Raises OwnerError."""
        self._room.decoded()

    def open(self, width: int, height: int, fps: int) -> None:  # noqa: ARG002 (the room stands still)
        """Look at the room. Raises OwnerError where the picture would be larger than the room's."""
        if width > PANORAMA_WIDTH or height > PANORAMA_HEIGHT:
            raise OwnerError(f"the demo's room fills at most {PANORAMA_WIDTH}x{PANORAMA_HEIGHT} pixels")
        self._seen = self._room.decoded()

    def read(self, at_s: float, picture: Picture) -> None:
        """Show what the head looks at."""
        if self._seen is None:
            raise OwnerError("the camera is off")
        now = self._time_of_day()
        self._seen.clock.show(now.tm_hour, now.tm_min, now.tm_sec)
        self._seen.panorama.show(*self._angles(at_s), picture)
        if self._is_measuring:
            draw_time_bar(at_s, picture)

    def close(self) -> None:
        """Look away; the room's memory is given back."""
        self._seen = None
        self._room.forget()
