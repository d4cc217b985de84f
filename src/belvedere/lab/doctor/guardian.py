"""Whether a guardian process works on this computer: starts one, waits until it reaches BlueZ, and ends it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from belvedere.guardian.process import ChildProcess, GuardianProcess, GuardianState, start_child
from belvedere.lab.doctor.check import CheckResult, CheckState
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "guardian"
START_TIMEOUT_S = 4.0  # it takes a tenth of a second, and longer on a Raspberry Pi that is still booting
POLL_S = 0.05
NO_FRAME = b""  # nothing turns during the check, so this guardian never has a stop to write


async def guardian(
    *, is_enabled: bool, start: Callable[[int, int, bytes, float], ChildProcess] = start_child
) -> list[CheckResult]:
    """Whether the head would be stopped if the server hung or were killed."""
    consequence = "if Belvedere hangs or is killed while the head turns, it keeps turning until Belvedere is restarted"
    if not is_enabled:
        return [CheckResult(NAME, CheckState.WARNING, f"switched off: {consequence}", "[guardian] enabled = true")]
    try:
        process = GuardianProcess(NO_FRAME, dead_man_s=1.0, clock=time.monotonic, start=start)
    except (OSError, AttributeError):  # memfd exists on Linux only, as does BlueZ
        return [CheckResult(NAME, CheckState.WARNING, f"not available on this system: {consequence}")]
    running = asyncio.create_task(process.run())
    try:
        async with timeout(START_TIMEOUT_S):
            while process.state is not GuardianState.WATCHING:  # noqa: ASYNC110 - shared memory signals no change
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        fix = "it must reach D-Bus: see the check `Bluetooth service`"
        return [
            CheckResult(
                NAME, CheckState.WARNING, f"did not start watching within {START_TIMEOUT_S:g} s: {consequence}", fix
            )
        ]
    finally:
        running.cancel()
        await asyncio.wait({running})
        process.close()
    return [CheckResult(NAME, CheckState.OK, "starts and reaches D-Bus; for the one of a running server see /readyz")]
