"""The server's side of the guardian: starts it, writes the shared memory, and replaces it when it ends or hangs.

Everything is passed on by a store into shared memory. Nothing here waits for the guardian, so that no failure of it
can delay a command.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Protocol

from belvedere.guardian.memory import STARTING, UNITS, WATCHING, GuardedUnit, Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)

PING_EVERY_S = 2.0
MUTE_PINGS, DEAD_PINGS = 1, 2  # it answers within a millisecond, or within seconds on a computer that swaps
UNSTARTED_PINGS = 15  # it starts within a tenth of a second, but much slower on a computer that is busy booting
RETRY_FIRST_S, RETRY_LONGEST_S = 0.2, 30.0
STABLE_S = 60.0  # one that ran for this long resets the wait to RETRY_FIRST_S
LEAVE_S = 0.5  # with no unit to stop, it ends within a millisecond
POLL_S = 0.01


class GuardianState(enum.StrEnum):
    """Whether the guardian can be relied on."""

    WATCHING = "watching"
    MISSING = "missing"
    NOT_NEEDED = "not needed"


class ChildProcess(Protocol):
    """What is used of `subprocess.Popen`."""

    def poll(self) -> int | None:
        """Return its exit status, None while it runs."""
        ...

    def kill(self) -> None:
        """Kill it."""
        ...


def start_child(memory: int, line: int, stop: bytes, dead_man_s: float) -> ChildProcess:
    """Start a guardian in a session of its own, so that a terminal's Ctrl-C does not reach it. Raises OSError.

    It inherits the two descriptors and stderr, nothing else.
    """
    command = [sys.executable, "-P", "-m", "belvedere.guardian", str(memory), str(line), stop.hex(), str(dead_man_s)]
    return subprocess.Popen(  # noqa: S603 - our own interpreter, and numbers
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=(memory, line), start_new_session=True
    )


class GuardianProcess:
    """Keeps a guardian running while `run` runs. Raises OSError where there is no memfd (Linux has it).

    `stop` is the only frame that the guardian gets, `dead_man_s` the time without a beat after which it stops the head,
    `clock` CLOCK_MONOTONIC, which both processes share. Call the methods from the event loop only; none of them blocks.
    """

    def __init__(
        self,
        stop: bytes,
        *,
        dead_man_s: float,
        clock: Callable[[], float],
        start: Callable[[int, int, bytes, float], ChildProcess] = start_child,
    ) -> None:
        self._stop, self._dead_man_s = stop, dead_man_s
        self._clock = clock
        self._start = start
        self._memory = Memory.new()
        self._units: list[GuardedUnit | None] = [None] * UNITS
        self._stops_seen = [0] * UNITS
        self._line: socket.socket | None = None
        self._unanswered = 0
        self._is_missing_known = False

    @property
    def state(self) -> GuardianState:
        """Whether it watches; MISSING until it has reported so for the first time."""
        is_watching = self._line is not None and self._memory.state == WATCHING
        is_mute = self._unanswered >= MUTE_PINGS
        return GuardianState.WATCHING if is_watching and not is_mute else GuardianState.MISSING

    # what the guardian reads

    def set_unit(self, at: int, unit: GuardedUnit) -> None:
        """Set how to stop the unit at this index."""
        if unit != self._units[at]:
            self._units[at] = unit
            self._memory.set_units(tuple(self._units))

    def beat(self, turning: tuple[bool, ...]) -> None:
        """The engine's event loop is running, and these units may be turning."""
        self._memory.beat_s = self._clock()
        for at, is_turning in enumerate(turning):
            self._memory.set_turning(at, is_turning=is_turning)

    def mark_turning(self, at: int) -> None:
        """A move is about to be written to this unit."""
        self._memory.beat_s = self._clock()
        if not self._memory.is_turning(at):
            self._memory.set_turning(at, is_turning=True)
            self._wake_child()  # it sleeps while no unit is turning

    def new_stops(self) -> Iterator[tuple[int, float]]:
        """Yield each unit that the guardian has stopped since the last call, and when."""
        for at in range(UNITS):
            count, stopped_at = self._memory.stops(at)
            if count != self._stops_seen[at]:
                self._stops_seen[at] = count
                yield at, stopped_at

    # its process

    async def run(self) -> None:
        """Keep one running until cancelled; it then ends by itself once no unit is left to stop."""
        wait_s = RETRY_FIRST_S
        while True:
            began_at = self._clock()
            failure = await self._run_child()
            if not self._is_missing_known:
                logger.warning("the guardian is missing: %s; if Belvedere hangs now, the head keeps turning", failure)
            self._is_missing_known = True
            wait_s = RETRY_FIRST_S if self._clock() - began_at > STABLE_S else wait_s
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, RETRY_LONGEST_S)

    def close(self) -> None:
        """Release the shared memory; call nothing after this."""
        self._memory.close()

    async def _run_child(self) -> str:
        """Start a guardian and watch it. Returns why it has to be replaced."""
        self._memory.state, self._memory.pong, self._unanswered = STARTING, 0, 0
        child = None
        try:
            self._line, theirs = socket.socketpair()
            self._line.setblocking(False)
            with theirs:
                child = self._start(self._memory.descriptor, theirs.fileno(), self._stop, self._dead_man_s)
            return await self._watch(child)
        except OSError as error:
            return f"it could not be started: {error}"
        finally:
            if self._line is not None:
                self._line.close()  # end of file tells the child that the server has ended
                self._line = None
            if child is not None:
                await _reap(child)

    async def _watch(self, child: ChildProcess) -> str:
        while (status := child.poll()) is None:
            self._memory.ping = (self._memory.ping + 1) % 2**32
            self._wake_child()
            await asyncio.sleep(PING_EVERY_S)
            self._unanswered = 0 if self._memory.pong == self._memory.ping else self._unanswered + 1
            if self._unanswered >= (DEAD_PINGS if self._memory.pong else UNSTARTED_PINGS):
                child.kill()
                return f"it did not answer {self._unanswered} pings"
            self._report_watching()
        return f"it ended with status {status}"

    def _report_watching(self) -> None:
        if self._is_missing_known and self.state is GuardianState.WATCHING:
            self._is_missing_known = False
            logger.info("the guardian is watching again")

    def _wake_child(self) -> None:
        """Make the child read the memory now; a full socket wakes it up just as well."""
        if self._line is not None:
            try:
                self._line.send(b".")
            except OSError:  # full, or the child has ended, which `_watch` notices
                logger.debug("could not wake the guardian: its socket is full or closed")


async def _reap(child: ChildProcess) -> None:
    """Wait briefly for the child to end, to leave no zombie; one that still has a unit to stop ends later by itself."""
    for _ in range(int(LEAVE_S / POLL_S)):
        if child.poll() is not None:
            return
        await asyncio.sleep(POLL_S)
    logger.warning("the guardian keeps running until it has stopped the head")
