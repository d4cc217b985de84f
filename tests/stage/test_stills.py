from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from belvedere.errors import Refusal, StageError, StageReason, VisitorError
from belvedere.stage.stills import (
    ALL_STILLS_BURST,
    MAX_PENDING,
    STILLS_BURST,
    ImageFormat,
    StillImage,
    StillTaker,
    encode_image,
    encode_in_thread,
)
from belvedere.stage.tap import RawStill

if TYPE_CHECKING:
    from belvedere.stage.tap import Still

STILL = RawStill(32, 32, bytes([235]) * 1024, bytes([128]) * 256, bytes([128]) * 256, 100.0)
NOW_S, WALL_S = 100.5, 1_795_858_205.75  # half a second after the capture, which was at 09:30:05.250 UTC


class FakeSource:
    """A stage that everybody watches, with a still at once, unless the test says otherwise."""

    def __init__(self) -> None:
        self.watching = {"ann", "bob", "cem", "dan", "eve", "flo", "gil"}
        self.cut_s = 0.0
        self.is_ready = asyncio.Event()
        self.is_ready.set()
        self.error: Exception | None = None
        self.asked = 0

    def is_watching(self, owner: str) -> bool:
        return owner in self.watching

    def is_cut(self, captured_s: float) -> bool:
        return captured_s <= self.cut_s

    async def take_still(self) -> Still:
        self.asked += 1
        await self.is_ready.wait()
        if self.error is not None:
            raise self.error
        return STILL


class Rig:
    """A taker over a fake stage and a fake encoder."""

    def __init__(self) -> None:
        self.source = FakeSource()
        self.now_s = NOW_S
        self.most_at_once = 0
        self._encoding = 0
        self.taker = StillTaker(self.source, clock=lambda: self.now_s, wall_clock=lambda: WALL_S, encode=self._encode)

    async def refusal(self, owner: str = "ann") -> StageReason | Refusal:
        with pytest.raises((StageError, VisitorError)) as caught:
            await self.taker.take(owner, ImageFormat.JPEG)
        assert isinstance(caught.value, StageError | VisitorError)
        return caught.value.reason if isinstance(caught.value, StageError) else caught.value.refusal

    async def asking(self, owner: str) -> asyncio.Task[StillImage]:
        """A task that waits for a still."""
        task = asyncio.create_task(self.taker.take(owner, ImageFormat.JPEG))
        await asyncio.sleep(0)
        return task

    async def _encode(self, still: Still, image_format: ImageFormat, captured_at: datetime) -> bytes:
        self._encoding += 1
        self.most_at_once = max(self.most_at_once, self._encoding)
        assert still is STILL
        await asyncio.sleep(0.02)
        self._encoding -= 1
        return f"{image_format} {captured_at.astimezone(UTC).isoformat()}".encode()


async def test_a_still_is_named_by_its_capture_on_the_wall_clock() -> None:
    image = await Rig().taker.take("ann", ImageFormat.PNG)
    assert image.data == b"image/png 2026-11-28T09:30:05.250000+00:00"
    utc = StillImage(b"", ImageFormat.PNG, image.captured_at.astimezone(UTC))
    assert utc.file_name == "belvedere-2026-11-28T09-30-05.250+0000.png"
    assert StillImage(b"", ImageFormat.JPEG, utc.captured_at).file_name.endswith(".jpg")
    assert image.captured_at.utcoffset() is not None


async def test_who_does_not_watch_takes_none_and_the_camera_is_not_asked() -> None:
    rig = Rig()
    assert await rig.refusal("someone") is StageReason.NOT_WATCHING
    assert rig.source.asked == 0


async def test_who_stops_watching_while_it_is_taken_does_not_get_it() -> None:
    rig = Rig()
    rig.source.is_ready.clear()
    asking = await rig.asking("ann")
    rig.source.watching.clear()
    rig.source.is_ready.set()
    with pytest.raises(StageError, match="only while you are watching"):
        await asking


async def test_what_is_cut_while_it_is_taken_is_not_handed_out() -> None:
    rig = Rig()
    rig.source.is_ready.clear()
    asking = await rig.asking("ann")
    rig.source.cut_s = STILL.captured_s
    rig.source.is_ready.set()
    with pytest.raises(StageError, match="turned off"):
        await asking


async def test_a_session_takes_a_few_at_once_and_then_one_in_two_seconds() -> None:
    rig = Rig()
    for _ in range(int(STILLS_BURST)):
        await rig.taker.take("ann", ImageFormat.JPEG)
    assert await rig.refusal() is Refusal.TOO_FAST
    rig.now_s += 1.9
    assert await rig.refusal() is Refusal.TOO_FAST
    rig.now_s += 0.1
    await rig.taker.take("ann", ImageFormat.JPEG)
    await rig.taker.take("bob", ImageFormat.JPEG)


async def test_all_sessions_together_are_limited_too() -> None:
    rig = Rig()
    for owner in ("ann", "bob", "cem", "dan", "eve", "flo")[: int(ALL_STILLS_BURST)]:
        await rig.taker.take(owner, ImageFormat.JPEG)
    assert await rig.refusal("gil") is Refusal.TOO_FAST
    rig.now_s += 1
    await rig.taker.take("gil", ImageFormat.JPEG)


async def test_only_a_few_wait_at_a_time_and_one_that_is_cancelled_or_fails_makes_room() -> None:
    rig = Rig()
    rig.source.is_ready.clear()
    tasks = [await rig.asking(owner) for owner in ("ann", "bob", "cem", "dan")]
    assert len(tasks) == MAX_PENDING
    assert await rig.refusal("eve") is Refusal.TOO_FAST
    assert rig.source.asked == MAX_PENDING
    tasks[0].cancel()
    await asyncio.wait({tasks[0]})
    tasks[0] = await rig.asking("eve")
    rig.source.error = StageError(StageReason.NO_PICTURE, "unplugged")
    rig.source.is_ready.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [getattr(result, "reason", None) for result in results] == [StageReason.NO_PICTURE] * MAX_PENDING
    rig.source.error = None
    rig.now_s += 1
    await rig.taker.take("flo", ImageFormat.JPEG)


async def test_one_is_encoded_at_a_time() -> None:
    rig = Rig()
    await asyncio.gather(*(rig.taker.take(owner, ImageFormat.JPEG) for owner in ("ann", "bob", "cem", "dan")))
    assert rig.most_at_once == 1


@pytest.mark.realtime
async def test_encoding_leaves_the_event_loop_free() -> None:
    picture = RawStill(1280, 704, bytes(1280 * 704), bytes(640 * 352), bytes(640 * 352), 100.0)
    encoding = asyncio.create_task(encode_in_thread(picture, ImageFormat.PNG, datetime(2026, 11, 28, tzinfo=UTC)))
    turns = 0
    while not encoding.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await encoding).startswith(b"\x89PNG")
    assert turns > 10


@pytest.mark.parametrize(
    ("image_format", "begins"), [(ImageFormat.JPEG, b"\xff\xd8\xff\xe1"), (ImageFormat.PNG, b"\x89PNG")]
)
def test_the_image_has_the_format_that_was_asked_for(image_format: ImageFormat, begins: bytes) -> None:
    assert encode_image(STILL, image_format, datetime(2026, 11, 28, tzinfo=UTC)).startswith(begins)
