"""An hour of driving in virtual time: every stop arrives, no task is left behind, and memory does not grow."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]  # it brings no types
from tests.faults.random_faults import EPSILON_S, TWO_INTERVALS_S, FaultRun, RandomDriver, no_errors_logged
from tests.faults.stack import open_stack

from belvedere.head.axes import AXES
from belvedere.testing.clock import run_in_virtual_time

CALLS_IN_FLIGHT = 6  # a write and a probe for each unit, and what bleak makes of them
SAMPLES = 12  # measurements of memory; the first quarter is a warm-up


@dataclass(frozen=True, slots=True)
class LongDrive:
    """The results of a long drive.

    Attributes:
        stops: the number of releases.
        latest_stop_s: the longest time from a release until a unit executed the stop.
        growth_mib: the growth of the process's memory from the end of the first quarter on.
    """

    stops: int
    latest_stop_s: float
    growth_mib: float


async def drive(seconds: float, seed: int) -> LongDrive:
    """Drive without a pause. Raises AssertionError if a stop was lost or late, or if tasks accumulated."""
    chance = random.Random(seed)
    process = psutil.Process()
    memory: list[int] = []
    stops, latest_s = 0, 0.0
    with no_errors_logged():
        async with open_stack() as server:
            await server.ready()
            driver = RandomDriver(server, FaultRun(), chance, server.open_session())
            await driver.open_page()
            began_s, tasks = server.now, len(asyncio.all_tasks())
            while server.now < began_s + seconds:
                status = server.belvedere.engine.status
                pan, tilt = (-axis.limit or chance.choice([-1.0, -0.4, 0.4, 1.0]) for axis in (status.pan, status.tilt))
                await driver.press(pan, tilt)
                await asyncio.sleep(0.2 + 3 * chance.random())
                await driver.release()
                released_s = server.now
                stopped_s = [await server.stopped(axis) for axis in AXES]
                latest_s = max(latest_s, *(one_s - released_s for one_s in stopped_s))
                stops += 1
                assert latest_s <= TWO_INTERVALS_S + EPSILON_S, f"stop {stops} came {latest_s:.3f} s late"
                await asyncio.sleep(chance.choice([0.0, 0.1, 1.0]))
                extra = len(asyncio.all_tasks()) - tasks
                assert extra <= CALLS_IN_FLIGHT, f"tasks accumulate: {asyncio.all_tasks()}"
                if server.now >= began_s + len(memory) * seconds / SAMPLES:
                    memory.append(process.memory_info().rss)
            await driver.close_page()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks were left behind: {left}"
    return LongDrive(stops, latest_s, (memory[-1] - memory[SAMPLES // 4]) / 2**20)


def drive_long(seconds: float, seed: int = 1) -> LongDrive:
    """Drive for this time in virtual time."""
    return run_in_virtual_time(drive(seconds, seed))
