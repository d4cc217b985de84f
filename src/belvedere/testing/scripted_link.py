"""A `UnitLink` without a radio: a test's script sets the duration and the outcome of each call."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from belvedere.errors import LinkError, LinkReason
from belvedere.link.port import LinkDetails

if TYPE_CHECKING:
    from collections.abc import Callable

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Step:
    """The course of one call.

    Attributes:
        after_s: its duration; `NEVER` for a call that hangs.
        reason: the reason of the LinkError that it raises; None for success.
        is_stubborn: whether it hangs even when cancelled, until `ScriptedLink.release` is called.
    """

    after_s: float = 0.0
    reason: LinkReason | None = None
    is_stubborn: bool = False


GOOD = Step()
HANG = Step(NEVER)
HANG_FOR_GOOD = Step(NEVER, is_stubborn=True)


@dataclass(frozen=True, slots=True)
class Written:
    """One call of `write`."""

    at_s: float
    frame: bytes
    response: bool
    connection: int


DETAILS = LinkDetails(
    name="PONS-PAN-SCRIPT",
    address="C0:DE:00:00:00:99",
    can_write_without_response=True,
    can_write_with_response=True,
    can_keep_alive=True,
)


class ScriptedLink:
    """A `UnitLink` that follows a script. An unscripted call follows `usual`, else it succeeds at once.

    Attributes:
        details: what `open` returns.
        usual: the step for unscripted calls, by name ("open", "write", "keep_alive", "close").
        calls: the names of all calls, in order.
        writes: all calls of `write`.
        connections: how often it was opened.
        on_lost, on_found: the callbacks of each `open`, the newest last.
    """

    def __init__(self, details: LinkDetails = DETAILS) -> None:
        self.details = details
        self.usual: dict[str, Step] = {}
        self.calls: list[str] = []
        self.writes: list[Written] = []
        self.connections = 0
        self.on_lost: list[Callable[[], None]] = []
        self.on_found: list[Callable[[], None]] = []
        self._script: defaultdict[str, deque[Step]] = defaultdict(deque)
        self._released = asyncio.Event()

    def script(self, call: str, *steps: Step) -> None:
        """Queue steps for the next calls of this name."""
        self._script[call].extend(steps)

    def lose(self) -> None:
        """Report the newest connection as lost."""
        self.on_lost[-1]()

    def release(self) -> None:
        """Let the stubborn calls that hang end successfully."""
        self._released.set()

    @property
    def frames(self) -> list[bytes]:
        """The frames of all calls of `write`."""
        return [write.frame for write in self.writes]

    async def open(self, on_lost: Callable[[], None], on_found: Callable[[], None]) -> LinkDetails:
        """Follow the script; the unit counts as found at once."""
        self.on_lost.append(on_lost)
        self.on_found.append(on_found)
        on_found()
        await self._follow("open")
        self.connections += 1
        return self.details

    async def write(self, frame: bytes, *, response: bool) -> None:
        """Follow the script."""
        now = asyncio.get_running_loop().time()
        self.writes.append(Written(now, frame, response, self.connections))
        await self._follow("write")

    async def keep_alive(self) -> bool:
        """Follow the script."""
        await self._follow("keep_alive")
        return self.details.can_keep_alive

    async def close(self) -> None:
        """Follow the script."""
        await self._follow("close")

    async def _follow(self, call: str) -> None:
        self.calls.append(call)
        step = self._script[call].popleft() if self._script[call] else self.usual.get(call, GOOD)
        if step.is_stubborn:
            await self._hang_for_good()
        elif step.after_s == NEVER:
            await asyncio.get_running_loop().create_future()
        else:
            await asyncio.sleep(step.after_s)
        if step.reason is not None:
            raise LinkError(step.reason, f"scripted: {call}")

    async def _hang_for_good(self) -> None:
        while not self._released.is_set():
            try:
                await self._released.wait()
            except asyncio.CancelledError:  # as some calls into the operating system do
                continue
