"""The contract catches adapters that break it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from tests.support.link.simulated_unit import SimulatedRadio, SimulatedUnit

from belvedere.errors import LinkError, LinkReason
from belvedere.testing.link_contract import ClosedLinkContract, LinkContract, reason_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from belvedere.link.port import LinkDetails, UnitLink
    from belvedere.testing.link_contract import LinkRig


class Unit(SimulatedUnit):
    """A unit whose rig is itself."""

    def __init__(self) -> None:
        super().__init__(SimulatedRadio(close_s=0.1))

    @property
    def link(self) -> UnitLink:
        return self

    def received(self) -> list[bytes]:
        return [one.frame for one in self.frames if one.is_obeyed]

    def refuse(self, *, on: bool) -> None:
        self.is_refusing = on


class ReportsLossTwice(Unit):
    async def open(self, on_lost: Callable[[], None], on_found: Callable[[], None]) -> LinkDetails:
        def twice() -> None:
            on_lost()
            on_lost()

        return await super().open(twice, on_found)


class FindsSilently(Unit):
    async def open(self, on_lost: Callable[[], None], on_found: Callable[[], None]) -> LinkDetails:  # noqa: ARG002 - on purpose
        return await super().open(on_lost, lambda: None)


class AcknowledgesTooEarly(Unit):
    async def write(self, frame: bytes, *, response: bool) -> None:  # noqa: ARG002 - on purpose
        await super().write(frame, response=False)


class AnswersKeepAliveItself(Unit):
    async def keep_alive(self) -> bool:
        await asyncio.sleep(0.001)
        return True


class ReportsItsOwnClose(Unit):
    async def close(self) -> None:
        self.drop()
        await super().close()


def contract_of(unit: type[Unit]) -> LinkContract:
    class Contract(LinkContract):
        @asynccontextmanager
        async def rig(self) -> AsyncIterator[LinkRig]:
            yield unit()

    return Contract()


@pytest.mark.parametrize(
    ("unit", "promise"),
    [
        (ReportsLossTwice, LinkContract.test_a_loss_is_reported_once),
        (FindsSilently, LinkContract.test_on_found_is_called_once_while_opening),
        (AcknowledgesTooEarly, LinkContract.test_an_acknowledged_frame_has_arrived),
        (AnswersKeepAliveItself, LinkContract.test_a_keep_alive_is_answered_after_the_frames_before_it),
        (ReportsItsOwnClose, LinkContract.test_closing_is_not_reported_as_a_loss),
    ],
)
async def test_the_contract_detects_an_adapter_that_breaks_it(
    unit: type[Unit], promise: Callable[[LinkContract], object]
) -> None:
    await promise(contract_of(Unit))  # type: ignore[misc]  # every promise is a coroutine function
    with pytest.raises(AssertionError):
        await promise(contract_of(unit))  # type: ignore[misc]  # likewise


async def test_the_contract_detects_an_adapter_that_accepts_frames_before_it_is_open() -> None:
    class Careless(Unit):
        async def write(self, frame: bytes, *, response: bool) -> None:
            pass

    class Contract(ClosedLinkContract):
        def closed_link(self) -> UnitLink:
            return Careless()

    with pytest.raises(AssertionError):
        await Contract().test_writing_before_it_is_open_fails()


async def test_reason_of_returns_the_reason_of_the_link_error() -> None:
    async def fail() -> None:
        raise LinkError(LinkReason.LOST)

    assert await reason_of(fail()) is LinkReason.LOST
