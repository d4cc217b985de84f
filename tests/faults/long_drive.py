"""An hour at the stick in virtual time: every stop comes through, and nothing is left behind or piles up."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]  # it brings no types
from tests.faults.random_life import EPSILON_S, TWO_INTERVALS_S, Hand, Life, no_complaints
from tests.faults.stack import open_stack

from belvedere.head.axes import AXES
from belvedere.testing.clock import run_in_virtual_time

CALLS_IN_FLIGHT = 6  # a write and a probe for each unit, and what bleak makes of them
SAMPLES = 12  # looks at the memory; the first quarter is warming up


@dataclass(frozen=True, slots=True)
class LongDrive:
    """What an hour was like.

    Attributes:
        stops: how often the finger was lifted.
        latest_stop_s: the longest that a unit took to hear of it.
        growth_mib: how much more memory the process had at the end than after the first quarter.
    """

    stops: int
    latest_stop_s: float
    growth_mib: float


async def drive(seconds: float, seed: int) -> LongDrive:
    """Drive without a pause. Raises AssertionError where a stop was lost, or a task stayed behind."""
    chance = random.Random(seed)
    process = psutil.Process()
    memory: list[int] = []
    stops, latest_s = 0, 0.0
    with no_complaints():
        async with open_stack() as config:
            await config.ready()
            hand = Hand(config, Life(), chance)
            await hand.come_in()
            began_s, tasks = config.now, len(asyncio.all_tasks())
            while config.now < began_s + seconds:
                status = config.belvedere.engine.status
                pan, tilt = (-axis.limit or chance.choice([-1.0, -0.4, 0.4, 1.0]) for axis in (status.pan, status.tilt))
                await hand.press(pan, tilt)
                await asyncio.sleep(0.2 + 3 * chance.random())
                await hand.cancel()
                lifted_s = config.now
                stopped_s = [await config.stopped(axis) for axis in AXES]
                latest_s = max(latest_s, *(one_s - lifted_s for one_s in stopped_s))
                stops += 1
                assert latest_s <= TWO_INTERVALS_S + EPSILON_S, f"stop {stops} came {latest_s:.3f} s late"
                await asyncio.sleep(chance.choice([0.0, 0.1, 1.0]))
                piled = len(asyncio.all_tasks()) - tasks
                assert piled <= CALLS_IN_FLIGHT, f"tasks pile up: {asyncio.all_tasks()}"
                if config.now >= began_s + len(memory) * seconds / SAMPLES:
                    memory.append(process.memory_info().rss)
            await hand.leave()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks were left behind: {left}"
    return LongDrive(stops, latest_s, (memory[-1] - memory[SAMPLES // 4]) / 2**20)


def drive_long(seconds: float, seed: int = 1) -> LongDrive:
    """Drive for so long in virtual time."""
    return run_in_virtual_time(drive(seconds, seed))
