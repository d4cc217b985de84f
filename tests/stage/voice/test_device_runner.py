"""A device is open while it is wanted, tried again when it fails, and what is known of it is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from belvedere.errors import OwnerError, SoundError
from belvedere.stage.voice.device_runner import RETRY_S, DeviceRun, DeviceRunner, in_thread
from belvedere.stage.voice.interface import DeviceState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Rig:
    """A device whose work ends when it is stopped, or as the test says."""

    def __init__(self) -> None:
        self.runs: list[DeviceRun] = []
        self.endings: list[asyncio.Future[None]] = []
        self.states: list[DeviceState] = []
        self.error: Exception | None = None
        clock = asyncio.get_running_loop().time
        self.runner = DeviceRunner("speaker", self._work, self._changed, clock=clock, start=self._start)

    def _work(self, run: DeviceRun) -> None:
        self.runs.append(run)

    def _start(self, work: Callable[[], None]) -> Awaitable[None]:
        work()
        ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.error is not None:
            ending.set_exception(self.error)
        self.endings.append(ending)
        return ending

    def _changed(self) -> None:
        self.states.append(self.runner.state)

    def state(self) -> DeviceState:
        return self.runner.state

    async def end(self) -> None:
        """The thread has noticed that it is stopped."""
        self.endings[-1].set_result(None)
        await asyncio.sleep(0.1)

    async def open(self) -> None:
        self.runner.want(is_wanted=True)
        await asyncio.sleep(0.1)
        self.runs[-1].receive_opened()
        await asyncio.sleep(0.1)


async def test_it_is_opened_when_wanted_and_stopped_within_the_call_when_not() -> None:
    rig = Rig()
    await rig.open()
    assert rig.states == [DeviceState.OPENING, DeviceState.OPEN]
    rig.runner.want(is_wanted=False)
    assert rig.runs[0].is_stopped
    await rig.end()
    assert rig.states[-1] is DeviceState.CLOSED
    assert len(rig.runs) == 1


async def test_one_that_fails_is_tried_again_and_what_is_wrong_is_told_until_it_works() -> None:
    rig = Rig()
    rig.error = SoundError("plug one in", is_missing=True)
    rig.runner.want(is_wanted=True)
    await asyncio.sleep(0.1)
    assert (rig.runner.state, rig.runner.problem) == (DeviceState.MISSING, "plug one in")
    rig.error = None
    await asyncio.sleep(RETRY_S + 0.1)
    assert (rig.runner.state, rig.runner.problem) == (DeviceState.OPENING, "plug one in")
    rig.runs[-1].receive_opened()
    await asyncio.sleep(0.1)
    assert (rig.runner.state, rig.runner.problem) == (DeviceState.OPEN, "")
    rig.runner.want(is_wanted=False)
    await rig.end()


@pytest.mark.parametrize("error", [SoundError("broken"), OwnerError("no library"), ValueError("a bug")])
async def test_whatever_fails_ends_neither_the_program_nor_the_tries(error: Exception) -> None:
    rig = Rig()
    rig.error = error
    rig.runner.want(is_wanted=True)
    await asyncio.sleep(10 * RETRY_S + 0.1)
    assert rig.state() is DeviceState.FAILED
    assert len(rig.runs) == 11
    rig.runner.want(is_wanted=False)
    await rig.runner.closed()
    assert rig.state() is DeviceState.CLOSED


async def test_the_same_trouble_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.error = SoundError("plug one in", is_missing=True)
    rig.runner.want(is_wanted=True)
    await asyncio.sleep(10 * RETRY_S)
    rig.runner.want(is_wanted=False)
    await rig.runner.closed()
    assert [each.getMessage() for each in caplog.records] == ["the speaker does not work: plug one in"]


async def test_a_restart_opens_it_anew_and_an_old_run_says_nothing_any_more() -> None:
    rig = Rig()
    await rig.open()
    rig.runner.restart()
    assert rig.runs[0].is_stopped
    await rig.end()
    assert rig.state() is DeviceState.OPENING
    rig.runs[0].receive_opened()
    await asyncio.sleep(0.1)
    assert rig.state() is DeviceState.OPENING
    rig.runner.want(is_wanted=False)
    await rig.end()


async def test_wanted_again_while_it_closes_it_is_opened_again() -> None:
    rig = Rig()
    await rig.open()
    rig.runner.want(is_wanted=False)
    rig.runner.want(is_wanted=True)
    await rig.end()
    assert len(rig.runs) == 2
    rig.runner.want(is_wanted=False)
    await rig.end()


async def test_waiting_for_the_end_is_bounded() -> None:
    rig = Rig()
    await rig.open()
    rig.runner.want(is_wanted=False)
    with pytest.raises(SoundError, match="the speaker is still open after 5 s"):  # its thread never ends
        await rig.runner.closed()
    assert rig.state() is DeviceState.OPEN
    await rig.end()


@pytest.mark.realtime
async def test_work_runs_in_a_thread_and_its_error_comes_back() -> None:
    def fail() -> None:
        raise SoundError("broken")

    with pytest.raises(SoundError, match="broken"):
        await in_thread(fail)
    await in_thread(lambda: None)
