"""The guardian's process: a thin loop that reads the shared memory, asks `core` what to do, does it, and sleeps."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time

from belvedere.guardian.bluez import BluezConnection, BluezError
from belvedere.guardian.core import Action, Guard, StopMethods
from belvedere.guardian.memory import NO_BLUEZ, UNITS, WATCHING, GuardedUnit, Memory

IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGABRT)  # it must outlive the server that they end
RECONNECT_FIRST_S, RECONNECT_LONGEST_S = 0.1, 5.0
READ_BYTES = 4096
STDERR = 2


class Child:
    """The guardian of the server at the other end of `line`; `stop` is the only frame that it can write."""

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
        self._reported_errors: set[str] = set()

    def run(self) -> None:
        """Run until the server has ended and no unit is left to stop."""
        while not self._guard.is_done:
            self._connect_bluez()
            now = time.monotonic()  # before reading the memory: were we held up in between, a fresh beat would look old
            self._update(now)
            self._do(self._guard.tick(now))
            self._report()
            if not self._guard.is_done:
                self._sleep()

    def _update(self, now: float) -> None:
        """Read the shared memory. The turning flags before the beat: the server writes them in the opposite order."""
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

    def _connect_bluez(self) -> None:
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
        """Drop the connection and schedule another attempt; logs only the first failure."""
        if self._memory.state != NO_BLUEZ:
            log_warning(f"cannot reach BlueZ: {error}")
        self._memory.state = NO_BLUEZ
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
            self._guard.receive_answer(time.monotonic(), number, "not connected to BlueZ")

    def _report(self) -> None:
        """Log that stopping began; only after the stops were sent, which must not wait for a log."""
        is_stopping = self._guard.is_stopping
        if is_stopping and not self._was_stopping:
            self._reported_errors.clear()
            log_warning("the server has stopped responding while the head may be turning: stopping the head")
        self._was_stopping = is_stopping

    def _sleep(self) -> None:
        """Wait until something can be read or is due; then read it."""
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
        """The server sends a byte to have the memory read; end of file means that it has ended."""
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
        if error is not None and error not in self._reported_errors:
            self._reported_errors.add(error)
            log_warning(f"BlueZ refused to stop or disconnect a unit: {error}")


def log_warning(line: str) -> None:
    """Write a warning to stderr, unless that could block: a full pipe must not hang the guardian."""
    with contextlib.suppress(OSError):  # and a closed pipe must not end it
        if select.select([], [STDERR], [], 0)[1]:
            os.write(STDERR, f"WARNING belvedere.guardian: {line}\n".encode())


def main(arguments: list[str]) -> None:
    """`python -m belvedere.guardian MEMORY LINE STOP DEAD_MAN_S`: two open descriptors, a frame in hex, seconds."""
    memory, line, stop, dead_man_s = arguments
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=int(line)) as ours:
        ours.setblocking(False)
        Child(Memory(int(memory)), ours, bytes.fromhex(stop), float(dead_man_s)).run()
