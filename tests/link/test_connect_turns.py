from __future__ import annotations

import asyncio

import pytest

from belvedere.errors import LinkError, LinkReason
from belvedere.link.connect_turns import ConnectTurns, TurnState
from belvedere.link.scan import Scan

STOPS_S = 0.5
LONGEST_S = 5.0


class Scanner:
    """A scanner that takes a while to stop."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter

    async def start(self) -> None:
        self._adapter.is_scanning = True

    async def stop(self) -> None:
        await asyncio.sleep(STOPS_S)
        self._adapter.is_scanning = False


class Adapter:
    """An adapter on which somebody always searches, and who has had the turn to connect."""

    def __init__(self) -> None:
        self.is_scanning = False
        self.is_sought = True
        self.taken: list[tuple[str, float]] = []
        self.scan = Scan(
            lambda: Scanner(self),
            lambda: self.is_sought and self.turns.may_scan,
            on_started=self._go_on,
            on_failure=lambda _error: None,
        )
        self.turns = ConnectTurns(self.scan, LONGEST_S)

    async def use(self, who: str, for_s: float) -> None:
        """Wait for the turn, and use it for so long."""
        async with self.turns.take():
            assert not self.is_scanning
            assert self.turns.state is TurnState.TAKEN
            self.taken.append((who, loop_time()))
            await asyncio.sleep(for_s)
            assert not self.is_scanning

    async def begin(self) -> None:
        """Start to scan."""
        self.scan.update()
        await asyncio.sleep(0.1)
        assert self.is_scanning

    async def end(self) -> None:
        """Stop to scan."""
        self.is_sought = False
        self.scan.update()
        await asyncio.sleep(1)

    async def _go_on(self) -> None:
        pass


def loop_time() -> float:
    return asyncio.get_running_loop().time()


async def test_a_turn_begins_when_the_scan_has_stopped_and_the_scan_resumes_after_it() -> None:
    adapter = Adapter()
    await adapter.begin()
    using = asyncio.create_task(adapter.use("pan", for_s=2))
    await asyncio.sleep(0.1)
    states = [adapter.turns.state]
    await using
    states.append(adapter.turns.state)
    assert states == [TurnState.STOPPING_SCAN, TurnState.FREE]
    await asyncio.sleep(0.1)
    assert adapter.is_scanning
    await adapter.end()


async def test_turns_are_taken_one_at_a_time_in_the_order_of_asking() -> None:
    adapter = Adapter()
    began = loop_time()
    is_taken = [adapter.turns.is_taken]
    waiting = [asyncio.create_task(adapter.use(who, for_s=2)) for who in ("pan", "tilt", "other")]
    await asyncio.sleep(0)
    is_taken.append(adapter.turns.is_taken)
    assert is_taken == [False, True]
    await asyncio.gather(*waiting)
    assert [who for who, _at in adapter.taken] == ["pan", "tilt", "other"]
    assert all(later - sooner >= 2 for (_, sooner), (_, later) in zip(adapter.taken, adapter.taken[1:], strict=False))
    assert loop_time() - began < 6 + 3 * (STOPS_S + 0.1)
    await adapter.end()


@pytest.mark.parametrize("after_s", [0.05, 1.0], ids=["while the scan stops", "while it has the turn"])
async def test_a_holder_that_is_cancelled_gives_its_turn_to_the_next(after_s: float) -> None:
    adapter = Adapter()
    await adapter.begin()
    hanging = asyncio.create_task(adapter.use("pan", for_s=1000))
    waiting = asyncio.create_task(adapter.use("tilt", for_s=1))
    await asyncio.sleep(after_s)
    hanging.cancel()
    await waiting
    assert hanging.cancelled()
    assert adapter.taken[-1][0] == "tilt"
    assert adapter.turns.may_scan
    await adapter.end()


async def test_one_that_is_cancelled_while_it_waits_leaves_the_turn_to_others() -> None:
    adapter = Adapter()
    holding, waiting, last = (asyncio.create_task(adapter.use(who, for_s=1)) for who in ("pan", "tilt", "other"))
    await asyncio.sleep(0.1)
    waiting.cancel()
    await asyncio.gather(holding, last)
    assert [who for who, _at in adapter.taken] == ["pan", "other"]
    await adapter.end()


async def take(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "connected"


async def late_s(turns: ConnectTurns, address: str) -> float:
    """How long an attempt that hangs may take."""
    began = loop_time()
    with pytest.raises(LinkError) as caught:
        await turns.result_of(asyncio.create_task(take(1000)), address)
    assert caught.value.reason is LinkReason.CONNECT_FAILED
    return loop_time() - began


async def test_each_unit_has_the_timeout_that_its_own_attempts_have_taught() -> None:
    turns = Adapter().turns
    assert await turns.result_of(asyncio.create_task(take(1)), "pan") == "connected"
    assert await late_s(turns, "tilt") == pytest.approx(LONGEST_S)
    assert [await late_s(turns, "pan"), await late_s(turns, "pan")] == [pytest.approx(3), pytest.approx(5)]


async def test_an_attempt_that_fails_by_itself_is_not_late() -> None:
    turns = Adapter().turns
    await turns.result_of(asyncio.create_task(take(1)), "pan")

    async def fail() -> None:
        raise LinkError(LinkReason.NOT_FOUND, "gone")

    for _ in range(3):
        with pytest.raises(LinkError, match="gone"):
            await turns.result_of(asyncio.create_task(fail()), "pan")
    assert await late_s(turns, "pan") == pytest.approx(3)


async def test_an_attempt_whose_caller_is_cancelled_is_cancelled_too_and_counts_as_late() -> None:
    turns = Adapter().turns
    await turns.result_of(asyncio.create_task(take(1)), "pan")
    attempt = asyncio.create_task(take(1000))
    waiting = asyncio.create_task(turns.result_of(attempt, "pan"))
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.wait({waiting, attempt})
    assert waiting.cancelled()
    assert attempt.cancelled()
    assert await late_s(turns, "pan") == pytest.approx(5)
