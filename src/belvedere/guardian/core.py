"""Decides when the guardian stops a unit in the server's place, how it goes on, and when it is done. Pure.

    listening ── silent for the dead-man time, or the server gone ──> stopping, for each unit that may be turning
    stopping  ── the server beats again ──> listening
    stopping  ── every unit told ──> resting (until the server beats again), or done where the server is gone

The table of actions is the whole of what it can do: write the one stop that it was given, or hang up. There is no word
for a move in here. A unit is told to stop by commands first, which nothing can hold up, then by a request that the unit
acknowledges, over and over until it does. Whoever cannot be told within `DISCONNECT_AFTER_S` is hung up on, too.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMANDS = 3  # a stop that nobody acknowledges is said so often
COMMAND_EVERY_S = 0.05  # so long apart, which is about a connection interval
REQUEST_EVERY_S = 0.25  # an acknowledgement takes two intervals; behind a dead server's request it takes longer
DISCONNECT_AFTER_S = 1.0  # BlueZ has then failed some ten times
DISCONNECT_EVERY_S = 0.5
ABANDON_AFTER_S = 6.0  # hanging up takes BlueZ two seconds; nothing that could still be done would reach the unit

NOT_THERE = frozenset(  # there is no link to hang up
    {
        "org.bluez.Error.NotConnected",
        "org.freedesktop.DBus.Error.UnknownObject",
        "org.freedesktop.DBus.Error.UnknownMethod",
    }
)


class StopMethod(enum.Enum):
    """All that the guardian can do about a unit."""

    COMMAND = "command"
    REQUEST = "request"
    DISCONNECT = "hang up"


class Action(NamedTuple):
    """Do this about that unit, and tell `receive_answer` under this number what BlueZ answered."""

    number: int
    unit: int
    method: StopMethod


class StopMethods(NamedTuple):
    """How a unit can be written to."""

    by_command: bool
    by_request: bool


class _Stopping:
    """One unit that is being stopped."""

    def __init__(self, methods: StopMethods, now: float) -> None:
        command = [StopMethod.COMMAND] * COMMANDS if methods.by_command else []
        self._round = [*command, StopMethod.REQUEST] if methods.by_request or not command else command  # never empty
        self._is_acknowledged = StopMethod.REQUEST in self._round
        self._turn = 0
        self._accepted = 0
        self._write_at = now
        self._disconnect_at = now + DISCONNECT_AFTER_S
        self._deadline_at = now + ABANDON_AFTER_S
        self.is_over = False

    def tick(self, now: float) -> list[StopMethod]:
        """What to do now."""
        self.is_over = self.is_over or now >= self._deadline_at
        todo: list[StopMethod] = []
        if self.is_over:
            return todo
        if now >= self._write_at:
            method = self._round[self._turn % len(self._round)]
            self._turn += 1
            self._write_at = now + (REQUEST_EVERY_S if method is StopMethod.REQUEST else COMMAND_EVERY_S)
            todo.append(method)
        if now >= self._disconnect_at:
            self._disconnect_at = self._deadline_at  # one is enough, unless BlueZ refuses it
            todo.append(StopMethod.DISCONNECT)
        return todo

    def deadline(self) -> float:
        """When there is something to do next."""
        return min(self._write_at, self._disconnect_at, self._deadline_at)

    def receive_answer(self, now: float, method: StopMethod, error: str | None) -> None:
        """BlueZ did it, or says why not."""
        if method is StopMethod.DISCONNECT:
            self.is_over = self.is_over or error is None or error in NOT_THERE
            self._disconnect_at = min(self._disconnect_at, now + DISCONNECT_EVERY_S)
        elif error is not None:
            self._write_at = min(self._write_at, now + COMMAND_EVERY_S)
        else:
            self._accepted += 1
            is_told = method is StopMethod.REQUEST or (not self._is_acknowledged and self._accepted >= COMMANDS)
            self.is_over = self.is_over or is_told

    @property
    def was_taken(self) -> bool:
        """Whether BlueZ has taken a stop."""
        return self._accepted > 0


class Guard:
    """The guardian's mind; all times are seconds of one monotonic clock, and units are numbers.

    Whoever runs it tells what it sees with `receive_*`, carries out what `tick` returns, and calls `tick` again at
    `deadline()` at the latest.
    """

    def __init__(self, dead_man_s: float) -> None:
        self._dead_man_s = dead_man_s
        self._methods: dict[int, StopMethods] = {}
        self._turning: frozenset[int] = frozenset()
        self._beat_s: float | None = None
        self._heard_at = 0.0
        self._is_gone = False
        self._stopping: dict[int, _Stopping] = {}
        self._open: dict[int, tuple[int, _Stopping, StopMethod]] = {}
        self._numbers = 0
        self._looked_at = 0.0

    @property
    def is_stopping(self) -> bool:
        """Whether units are being stopped right now."""
        return any(not stopping.is_over for stopping in self._stopping.values())

    @property
    def is_done(self) -> bool:
        """Whether there is nobody left to watch and nothing left to stop."""
        return self._is_gone and not self.is_stopping and not self._untold()

    def receive_methods(self, units: Iterable[tuple[int, StopMethods]]) -> None:
        """These are the units that can be told something, and how."""
        self._methods = dict(units)

    def receive_beat(self, now: float, beat_s: float, turning: Iterable[int]) -> None:
        """The server's last beat was at `beat_s`; these units may be turning. A beat that is new ends all stopping."""
        turning = frozenset(turning)
        if beat_s != self._beat_s:
            self._beat_s = beat_s
            self._heard_at = min(now, beat_s)
            self._stopping, self._open = {}, {}
        self._turning = turning

    def receive_gone(self) -> None:
        """The server has ended, one way or the other."""
        self._is_gone = True

    def receive_answer(self, now: float, number: int, error: str | None) -> int | None:
        """What BlueZ answered to an action; returns the unit, where this was its first stop that BlueZ has taken."""
        if number not in self._open:  # from before the server came back
            return None
        unit, stopping, method = self._open.pop(number)
        was_taken = stopping.was_taken
        stopping.receive_answer(now, method, error)
        return unit if stopping.was_taken and not was_taken else None

    def tick(self, now: float) -> list[Action]:
        """What to do now, before anything else."""
        self._looked_at = now
        if not self._is_silent(now):
            return []
        self._stopping |= {unit: _Stopping(self._methods[unit], now) for unit in self._untold()}
        actions = []
        for unit, stopping in self._stopping.items():
            for method in stopping.tick(now):
                self._numbers += 1
                self._open[self._numbers] = (unit, stopping, method)
                actions.append(Action(self._numbers, unit, method))
        return actions

    def deadline(self) -> float | None:
        """When `tick` has something to do, if nothing happens before; None while it need not look at all."""
        stopping = [one.deadline() for one in self._stopping.values() if not one.is_over]
        if stopping:
            return min(stopping)
        if not self._turning or self._is_gone:
            return None
        if self._is_silent(self._looked_at):  # all that can be is told; a server that wakes up again is watched anew
            return self._looked_at + self._dead_man_s
        return self._heard_at + self._dead_man_s

    def _untold(self) -> list[int]:
        """The units that may be turning, can be told to stop, and are not being told yet."""
        return sorted((self._turning & self._methods.keys()) - self._stopping.keys())

    def _is_silent(self, now: float) -> bool:
        return self._is_gone or (bool(self._turning) and now >= self._heard_at + self._dead_man_s)
