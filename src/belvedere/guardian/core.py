"""Decides when the guardian stops units in place of the server, how, and when it is done. Pure.

The server keeps a beat in shared memory, the time when its event loop last turned, and a flag per unit that may be
turning.

                  turning, and no beat for the dead-man time;
                          or the server has ended                 each unit stopped, disconnected or abandoned
    WATCHING ───────────────────────────────────────> STOPPING ──────────────────────────────────────────────> STOPPED
       ^                                                 │                                                     │    │
       └───────────────── a new beat ────────────────────┴─────────────────────────────────────────────────────┘    │
                                                                                    DONE, if the server has ended <─┘

A new beat ends the stopping: the server is in control again, and itself ends every hold whose time is over before it
writes anything.

Each unit is stopped independently, in rounds: writes without response first, because an unanswered request of the dead
server cannot block them, then one write with response, repeated until the unit acknowledges it. If that takes longer
than `DISCONNECT_AFTER_S`, the unit is also disconnected. `StopMethod` lists all that the guardian can do: it has no
means to make a unit move.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMANDS = 3  # a stop that cannot be acknowledged is written this often
COMMAND_EVERY_S = 0.05  # about one connection interval
REQUEST_EVERY_S = 0.25  # an acknowledgement takes two intervals, or longer behind an unanswered request of the server
DISCONNECT_AFTER_S = 1.0  # after some ten failed writes
DISCONNECT_EVERY_S = 0.5
ABANDON_AFTER_S = 6.0  # disconnecting takes BlueZ two seconds; after that nothing could still reach the unit

NOT_CONNECTED = frozenset(  # there is no link left to disconnect
    {
        "org.bluez.Error.NotConnected",
        "org.freedesktop.DBus.Error.UnknownObject",
        "org.freedesktop.DBus.Error.UnknownMethod",
    }
)


class StopMethod(enum.Enum):
    """Everything that the guardian can do to a unit: write a stop without response or with it, or disconnect."""

    COMMAND = "command"
    REQUEST = "request"
    DISCONNECT = "disconnect"


class Action(NamedTuple):
    """Apply `method` to `unit`, and pass BlueZ's answer to `receive_answer` with this `number`."""

    number: int
    unit: int
    method: StopMethod


class StopMethods(NamedTuple):
    """Which kinds of write a unit supports: without response (`by_command`), with response (`by_request`)."""

    by_command: bool
    by_request: bool


class _Stopping:
    """The stopping of one unit."""

    def __init__(self, methods: StopMethods, now: float) -> None:
        command = [StopMethod.COMMAND] * COMMANDS if methods.by_command else []
        self._round = [*command, StopMethod.REQUEST] if methods.by_request or not command else command
        # Never empty: a unit of which nothing is known is sent requests, and BlueZ's error then ends in a disconnect.
        self._is_acknowledged = StopMethod.REQUEST in self._round
        self._turn = 0
        self._accepted = 0
        self._write_at = now
        self._disconnect_at = now + DISCONNECT_AFTER_S
        self._deadline_at = now + ABANDON_AFTER_S
        self.is_over = False

    def tick(self, now: float) -> list[StopMethod]:
        """Return what to do now."""
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
            self._disconnect_at = (
                self._deadline_at
            )  # once is enough, unless BlueZ refuses: then `receive_answer` moves it up
            todo.append(StopMethod.DISCONNECT)
        return todo

    def deadline(self) -> float:
        """When there is something to do next."""
        return min(self._write_at, self._disconnect_at, self._deadline_at)

    def receive_answer(self, now: float, method: StopMethod, error: str | None) -> None:
        """BlueZ has executed `method`, or failed with `error`."""
        if method is StopMethod.DISCONNECT:
            self.is_over = self.is_over or error is None or error in NOT_CONNECTED
            self._disconnect_at = min(self._disconnect_at, now + DISCONNECT_EVERY_S)
        elif error is not None:
            self._write_at = min(self._write_at, now + COMMAND_EVERY_S)
        else:
            self._accepted += 1
            has_stop = method is StopMethod.REQUEST or (not self._is_acknowledged and self._accepted >= COMMANDS)
            self.is_over = self.is_over or has_stop

    @property
    def was_taken(self) -> bool:
        """Whether BlueZ has accepted a stop."""
        return self._accepted > 0


class Guard:
    """The guardian's decisions. All times are seconds of one monotonic clock; units are numbers.

    The caller passes on what it reads with `receive_*`, executes what `tick` returns, and calls `tick` again at
    `deadline()` at the latest.
    """

    def __init__(self, dead_man_s: float) -> None:
        self._dead_man_s = dead_man_s
        self._methods: dict[int, StopMethods] = {}
        self._turning: frozenset[int] = frozenset()
        self._beat_s: float | None = None
        self._last_beat_at = 0.0
        self._is_gone = False
        self._stopping: dict[int, _Stopping] = {}
        self._open: dict[int, tuple[int, _Stopping, StopMethod]] = {}
        self._numbers = 0
        self._last_tick_at = 0.0

    @property
    def is_stopping(self) -> bool:
        """Whether units are being stopped right now."""
        return any(not stopping.is_over for stopping in self._stopping.values())

    @property
    def is_done(self) -> bool:
        """Whether the server has ended and no unit is left to stop."""
        return self._is_gone and not self.is_stopping and not self._unstopped()

    def receive_methods(self, units: Iterable[tuple[int, StopMethods]]) -> None:
        """Set the units that can be stopped, and the writes that each supports."""
        self._methods = dict(units)

    def receive_beat(self, now: float, beat_s: float, turning: Iterable[int]) -> None:
        """The server's last beat was at `beat_s`; these units may be turning. A new beat ends all stopping."""
        turning = frozenset(turning)
        if beat_s != self._beat_s:
            self._beat_s = beat_s
            self._last_beat_at = min(now, beat_s)  # never in the future, or silence would be noticed late
            self._stopping, self._open = {}, {}
        self._turning = turning

    def receive_gone(self) -> None:
        """The server has ended, by itself or killed."""
        self._is_gone = True

    def receive_answer(self, now: float, number: int, error: str | None) -> int | None:
        """BlueZ answered an action. Returns the unit if this was the first stop accepted for it, else None."""
        if number not in self._open:  # sent before the server came back
            return None
        unit, stopping, method = self._open.pop(number)
        was_taken = stopping.was_taken
        stopping.receive_answer(now, method, error)
        return unit if stopping.was_taken and not was_taken else None

    def tick(self, now: float) -> list[Action]:
        """Return the actions to execute now."""
        self._last_tick_at = now
        if not self._is_silent(now):
            return []
        self._stopping |= {unit: _Stopping(self._methods[unit], now) for unit in self._unstopped()}
        actions = []
        for unit, stopping in self._stopping.items():
            for method in stopping.tick(now):
                self._numbers += 1
                self._open[self._numbers] = (unit, stopping, method)
                actions.append(Action(self._numbers, unit, method))
        return actions

    def deadline(self) -> float | None:
        """When to call `tick` again if nothing happens before; None if only an event can change anything."""
        stopping = [one.deadline() for one in self._stopping.values() if not one.is_over]
        if stopping:
            return min(stopping)
        if not self._turning or self._is_gone:
            return None
        if self._is_silent(self._last_tick_at):  # all is done; look again for units that became known since
            return self._last_tick_at + self._dead_man_s
        return self._last_beat_at + self._dead_man_s

    def _unstopped(self) -> list[int]:
        """The units that may be turning, can be stopped, and are not being stopped yet."""
        return sorted((self._turning & self._methods.keys()) - self._stopping.keys())

    def _is_silent(self, now: float) -> bool:
        return self._is_gone or (bool(self._turning) and now >= self._last_beat_at + self._dead_man_s)
