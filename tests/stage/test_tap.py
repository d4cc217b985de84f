from __future__ import annotations

import asyncio

import pytest
from tests.stage.fakes import StageRig

from belvedere.errors import InternalError, StageError
from belvedere.stage.tap import OFF, RawStill, Tap


def still(captured_s: float) -> RawStill:
    return RawStill(2, 2, bytes(4), bytes(1), bytes(1), captured_s)


class Tapped:
    """A tap, and what it asked for."""

    def __init__(self) -> None:
        self.requests = 0
        self.removed: list[Tap] = []
        self.tap = Tap(self._request, self.removed.append)

    async def asking(self) -> asyncio.Task[object]:
        """A task that waits for a picture."""
        task = asyncio.create_task(self.tap.next_picture())
        await asyncio.sleep(0)
        return task

    def _request(self) -> None:
        self.requests += 1


async def test_a_picture_is_requested_only_while_somebody_waits() -> None:
    tapped = Tapped()
    tapped.tap.receive_picture(still(1.0))
    assert tapped.requests == 0
    asking = await tapped.asking()
    assert tapped.requests == 1
    tapped.tap.receive_picture(first := still(2.0))
    tapped.tap.receive_picture(still(3.0))
    assert await asking is first
    asking = await tapped.asking()
    tapped.tap.receive_picture(second := still(4.0))
    assert await asking is second


async def test_a_picture_of_before_a_cut_is_not_handed_out_even_if_it_had_come() -> None:
    tapped = Tapped()
    asking = await tapped.asking()
    tapped.tap.receive_picture(still(1.0))
    tapped.tap.cut(1.0)
    tapped.tap.cut(0.5)
    for _ in range(3):
        await asyncio.sleep(0)
    assert tapped.requests == 2
    tapped.tap.receive_picture(still(1.0))  # it was on its way
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tapped.tap.receive_picture(new := still(1.1))
    assert await asking is new


async def test_a_tap_that_is_closed_gives_no_picture() -> None:
    tapped = Tapped()
    with tapped.tap:
        asking = await tapped.asking()
    with pytest.raises(StageError):
        await asking
    with pytest.raises(StageError):
        await tapped.tap.next_picture()
    assert tapped.removed == [tapped.tap]


async def test_one_task_at_a_time_uses_a_tap_and_a_cancelled_one_leaves_it_usable() -> None:
    tapped = Tapped()
    asking = await tapped.asking()
    with pytest.raises(InternalError):
        await tapped.tap.next_picture()
    asking.cancel()
    await asyncio.wait({asking})
    tapped.tap.receive_picture(still(1.0))
    again = await tapped.asking()
    tapped.tap.receive_picture(new := still(2.0))
    assert await again is new


async def test_a_still_turns_the_camera_on_and_off_again_and_is_no_viewer() -> None:
    rig = StageRig()
    taking = asyncio.create_task(rig.stage.take_still())
    await asyncio.sleep(1)
    assert (rig.is_on(), rig.stage.viewers, rig.producer.stills) == (True, 0, 1)
    rig.producer.listener.receive_still(picture := still(13.0))
    assert await taking is picture
    assert not rig.is_on()
    assert rig.counts == []


async def test_a_still_leaves_the_camera_on_for_viewers_and_a_viewer_for_the_still() -> None:
    rig = StageRig()
    viewer = await rig.watch("ann")
    taking = asyncio.create_task(rig.stage.take_still())
    await asyncio.sleep(0)
    await rig.stage.end(viewer, "ann")
    assert rig.is_on()
    await rig.watch("ann")
    rig.producer.listener.receive_still(still(13.0))
    await taking
    assert rig.is_on()
    await rig.stage.close()


async def test_a_still_that_takes_too_long_fails_and_turns_the_camera_off() -> None:
    rig = StageRig()
    with pytest.raises(StageError):
        await rig.stage.take_still()
    assert not rig.is_on()


async def test_no_still_comes_from_a_source_that_fails_or_a_stage_that_is_closed() -> None:
    rig = StageRig()
    taking = asyncio.create_task(rig.stage.take_still())
    await asyncio.sleep(0)
    rig.producer.fail(OSError("unplugged"))
    with pytest.raises(StageError, match=OFF):
        await taking
    taking = asyncio.create_task(rig.stage.take_still())
    await asyncio.sleep(0)
    await rig.stage.close()
    with pytest.raises(StageError, match=OFF):
        await taking
    with pytest.raises(StageError):
        await rig.stage.take_still()


async def test_a_still_of_before_a_cut_is_not_handed_out() -> None:
    rig = StageRig()
    taking = asyncio.create_task(rig.stage.take_still())
    await asyncio.sleep(0)
    rig.producer.listener.receive_still(still(12.4))
    rig.stage.cut()
    await asyncio.sleep(1)
    rig.producer.listener.receive_still(picture := still(12.6))
    assert await taking is picture
