"""Takes stills for those who watch: who may, how often, and at what cost. What a still looks like is in `encoding`."""

from __future__ import annotations

import asyncio
import enum
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from belvedere.errors import Refusal, StageError, StageReason, VisitorError
from belvedere.token_bucket import TokenBucket, TokenBuckets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from belvedere.stage.tap import Still

    Encode = Callable[[Still, "ImageFormat", datetime], Awaitable[bytes]]

STILLS_PER_S, STILLS_BURST = 0.5, 3.0  # of one session: people press again when they miss the moment
ALL_STILLS_PER_S, ALL_STILLS_BURST = 1.0, 6.0  # of all: encoding takes a core for some 20 ms, on a small board 100
MAX_PENDING = 4  # each holds a whole picture in memory
TOO_FAST = "too many pictures at once: please wait a moment"
NOT_WATCHING = "a picture can be kept only while you are watching"


class ImageFormat(enum.StrEnum):
    """How a still is encoded; the values are media types."""

    JPEG = "image/jpeg"
    PNG = "image/png"


SUFFIXES = {ImageFormat.JPEG: "jpg", ImageFormat.PNG: "png"}


@dataclass(frozen=True, slots=True)
class StillImage:
    """One still, encoded. `captured_at` is in the server's time zone."""

    data: bytes
    format: ImageFormat
    captured_at: datetime

    @property
    def file_name(self) -> str:
        """A name that says when it was captured, sorts by that, and is allowed on every system."""
        moment = self.captured_at
        stamp = moment.strftime("%Y-%m-%dT%H-%M-%S")
        return f"belvedere-{stamp}.{moment.microsecond // 1000:03}{moment:%z}.{SUFFIXES[self.format]}"


class StillSource(Protocol):
    """What stills need of the stage."""

    def is_watching(self, owner: str) -> bool:
        """Whether one of the owner's connections shows the picture now."""
        ...

    async def take_still(self) -> Still:
        """One picture that is captured from now on. Raises StageError (NO_PICTURE)."""
        ...

    def is_cut(self, captured_s: float) -> bool:
        """Whether all that was captured until this time is to be forgotten."""
        ...


class StillTaker:
    """Takes stills, within bounds. All methods belong to the event loop.

    Args:
        source: the stage.
        clock: the server's monotonic clock in seconds.
        wall_clock: seconds since 1970.
        encode: makes an image of a still, away from the event loop.
    """

    def __init__(
        self,
        source: StillSource,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float] = time.time,
        encode: Encode | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._wall_clock = wall_clock
        self._encode_image = encode or encode_in_thread
        self._of_each = TokenBuckets(STILLS_PER_S, STILLS_BURST)
        self._of_all = TokenBucket(ALL_STILLS_PER_S, ALL_STILLS_BURST)
        self._pending = 0
        self._encoding = asyncio.Lock()

    async def take(self, owner: str, image_format: ImageFormat) -> StillImage:
        """Take one still for a session that is watching.

        Whoever watches is seen to do so; nobody takes a picture unseen. So the session must be watching when it asks,
        and still be when the image is there, and what was cut meanwhile is not handed out.

        Raises StageError (NOT_WATCHING, NO_PICTURE) and VisitorError (TOO_FAST).
        """
        self._require_watching(owner)
        now_s = self._clock()
        if self._pending >= MAX_PENDING or not (self._of_each.take(now_s, owner) and self._of_all.take(now_s)):
            raise VisitorError(Refusal.TOO_FAST, TOO_FAST)
        self._pending += 1
        try:
            still = await self._source.take_still()
            image = await self._encode(still, image_format)
        finally:
            self._pending -= 1
        self._require_watching(owner)
        if self._source.is_cut(still.captured_s):
            raise StageError(StageReason.NO_PICTURE, "the picture was turned off")
        return image

    def _require_watching(self, owner: str) -> None:
        if not self._source.is_watching(owner):
            raise StageError(StageReason.NOT_WATCHING, NOT_WATCHING)

    async def _encode(self, still: Still, image_format: ImageFormat) -> StillImage:
        captured_s = self._wall_clock() - (self._clock() - still.captured_s)
        captured_at = datetime.fromtimestamp(captured_s, UTC).astimezone()
        async with self._encoding:  # one at a time: it takes a core
            data = await self._encode_image(still, image_format, captured_at)
        return StillImage(data, image_format, captured_at)


async def encode_in_thread(still: Still, image_format: ImageFormat, captured_at: datetime) -> bytes:
    """Encode a still in a thread."""
    return await asyncio.to_thread(encode_image, still, image_format, captured_at)


def encode_image(still: Still, image_format: ImageFormat, captured_at: datetime) -> bytes:
    """Encode a still; for a thread. Raises StageError (NO_PICTURE) where the camera's own picture cannot be decoded."""
    from belvedere.stage.encoding import image  # noqa: PLC0415 (FFmpeg is heavy)

    return image.encode_jpeg(still, captured_at) if image_format is ImageFormat.JPEG else image.encode_png(still)
