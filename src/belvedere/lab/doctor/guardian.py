"""Whether a guardian would watch over the head here: one is started, found to have its own way to BlueZ, and ended."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from belvedere.guardian.process import ChildProcess, GuardianProcess, GuardianState, start_child
from belvedere.lab.doctor.check import CheckResult, CheckState
from belvedere.patience import within

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "guardian"
START_TIMEOUT_S = 4.0  # it takes a tenth of a second, on a Raspberry Pi that boots some more
POLL_S = 0.05
NO_FRAME = b""  # nothing turns, so there is nothing that this one could write


async def guardian(
    *, is_enabled: bool, start: Callable[[int, int, bytes, float], ChildProcess] = start_child
) -> list[CheckResult]:
    """What becomes of a head whose server hangs or is killed."""
    consequence = "if Belvedere hangs or is killed while the head turns, it turns on until a restart"
    if not is_enabled:
        return [CheckResult(NAME, CheckState.WARNING, f"switched off: {consequence}", "[guardian] enabled = true")]
    try:
        process = GuardianProcess(NO_FRAME, dead_man_s=1.0, clock=time.monotonic, start=start)
    except (OSError, AttributeError):  # only Linux has such memory, and only Linux has BlueZ
        return [CheckResult(NAME, CheckState.WARNING, f"not on this system: {consequence}")]
    running = asyncio.create_task(process.run())
    try:
        async with within(START_TIMEOUT_S):
            while process.state is not GuardianState.WATCHING:  # noqa: ASYNC110 - a look into memory, of which nobody tells
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        fix = "D-Bus must be reached: see Bluetooth service"
        return [CheckResult(NAME, CheckState.WARNING, f"does not come to watch: {consequence}", fix)]
    finally:
        running.cancel()
        await asyncio.wait({running})
        process.close()
    return [
        CheckResult(
            NAME, CheckState.OK, "starts, and reaches D-Bus by itself; /readyz tells of a running Belvedere's own"
        )
    ]
