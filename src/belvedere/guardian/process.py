"""The server's side of its guardian: starts it, feeds it, notices when it is dead or half dead, and starts it anew.

Whatever is told is a store into shared memory; nothing here waits for the guardian, and nothing that it does or fails
to do touches the driving.
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
MUTE_PINGS, DEAD_PINGS = 1, 2  # it answers within a millisecond; on a computer that swaps, within a second or two
UNSTARTED_PINGS = 15  # starting takes a tenth of a second; on a slow computer that is busy starting, many
RETRY_FIRST_S, RETRY_LONGEST_S = 0.2, 30.0
STABLE_S = 60.0  # one that lived so long has earned a short wait again
LEAVE_S = 0.5  # with nothing to stop it ends within a millisecond; with something it is left to that
POLL_S = 0.01


class GuardianState(enum.StrEnum):
    """What can be relied on."""

    WATCHING = "watching"
    MISSING = "missing"
    NOT_NEEDED = "not needed"


class ChildProcess(Protocol):
    """What is needed of a child (`subprocess.Popen`)."""

    def poll(self) -> int | None:
        """Its exit status, None while it lives."""
        ...

    def kill(self) -> None:
        """End it."""
        ...


def start_child(memory: int, line: int, stop: bytes, dead_man_s: float) -> ChildProcess:
    """A guardian in a session of its own, so that no terminal's Ctrl-C reaches it. Raises OSError.

    It keeps the two open files, and the log; nothing else.
    """
    command = [sys.executable, "-P", "-m", "belvedere.guardian", str(memory), str(line), stop.hex(), str(dead_man_s)]
    return subprocess.Popen(  # noqa: S603 - our own interpreter, and numbers
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=(memory, line), start_new_session=True
    )


class GuardianProcess:
    """A guardian for as long as `run` runs. Raises OSError where this system has no such memory (Linux has).

    `stop` is the only frame that it will ever know; `dead_man_s` how long the server may be silent; `clock` is
    CLOCK_MONOTONIC, which both processes share. All calls come from the loop's own thread, and none of them waits.
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
        """Whether it watches; missing until it has said so for the first time."""
        is_watching = self._line is not None and self._memory.state == WATCHING
        is_mute = self._unanswered >= MUTE_PINGS
        return GuardianState.WATCHING if is_watching and not is_mute else GuardianState.MISSING

    # what the guardian is told

    def set_unit(self, at: int, unit: GuardedUnit) -> None:
        """The unit at this place is told to stop so."""
        if unit != self._units[at]:
            self._units[at] = unit
            self._memory.set_units(tuple(self._units))

    def beat(self, turning: tuple[bool, ...]) -> None:
        """The engine's loop turns, and these units may be turning."""
        self._memory.beat_s = self._clock()
        for at, is_turning in enumerate(turning):
            self._memory.set_turning(at, is_turning=is_turning)

    def mark_turning(self, at: int) -> None:
        """A move is about to be handed to this unit."""
        self._memory.beat_s = self._clock()
        if not self._memory.is_turning(at):
            self._memory.set_turning(at, is_turning=True)
            self._wake_child()  # it sleeps while nothing turns

    def new_stops(self) -> Iterator[tuple[int, float]]:
        """Which units it has stopped since this was asked last, and when."""
        for at in range(UNITS):
            count, stopped_at = self._memory.stops(at)
            if count != self._stops_seen[at]:
                self._stops_seen[at] = count
                yield at, stopped_at

    # its life

    async def run(self) -> None:
        """Keep one alive until cancelled; then it ends, once no unit that it knows of may be turning."""
        wait_s = RETRY_FIRST_S
        while True:
            began_at = self._clock()
            trouble = await self._live()
            if not self._is_missing_known:
                logger.warning("the guardian is missing: %s; if Belvedere hangs now, the head turns on", trouble)
            self._is_missing_known = True
            wait_s = RETRY_FIRST_S if self._clock() - began_at > STABLE_S else wait_s
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, RETRY_LONGEST_S)

    def close(self) -> None:
        """Give the memory back; nothing is told any more."""
        self._memory.close()

    async def _live(self) -> str:
        """Start one and watch it; returns why it is to be replaced."""
        self._memory.state, self._memory.pong, self._unanswered = STARTING, 0, 0
        child = None
        try:
            self._line, theirs = socket.socketpair()
            self._line.setblocking(False)
            with theirs:
                child = self._start(self._memory.descriptor, theirs.fileno(), self._stop, self._dead_man_s)
            return await self._watch(child)
        except OSError as error:
            return f"it cannot be started: {error}"
        finally:
            if self._line is not None:
                self._line.close()  # to it, the server has ended
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
                return f"it did not answer {self._unanswered} times"
            self._tell_watching()
        return f"it ended with status {status}"

    def _tell_watching(self) -> None:
        if self._is_missing_known and self.state is GuardianState.WATCHING:
            self._is_missing_known = False
            logger.info("the guardian watches again")

    def _wake_child(self) -> None:
        """Let it look at the page; if the line is full, it has enough to wake up for."""
        if self._line is not None:
            try:
                self._line.send(b".")
            except OSError:  # full, or it is dead, which `_watch` sees
                logger.debug("the guardian was not woken")


async def _reap(child: ChildProcess) -> None:
    """Leave no zombie; a guardian that still has a unit to stop is left to that, and ends by itself."""
    for _ in range(int(LEAVE_S / POLL_S)):
        if child.poll() is not None:
            return
        await asyncio.sleep(POLL_S)
    logger.warning("the guardian goes on without us until the head is told to stop")
