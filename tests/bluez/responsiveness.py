"""Keeps this process, which is the machine's radio chip, able to answer, and records when it was not.

A real chip answers a command within a millisecond, whatever the computer's processors do. Linux waits two seconds, and
then takes the chip for broken: a scan that was to end then never does. On an emulated processor, two seconds are soon
over: they were, while this process compiled a library for its first request to the server, or read all certificates.
"""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.loop_watchdog import LoopWatchdog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STALL_S = 0.5  # a quarter of what Linux allows
BEAT_S = 0.05  # more would cost the emulated computer what it is to save
LOWEST_REALTIME_PRIORITY = 1


def prefer_this_process() -> None:
    """Let it run whenever it can, before all others of the machine; those that it starts are ordinary ones."""
    os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(LOWEST_REALTIME_PRIORITY))


def spare_garbage_collections() -> None:
    """Leave what was imported out of all collections: looking through it takes most of a second."""
    gc.collect()
    gc.freeze()


@contextmanager
def stalls_logged(log: Path) -> Iterator[None]:
    """Write to this file each time that the event loop was held for long, and by what."""
    with LoopWatchdog(stall_s=STALL_S, beat_s=BEAT_S) as watchdog:
        try:
            yield
        finally:
            stalls = watchdog.take().stalls
            with log.open("a", encoding="utf-8") as file:
                file.writelines(f"{stall}\n" for stall in stalls)
