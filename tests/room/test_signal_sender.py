"""One signal at a time, the newest of those that wait, and an output that fails or hangs harms nothing but itself."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from belvedere.errors import SignalError
from belvedere.room.signal_sender import CLOSE_TIMEOUT_S, RETRY_S, STUCK_S, SignalSender

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    import pytest

PAUSE_S = 1.0


class Output:
    """Notes what it is told, and fails on request."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.error: Exception | None = None
        self.stopping: threading.Event | None = None

    def send(self, word: str, stopping: threading.Event) -> None:
        self.told.append(word)
        self.stopping = stopping
        if self.error is not None:
            raise self.error


class Threads:
    """What was to run in threads, which end when the test says so; at once by default."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.is_stuck = False

    def start(self, run: Callable[[], None]) -> None:
        if self.is_stuck:
            self.waiting.append(run)
        else:
            run()


class Rig:
    def __init__(self, *, is_repeated: bool = False) -> None:
        self.output, self.threads, self.changes = Output(), Threads(), 0
        self.sender = SignalSender(
            "chime",
            self.output,
            pause_s=PAUSE_S,
            is_repeated=is_repeated,
            on_changed=self._count,
            start=self.threads.start,
        )

    def _count(self) -> None:
        self.changes += 1


async def test_a_signal_is_sent_at_once_and_of_those_that_come_meanwhile_only_the_newest() -> None:
    rig = Rig()
    for word in ("arrival", "knock", "arrival", "knock"):
        rig.sender.send(word)
    assert rig.output.told == ["arrival"]
    await asyncio.sleep(PAUSE_S + 0.1)
    assert rig.output.told == ["arrival", "knock"]
    await asyncio.sleep(10 * PAUSE_S)
    assert rig.output.told == ["arrival", "knock"]
    await rig.sender.close()


async def test_a_thousand_signals_are_as_many_as_there_are_pauses() -> None:
    rig = Rig()
    for _ in range(1000):
        rig.sender.send("knock")
        await asyncio.sleep(0.01)
    assert len(rig.output.told) <= 10 / PAUSE_S + 1
    await rig.sender.close()


async def test_a_failure_is_a_fault_and_one_line_until_it_works_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rig = Rig()
    rig.output.error = SignalError("aplay: failed with status 1")
    for _ in range(3):
        rig.sender.send("knock")
        await asyncio.sleep(2 * PAUSE_S)
    assert (rig.sender.has_fault, rig.changes) == (True, 1)
    rig.output.error = None
    rig.sender.send("knock")
    await asyncio.sleep(2 * PAUSE_S)
    assert (rig.sender.has_fault, rig.changes) == (False, 2)
    assert [record.getMessage() for record in caplog.records] == [
        "the chime failed: aplay: failed with status 1",
        "the chime works again",
    ]
    assert len(rig.output.told) == 4
    await rig.sender.close()


async def test_a_light_that_failed_is_switched_again_until_it_obeys_and_a_chime_is_not() -> None:
    for is_repeated, told in ((True, ["on", "on"]), (False, ["on"])):
        rig = Rig(is_repeated=is_repeated)
        rig.output.error = SignalError("no")
        rig.sender.send("on")
        await asyncio.sleep(RETRY_S / 2)
        rig.output.error = None
        await asyncio.sleep(RETRY_S)
        assert rig.output.told == told
        await rig.sender.close()


async def test_a_repetition_never_undoes_what_was_sent_after_it() -> None:
    rig = Rig(is_repeated=True)
    rig.output.error = SignalError("no")
    rig.sender.send("on")
    await asyncio.sleep(RETRY_S / 2)
    rig.output.error = None
    rig.sender.send("off")
    await asyncio.sleep(3 * RETRY_S)
    assert rig.output.told == ["on", "off"]
    await rig.sender.close()


async def test_an_output_that_never_returns_is_a_fault_and_is_started_no_second_time() -> None:
    rig = Rig()
    rig.threads.is_stuck = True
    rig.sender.send("knock")
    await asyncio.sleep(STUCK_S + 1)
    assert (rig.output.told, rig.sender.has_fault) == ([], True)
    rig.sender.send("knock")
    rig.sender.send("arrival")
    await asyncio.sleep(100)
    assert len(rig.threads.waiting) == 1
    rig.threads.is_stuck = False
    rig.threads.waiting.pop()()
    await asyncio.sleep(2 * PAUSE_S)
    assert (rig.output.told, rig.sender.has_fault) == (["knock", "arrival"], False)
    await rig.sender.close()


async def test_an_error_that_nobody_thought_of_is_a_fault_too() -> None:
    rig = Rig()
    rig.output.error = RuntimeError("a bug")
    rig.sender.send("knock")
    await asyncio.sleep(1)
    assert rig.sender.has_fault
    await rig.sender.close()


async def test_a_thread_that_cannot_be_started_is_a_fault() -> None:
    def start(_: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    sender = SignalSender("chime", Output(), pause_s=PAUSE_S, is_repeated=False, start=start)
    sender.send("knock")
    assert sender.has_fault
    await sender.close()


async def test_at_the_end_the_last_signal_is_sent_and_later_ones_are_not() -> None:
    rig = Rig(is_repeated=True)
    rig.sender.send("on")
    rig.sender.send("off")
    await rig.sender.close()
    rig.sender.send("on")
    await asyncio.sleep(100)
    assert rig.output.told == ["on", "off"]


async def test_at_the_end_what_hangs_is_told_to_stop_after_a_short_time() -> None:
    rig = Rig()
    rig.sender.send("on")
    await asyncio.sleep(2 * PAUSE_S)
    rig.threads.is_stuck = True
    rig.sender.send("off")
    began_at = asyncio.get_running_loop().time()
    await rig.sender.close()
    assert asyncio.get_running_loop().time() - began_at <= CLOSE_TIMEOUT_S + 0.1
    assert rig.output.stopping is not None
    assert rig.output.stopping.is_set()
    rig.threads.waiting.pop()()
    await asyncio.sleep(0)
