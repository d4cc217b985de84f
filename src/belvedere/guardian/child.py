"""The guardian's process: a thin shell that reads what is told, asks `core` what to do, does it, and sleeps."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time

from belvedere.guardian.bluez import BluezConnection, BluezError
from belvedere.guardian.core import Action, Guard, StopMethods
from belvedere.guardian.memory import BLIND, UNITS, WATCHING, GuardedUnit, Memory

IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # it ends when its server does, and not before
RECONNECT_FIRST_S, RECONNECT_LONGEST_S = 0.1, 5.0
READ_BYTES = 4096
STDERR = 2


class Child:
    """One guardian of one server, which holds the other end of `line`; `stop` is the only thing it can write."""

    def __init__(self, memory: Memory, line: socket.socket, stop: bytes, dead_man_s: float) -> None:
        self._memory = memory
        self._line = line
        self._stop = stop
        self._guard = Guard(dead_man_s)
        self._units: tuple[GuardedUnit | None, ...] = ()
        self._bluez: BluezConnection | None = None
        self._reconnect_at, self._reconnect_s = 0.0, RECONNECT_FIRST_S
        self._poll = select.poll()
        self._poll.register(line, select.POLLIN)
        self._was_stopping = False
        self._told_errors: set[str] = set()

    def run(self) -> None:
        """Watch until the server has ended and nothing is left to stop."""
        while not self._guard.is_done:
            self._reach_bluez()
            now = time.monotonic()  # before the page is read: who beats after this is not silent, however late we are
            self._update(now)
            self._do(self._guard.tick(now))
            self._tell()
            if not self._guard.is_done:
                self._sleep()

    def _update(self, now: float) -> None:
        """Read the page. The turning flags first: whoever sets one has beaten before."""
        memory = self._memory
        ping = memory.ping
        turning = [unit for unit in range(UNITS) if memory.is_turning(unit)]
        beat_s = memory.beat_s
        units = memory.units()
        if units is not None and units != self._units:
            self._units = units
            known = enumerate(units)
            self._guard.receive_methods(
                (at, StopMethods(u.by_command, u.by_request)) for at, u in known if u is not None
            )
        self._guard.receive_beat(now, beat_s, turning)
        if memory.pong != ping:
            memory.pong = ping

    def _reach_bluez(self) -> None:
        is_early = time.monotonic() < self._reconnect_at and not self._guard.is_stopping
        if self._bluez is not None or is_early:
            return
        try:
            self._bluez = BluezConnection(self._stop)
        except BluezError as error:
            self._lose_bluez(error)
            return
        self._reconnect_s = RECONNECT_FIRST_S
        self._memory.state = WATCHING
        self._poll.register(self._bluez.socket, select.POLLIN)

    def _lose_bluez(self, error: BluezError) -> None:
        """Go on without, and try again; only the first failure is told."""
        if self._memory.state != BLIND:
            say(f"no way to BlueZ: {error}")
        self._memory.state = BLIND
        if self._bluez is not None:
            self._poll.unregister(self._bluez.socket)
            self._bluez.close()
            self._bluez = None
        self._reconnect_at = time.monotonic() + self._reconnect_s
        self._reconnect_s = min(2 * self._reconnect_s, RECONNECT_LONGEST_S)

    def _do(self, actions: list[Action]) -> None:
        for number, at, method in actions:
            unit = self._units[at]
            try:
                if self._bluez is not None and unit is not None:
                    self._bluez.call(number, unit, method)
                    continue
            except BluezError as error:
                self._lose_bluez(error)
            self._guard.receive_answer(time.monotonic(), number, "no way to BlueZ")

    def _tell(self) -> None:
        """What somebody should know, after all is done that could wait for nobody."""
        is_stopping = self._guard.is_stopping
        if is_stopping and not self._was_stopping:
            self._told_errors.clear()
            say("the server is silent while the head may be turning: telling it to stop")
        self._was_stopping = is_stopping

    def _sleep(self) -> None:
        """Until something can be read, or something is due; then read it."""
        if self._bluez is not None:
            self._poll.modify(self._bluez.socket, select.POLLIN | self._bluez.wants_to_send * select.POLLOUT)
        for descriptor, _event in self._poll.poll(self._poll_timeout_ms()):
            if descriptor == self._line.fileno():
                self._receive()
            elif self._bluez is not None and descriptor == self._bluez.socket.fileno():
                self._receive_bluez(self._bluez)

    def _poll_timeout_ms(self) -> int | None:
        deadlines = [self._guard.deadline(), self._reconnect_at if self._bluez is None else None]
        at = min((deadline for deadline in deadlines if deadline is not None), default=None)
        return None if at is None else max(0, int((at - time.monotonic()) * 1000) + 1)

    def _receive(self) -> None:
        """The server knocks so that the page is read, or has hung up."""
        try:
            is_there = bool(self._line.recv(READ_BYTES))
        except BlockingIOError:
            return
        except OSError:
            is_there = False
        if not is_there:
            self._poll.unregister(self._line)
            self._guard.receive_gone()

    def _receive_bluez(self, bluez: BluezConnection) -> None:
        try:
            bluez.send()
            for number, error in bluez.answers():
                self._receive_answer(number, error)
        except BluezError as error:
            self._lose_bluez(error)

    def _receive_answer(self, number: int, error: str | None) -> None:
        now = time.monotonic()
        unit = self._guard.receive_answer(now, number, error)
        if unit is not None:
            self._memory.add_stop(unit, now)
        if error is not None and error not in self._told_errors:
            self._told_errors.add(error)
            say(f"BlueZ refuses a stop, or to hang up: {error}")


def say(line: str) -> None:
    """Write to the log, unless that could wait: a guardian does not hang on a stuck pipe."""
    with contextlib.suppress(OSError):  # nor does it end because nobody reads the log any more
        if select.select([], [STDERR], [], 0)[1]:
            os.write(STDERR, f"WARNING belvedere.guardian: {line}\n".encode())


def main(arguments: list[str]) -> None:
    """`python -m belvedere.guardian MEMORY LINE STOP DEAD_MAN_S`: two open files, a frame in hex, seconds."""
    memory, line, stop, dead_man_s = arguments
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=int(line)) as ours:
        ours.setblocking(False)
        Child(Memory(int(memory)), ours, bytes.fromhex(stop), float(dead_man_s)).run()
