"""Single pictures of the running camera, for stills and for programs that look at the room."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from belvedere.errors import InternalError, StageError, StageReason
from belvedere.stage.frames import EncodedFrame

if TYPE_CHECKING:
    from collections.abc import Callable

OFF = "the picture was turned off"


@dataclass(frozen=True, slots=True)
class RawStill:
    """A copy of one raw picture; `sources.source.Picture` describes the planes."""

    width: int
    height: int
    y: bytes
    u: bytes
    v: bytes
    captured_s: float


Still = RawStill | EncodedFrame  # an IDR, where the camera delivers encoded pictures


class Tap:
    """Takes pictures one at a time, and keeps the camera on until it is closed. It belongs to the event loop.

    Nothing is copied while nobody waits, so a slow user of a tap delays nobody.
    """

    def __init__(self, request: Callable[[], None], remove: Callable[[Tap], None]) -> None:
        self._request = request
        self._remove = remove
        self._waiting: asyncio.Future[Still] | None = None
        self._cut_s = -math.inf
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def next_picture(self) -> Still:
        """Wait for a picture that is captured about now; for one caller at a time.

        It waits for as long as the camera takes: bound the wait. Raises StageError (NO_PICTURE) once the source has
        failed or the stage is closed; the tap is closed then.
        """
        if self._waiting is not None:
            raise InternalError("two tasks wait for one tap")
        if self._is_closed:
            raise StageError(StageReason.NO_PICTURE, OFF)
        try:
            while True:
                self._waiting = asyncio.get_running_loop().create_future()
                self._request()
                still = await self._waiting
                if still.captured_s > self._cut_s:
                    return still
        finally:
            self._waiting = None

    def close(self) -> None:
        """Let the camera go off if nobody else needs it; may be called more than once."""
        self._is_closed = True
        self._remove(self)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(StageError(StageReason.NO_PICTURE, OFF))

    # Calls from the stage.

    def receive_picture(self, still: Still) -> None:
        """A picture for whoever waits."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(still)

    def cut(self, at_s: float) -> None:
        """Hand out nothing that was captured up to `at_s`."""
        self._cut_s = max(self._cut_s, at_s)
