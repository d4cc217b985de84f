"""The contract of `link.port.UnitLink`, as tests. An adapter's test class inherits from it and implements `rig`.

class TestMyUnit(LinkContract):
    def rig(self) -> AbstractAsyncContextManager[LinkRig]: ...
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

from belvedere.errors import LinkError, LinkReason
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from contextlib import AbstractAsyncContextManager

    from belvedere.link.port import LinkDetails, UnitLink

FRAMES = [bytes.fromhex(f"0201000{speed:03d}00000000000000") for speed in range(100, 200)]
LONG_S = 10.0  # longer than anything that an adapter does by itself


class LinkRig(Protocol):
    """A link, and control of the unit at its other end."""

    @property
    def link(self) -> UnitLink:
        """The link."""
        ...

    def received(self) -> list[bytes]:
        """Return the frames that the unit executed, oldest first."""
        ...

    def drop(self) -> None:
        """Make the unit end the connection."""
        ...

    def refuse(self, *, on: bool) -> None:
        """Make the unit answer frames with an error, or stop doing so."""
        ...

    def vanish(self) -> None:
        """Take the unit out of reach."""
        ...

    def come_back(self) -> None:
        """Bring the unit back within reach."""
        ...


async def reason_of(call: Awaitable[object]) -> LinkReason:
    """Return the reason of the LinkError that the call raises; fails the test if it raises none."""
    try:
        await call
    except LinkError as error:
        return error.reason
    raise AssertionError("no LinkError was raised")


def ignore() -> None:
    """Do nothing."""


class ClosedLinkContract(ABC):
    """The contract of a link that was never opened."""

    @abstractmethod
    def closed_link(self) -> UnitLink:
        """Return a link that was not opened yet."""

    async def test_writing_before_it_is_open_fails(self) -> None:
        """The reason is CLOSED."""
        assert await reason_of(self.closed_link().write(FRAMES[0], response=False)) is LinkReason.CLOSED

    async def test_a_keep_alive_before_it_is_open_fails(self) -> None:
        """The reason is CLOSED."""
        assert await reason_of(self.closed_link().keep_alive()) is LinkReason.CLOSED

    async def test_it_may_be_closed_before_it_is_open(self) -> None:
        """Closing never raises."""
        await self.closed_link().close()


class LinkContract(ABC):
    """The contract of a link to a unit that supports both kinds of write and answers keep-alives."""

    @abstractmethod
    def rig(self) -> AbstractAsyncContextManager[LinkRig]:
        """Return a unit within reach and a link to it that is not open; leaving the context ends both."""

    async def test_opening_returns_what_the_unit_can_do(self) -> None:
        """The caller chooses the kind of write by these details."""
        async with self.rig() as rig:
            details = await opened(rig.link)
            assert details.can_write_with_response
            assert details.can_write_without_response
            assert details.can_keep_alive
            assert details.name
            assert details.address
            await rig.link.close()

    async def test_on_found_is_called_once_while_opening(self) -> None:
        """It separates searching from connecting in the status."""
        async with self.rig() as rig:
            found: list[int] = []
            await rig.link.open(ignore, lambda: found.append(1))
            assert found == [1]
            await rig.link.close()

    async def test_an_acknowledged_frame_has_arrived(self) -> None:
        """With response, the unit has the frame when the call returns."""
        async with self.rig() as rig:
            await opened(rig.link)
            await rig.link.write(FRAMES[0], response=True)
            assert rig.received() == FRAMES[:1]
            await rig.link.close()

    async def test_a_keep_alive_is_answered_after_the_frames_before_it(self) -> None:
        """Its answer shows that nothing is queued any more."""
        async with self.rig() as rig:
            await opened(rig.link)
            for frame in FRAMES[:10]:
                await rig.link.write(frame, response=False)
            assert await rig.link.keep_alive()
            assert rig.received() == FRAMES[:10]
            await rig.link.close()

    async def test_a_write_does_not_wait_for_a_keep_alive_in_flight(self) -> None:
        """A stop must not wait for the answer to another request."""
        async with self.rig() as rig:
            await opened(rig.link)
            keeping_alive = asyncio.create_task(rig.link.keep_alive())
            await asyncio.sleep(0)
            await rig.link.write(FRAMES[0], response=False)
            assert not keeping_alive.done()
            assert await keeping_alive
            await rig.link.close()

    async def test_a_refused_frame_is_an_error_and_the_link_stays_open(self) -> None:
        """A refusal does not end the connection."""
        async with self.rig() as rig:
            await opened(rig.link)
            rig.refuse(on=True)
            assert await reason_of(rig.link.write(FRAMES[0], response=True)) is LinkReason.REFUSED
            rig.refuse(on=False)
            await rig.link.write(FRAMES[1], response=True)
            assert rig.received() == FRAMES[1:2]
            await rig.link.close()

    async def test_a_loss_is_reported_once(self) -> None:
        """Even if several layers notice it."""
        async with self.rig() as rig:
            lost: list[int] = []
            await rig.link.open(lambda: lost.append(1), ignore)
            rig.drop()
            await asyncio.sleep(LONG_S)
            await rig.link.close()
            assert lost == [1]

    async def test_after_a_loss_writes_and_keep_alives_fail(self) -> None:
        """They must not seem to succeed on a dead link."""
        async with self.rig() as rig:
            await opened(rig.link)
            rig.drop()
            await asyncio.sleep(LONG_S)
            for call in (rig.link.write(FRAMES[0], response=False), rig.link.keep_alive()):
                assert await reason_of(call) in {LinkReason.LOST, LinkReason.CLOSED}
            await rig.link.close()

    async def test_a_loss_ends_a_write_that_waits_for_an_answer(self) -> None:
        """The answer will never come."""
        async with self.rig() as rig:
            await opened(rig.link)
            writing = asyncio.create_task(rig.link.write(FRAMES[0], response=True))
            await asyncio.sleep(0.001)
            rig.drop()
            async with timeout(LONG_S):
                assert await reason_of(writing) in {LinkReason.LOST, LinkReason.UNANSWERED}
            await rig.link.close()

    async def test_closing_is_not_reported_as_a_loss(self) -> None:
        """The caller closed the link itself."""
        async with self.rig() as rig:
            lost: list[int] = []
            await rig.link.open(lambda: lost.append(1), ignore)
            await rig.link.close()
            await asyncio.sleep(LONG_S)
            assert not lost

    async def test_after_closing_writes_fail(self) -> None:
        """The reason is CLOSED."""
        async with self.rig() as rig:
            await opened(rig.link)
            await rig.link.close()
            assert await reason_of(rig.link.write(FRAMES[0], response=False)) is LinkReason.CLOSED

    async def test_it_may_be_closed_twice(self) -> None:
        """Closing never raises."""
        async with self.rig() as rig:
            await opened(rig.link)
            await asyncio.gather(rig.link.close(), rig.link.close())
            await rig.link.close()

    async def test_it_opens_again_after_closing(self) -> None:
        """A link can be used more than once."""
        async with self.rig() as rig:
            for frame in FRAMES[:2]:
                await opened(rig.link)
                await rig.link.write(frame, response=True)
                await rig.link.close()
            assert rig.received() == FRAMES[:2]

    async def test_it_opens_again_after_a_loss(self) -> None:
        """Also if `close` was not called in between."""
        async with self.rig() as rig:
            await opened(rig.link)
            rig.drop()
            await asyncio.sleep(LONG_S)
            await opened(rig.link)
            await rig.link.write(FRAMES[0], response=True)
            assert rig.received() == FRAMES[:1]
            await rig.link.close()

    async def test_a_unit_out_of_reach_is_not_found_and_found_again_when_it_is_back(self) -> None:
        """A search has a timeout of its own."""
        async with self.rig() as rig:
            rig.vanish()
            async with timeout(LONG_S):
                assert await reason_of(opened(rig.link)) is LinkReason.NOT_FOUND
            rig.come_back()
            await opened(rig.link)
            await rig.link.close()

    async def test_a_link_to_a_unit_that_goes_out_of_reach_is_lost(self) -> None:
        """The loss is noticed without a write."""
        async with self.rig() as rig:
            lost = asyncio.Event()
            await rig.link.open(lost.set, ignore)
            rig.vanish()
            async with timeout(LONG_S):
                await lost.wait()
            await rig.link.close()

    async def test_an_opening_that_is_cancelled_leaves_nothing_behind(self) -> None:
        """At any moment of searching and connecting: the next `open` finds the unit."""
        for delay_s in (0.0, 0.02, 0.1, 0.25, 0.5):
            async with self.rig() as rig:
                opening = asyncio.create_task(opened(rig.link))
                await asyncio.sleep(delay_s)
                opening.cancel()
                await asyncio.wait({opening})
                await rig.link.close()
                await asyncio.sleep(LONG_S)
                await opened(rig.link)
                await rig.link.write(FRAMES[0], response=True)
                await rig.link.close()


async def opened(link: UnitLink) -> LinkDetails:
    """Open a link, ignoring its callbacks."""
    return await link.open(ignore, ignore)
