"""The demo's room: a picture in the package, decoded only while there are viewers."""

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
"""The panorama that `make room` painted. Its planes are in video range with the matrix of BT.709, like those of the
stage, so nothing is converted. Programs that show WebP assume BT.601, so they show saturated colours slightly wrong."""

logger = logging.getLogger(__name__)


class DecodedRoom(NamedTuple):
    """The panorama, and the clock in it, which is redrawn."""

    panorama: Panorama
    clock: WallClock


class Room:
    """A room whose picture takes 0.1 s to decode, and 17 MB of memory while it is decoded.

    Args:
        picture: the file of its panorama.
    """

    def __init__(self, picture: Path = PICTURE) -> None:
        self._picture = picture
        self._lock = threading.Lock()
        self._decoded: DecodedRoom | None = None

    def decoded(self) -> DecodedRoom:
        """The decoded room. Call it from any thread but the event loop's; concurrent calls wait for the first one.

        Raises OwnerError.
        """
        with self._lock:
            if self._decoded is None:
                panorama = _decode(self._picture)
                self._decoded = DecodedRoom(panorama, WallClock(panorama))
            return self._decoded

    def forget(self) -> None:
        """Free the memory, once no source uses it any more; the next call of `decoded` decodes again."""
        with self._lock:
            self._decoded = None


def _decode(picture: Path) -> Panorama:
    from belvedere.stage.image_decoder import decode_webp  # noqa: PLC0415 - FFmpeg is heavy, and not needed without viewers

    started_s = time.monotonic()
    try:
        planes = decode_webp(picture.read_bytes(), PANORAMA_WIDTH, PANORAMA_HEIGHT)
    except (OSError, ValueError) as error:
        raise OwnerError(f"the picture of the demo's room cannot be read; install Belvedere again: {error}") from error
    logger.debug("decoded the picture of the demo's room in %.0f ms", (time.monotonic() - started_s) * 1000)
    return Panorama(*(Plane(*plane) for plane in planes))
