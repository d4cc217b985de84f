"""The demo's room: a picture that is part of the package, in memory only while somebody looks."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import NamedTuple

from belvedere.errors import OwnerError
from belvedere.sim.panorama import Panorama, Plane
from belvedere.sim.plan import PANORAMA_HEIGHT, PANORAMA_WIDTH
from belvedere.sim.wall_clock import WallClock

PICTURE = Path(__file__).with_name("room.webp")
"""The panorama, as `make room` painted it. Its planes are in video range by the matrix of BT.709, like those of the
stage, so that nothing is converted; a program that shows WebP takes them for BT.601, and shows saturated colours a
little off."""

logger = logging.getLogger(__name__)


class DecodedRoom(NamedTuple):
    """What there is to see, and the one thing in it that moves by itself."""

    panorama: Panorama
    clock: WallClock


class Room:
    """A room whose picture takes 17 MB while it is decoded, and a tenth of a second to be.

    Args:
        picture: the file of its panorama.
    """

    def __init__(self, picture: Path = PICTURE) -> None:
        self._picture = picture
        self._lock = threading.Lock()
        self._decoded: DecodedRoom | None = None

    def decoded(self) -> DecodedRoom:
        """The room; any thread but the event loop's may ask, and all but the first wait for the first.

        Raises OwnerError.
        """
        with self._lock:
            if self._decoded is None:
                panorama = _decode(self._picture)
                self._decoded = DecodedRoom(panorama, WallClock(panorama))
            return self._decoded

    def forget(self) -> None:
        """Let go of the memory, once whoever looks has let go too; the next who asks has the picture decoded anew."""
        with self._lock:
            self._decoded = None


def _decode(picture: Path) -> Panorama:
    from belvedere.stage.still import decode_webp  # noqa: PLC0415 - FFmpeg is heavy, and not needed until somebody looks

    started_s = time.monotonic()
    try:
        planes = decode_webp(picture.read_bytes(), PANORAMA_WIDTH, PANORAMA_HEIGHT)
    except (OSError, ValueError) as error:
        raise OwnerError(f"the picture of the demo's room cannot be read, install belvedere again: {error}") from error
    logger.debug("decoded the picture of the demo's room in %.0f ms", (time.monotonic() - started_s) * 1000)
    return Panorama(*(Plane(*plane) for plane in planes))
