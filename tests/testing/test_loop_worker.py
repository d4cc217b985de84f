from __future__ import annotations

import asyncio
import math

from belvedere.testing.loop_worker import LoopWorker


class Work:
    """Notes when it was called, and returns what it was given, then infinity."""

    def __init__(self, *answers: float | None) -> None:
        self.called_at_s: list[float] = []
        self.answers = list(answers)

    def __call__(self) -> float | None:
        self.called_at_s.append(asyncio.get_running_loop().time() - 1000)
        return self.answers.pop(0) if self.answers else math.inf


async def test_it_works_at_the_start_and_when_the_time_has_come() -> None:
    work = Work(5, 7)
    LoopWorker(work).start()
    assert work.called_at_s == [0]
    await asyncio.sleep(100)
    assert work.called_at_s == [0, 5, 12]


async def test_several_wakes_are_one_run_and_replace_the_timer() -> None:
    work = Work(5)
    worker = LoopWorker(work)
    worker.start()
    await asyncio.sleep(1)
    for _ in range(3):
        worker.wake()
    assert work.called_at_s == [0]
    await asyncio.sleep(100)
    assert work.called_at_s == [0, 1]


async def test_it_does_not_work_before_its_start_or_after_its_end() -> None:
    work = Work(None)
    worker = LoopWorker(work)
    worker.wake()
    await asyncio.sleep(1)
    worker.start()
    worker.wake()
    await asyncio.sleep(1)
    assert work.called_at_s == [1]


async def test_a_wake_from_within_its_work_runs_it_once_more() -> None:
    def wake_and_work() -> float | None:
        if len(work.called_at_s) < 3:
            worker.wake()
        return work()

    work = Work()
    worker = LoopWorker(wake_and_work)
    worker.start()
    await asyncio.sleep(1)
    assert len(work.called_at_s) == 4
