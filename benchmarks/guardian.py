"""The costs of a guardian: memory, processor time at rest and while the head turns, and that of informing it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]  # it brings no types

from belvedere.guardian.memory import GuardedUnit
from belvedere.guardian.process import GuardianProcess, GuardianState
from belvedere.head.frames import stop_frame
from belvedere.head.profile import shipped_profile
from benchmarks.report import Result, compare
from benchmarks.serving import MIB, cpu_s_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 3
OVER_S = 5.0
BEAT_S = 0.1
MARKS = 20_000
DEAD_MAN_S = 0.5
DEVICE = "/org/bluez/hci0/dev_C0_FF_EE_00_00_0"


def run() -> list[Result]:
    """Start one several times, on a private D-Bus."""
    with _bus():
        rounds = [asyncio.run(_measured()) for _ in range(ROUNDS)]
    figures = (
        ("guardian-rss", "guardian: resident memory", "MiB", 25),
        ("guardian-pss", "guardian: memory, with shared pages counted proportionally (PSS)", "MiB", 25),
        ("guardian-cpu-idle", "guardian: of a core, while nothing turns", "%", 0.1),
        ("guardian-cpu-turning", "guardian: of a core, while the head turns", "%", 0.5),
        ("guardian-start", "how long starting one blocks the server's event loop", "ms", 20),
        ("guardian-mark", "the server's time for informing it of a move", "us", 20),
    )
    return [
        compare(name, what, unit, ours=[figures_of[at] for figures_of in rounds], budget=budget)
        for at, (name, what, unit, budget) in enumerate(figures)
    ]


async def _measured() -> tuple[float, ...]:
    guardian = GuardianProcess(
        stop_frame(shipped_profile("zeapon-pons-pt").frame), dead_man_s=DEAD_MAN_S, clock=time.monotonic
    )
    for at in (0, 1):
        guardian.set_unit(at, GuardedUnit("unit", f"{DEVICE}{at}", f"{DEVICE}{at}/char", True, True))
    running = asyncio.create_task(guardian.run())
    began = time.perf_counter()
    await asyncio.sleep(0)
    start_ms = (time.perf_counter() - began) * 1e3
    while guardian.state is not GuardianState.WATCHING:  # noqa: ASYNC110 - shared memory, which has no event
        await asyncio.sleep(0.01)
    (process,) = (child for child in psutil.Process().children() if "belvedere.guardian" in child.cmdline())
    memory = process.memory_full_info()
    idle = await _cpu_percent(guardian, process.pid, is_turning=False)
    turning = await _cpu_percent(guardian, process.pid, is_turning=True)
    mark_us = _mark_us(guardian)
    guardian.beat((False, False))
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    guardian.close()
    return memory.rss / MIB, memory.pss / MIB, idle, turning, start_ms, mark_us


async def _cpu_percent(guardian: GuardianProcess, process: int, *, is_turning: bool) -> float:
    if is_turning:
        guardian.mark_turning(0)
    before, began = cpu_s_of(process), time.monotonic()
    while time.monotonic() < began + OVER_S:
        guardian.beat((is_turning, is_turning))
        await asyncio.sleep(BEAT_S)
    return (cpu_s_of(process) - before) / (time.monotonic() - began) * 100


def _mark_us(guardian: GuardianProcess) -> float:
    began = time.perf_counter()
    for _ in range(MARKS):
        guardian.mark_turning(0)
    return (time.perf_counter() - began) / MARKS * 1e6


@contextlib.contextmanager
def _bus() -> Iterator[None]:
    """Run a D-Bus daemon that processes started from now on use as the system bus."""
    command = ["dbus-daemon", "--session", "--nofork", "--print-address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as daemon:
        before = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS")
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = daemon.stdout.readline().strip() if daemon.stdout else ""
        try:
            yield
        finally:
            daemon.terminate()
            del os.environ["DBUS_SYSTEM_BUS_ADDRESS"]
            if before is not None:
                os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = before
