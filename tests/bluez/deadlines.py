"""How long to wait for something in a virtual machine on a computer that may be busy.

Only the time in which the machine could run counts. `scripts/virtual-machine` writes the rest to a file: for how long,
since boot, the machine was ready to run and had to wait for a processor. So a machine that is starved gets more time,
and one that could run and did nothing gets no extra time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

T = TypeVar("T")

WAITED = Path(os.environ.get("BELVEDERE_BLUEZ", "/nowhere"), "waited")
TIMEOUT_S = 90.0  # for what takes a second or two on a computer that is not emulated
POLL_S = 0.05
LEAST_SHARE = 0.05  # of the time, that a machine is assumed to have had at least


def waited_s() -> float:
    """How long the machine has waited for a processor since boot; 0 where it is not recorded."""
    with contextlib.suppress(OSError, ValueError):
        return float(WAITED.read_text(encoding="ascii"))
    return 0.0


class Stretch:
    """A period that begins now, and how much of it the machine could run. Needs the running event loop."""

    def __init__(self) -> None:
        self._began_s = asyncio.get_running_loop().time()
        self._waited_before_s = waited_s()

    @property
    def waited_s(self) -> float:
        """How long the machine has waited for a processor."""
        return waited_s() - self._waited_before_s

    @property
    def slowness(self) -> float:
        """How many times longer things took than they would have if the machine had not waited; at least 1."""
        all_s = asyncio.get_running_loop().time() - self._began_s
        return all_s / max(all_s - self.waited_s, LEAST_SHARE * all_s) if all_s > 0 else 1.0

    def has_given(self, seconds: float) -> bool:
        """Whether the machine could run for this long."""
        all_s = asyncio.get_running_loop().time() - self._began_s
        return all_s >= seconds and all_s - self.waited_s >= seconds  # reads the file only when it matters


async def until(is_so: Callable[[], bool], what: str, timeout_s: float = TIMEOUT_S) -> None:
    """Poll until the condition holds; nothing here offers an event for it."""

    async def look() -> bool:
        return is_so()

    await until_answered(look, what, timeout_s)


async def until_answered(
    ask: Callable[[], Awaitable[bool]], what: str, timeout_s: float = TIMEOUT_S, every_s: float = POLL_S
) -> None:
    """Poll until the answer is yes."""
    stretch = Stretch()
    while not await ask():
        if stretch.has_given(timeout_s):
            raise TimeoutError(f"timed out waiting for: {what}")
        await asyncio.sleep(every_s)


async def outcome_of(call: Coroutine[None, None, T], what: str, timeout_s: float = TIMEOUT_S) -> T:
    """The result of a call, which is cancelled if it takes too long."""
    calling = asyncio.create_task(call)
    try:
        await until(calling.done, what, timeout_s)
        return calling.result()
    finally:
        calling.cancel()
