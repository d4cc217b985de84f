"""Sends signals to one output, from the event loop: one at a time, in a thread, and only the newest of those that wait.

    IDLE -> SENDING -> PAUSING -> IDLE, or SENDING again with what came meanwhile

An output that fails, hangs or never returns costs the room this signal and a line in the log; nothing else.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from belvedere.errors import SignalError
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.room.signal_outputs import SignalOutput

logger = logging.getLogger(__name__)

STUCK_S: Final = 20.0  # longer than any output takes whose names are found
RETRY_S: Final = 30.0
CLOSE_TIMEOUT_S: Final = 2.0


class _State(enum.Enum):
    IDLE = enum.auto()
    SENDING = enum.auto()
    PAUSING = enum.auto()


def start_thread(run: Callable[[], None]) -> None:
    """Run a function in a thread that never delays the program's end."""
    threading.Thread(target=run, name="signal", daemon=True).start()


class SignalSender:
    """Tells one chime or light what to say.

    Args:
        name: what it is called in the log, as in "the chime".
        output: what is told.
        pause_s: the least time between two.
        is_repeated: whether a signal that failed is sent again until it succeeds or another replaces it: a light, but
            no chime, which would ring when nobody is there any more.
        on_changed: called when `has_fault` has changed.
        start: runs a function in a thread.
    """

    def __init__(
        self,
        name: str,
        output: SignalOutput,
        *,
        pause_s: float,
        is_repeated: bool,
        on_changed: Callable[[], None] = lambda: None,
        start: Callable[[Callable[[], None]], None] = start_thread,
    ) -> None:
        self._name = name
        self._output = output
        self._pause_s = pause_s
        self._is_repeated = is_repeated
        self._on_changed = on_changed
        self._start = start
        self._state = _State.IDLE
        self._waiting: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._stopping = threading.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.has_fault = False

    def send(self, word: str) -> None:
        """Send this as soon as possible, in place of what still waits. Never blocks; ignored after `close`."""
        if self._stopping.is_set():
            return
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self._waiting = word
        self._idle.clear()
        if self._state is _State.IDLE:
            self._send_waiting()

    async def close(self) -> None:
        """Wait for a short time until all has been sent, then end what still runs."""
        with suppress(TimeoutError):
            async with timeout(CLOSE_TIMEOUT_S):
                await self._idle.wait()
        self._stopping.set()
        self._waiting = None
        for timer in (self._timer, self._retry):
            if timer is not None:
                timer.cancel()

    def _send_waiting(self) -> None:
        word, self._waiting = self._waiting, None
        if word is None or self._stopping.is_set():
            self._state = _State.IDLE
            self._idle.set()
            return
        self._state = _State.SENDING
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(STUCK_S, self._receive_fault, "it has not answered yet")
        try:
            self._start(lambda: self._run(loop, word))
        except RuntimeError as error:  # no thread can be started
            self._receive(word, error)

    def _run(self, loop: asyncio.AbstractEventLoop, word: str) -> None:
        """Send it, in the thread."""
        error: Exception | None = None
        try:
            self._output.send(word, self._stopping)
        except Exception as raised:  # noqa: BLE001 - whatever it is, it is logged
            error = raised
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(self._receive, word, error)

    def _receive(self, word: str, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._stopping.is_set():
            return
        loop = asyncio.get_running_loop()
        if error is not None:
            self._receive_fault(str(error) if isinstance(error, SignalError) else repr(error))
            if self._is_repeated and self._waiting is None:
                self._retry = loop.call_later(RETRY_S, self.send, word)
        elif self.has_fault:
            logger.info("the %s works again", self._name)
            self.has_fault = False
            self._on_changed()
        if self._waiting is None:
            self._idle.set()
        self._state = _State.PAUSING
        self._timer = loop.call_later(self._pause_s, self._send_waiting)

    def _receive_fault(self, problem: str) -> None:
        logger.log(logging.DEBUG if self.has_fault else logging.WARNING, "the %s failed: %s", self._name, problem)
        if not self.has_fault:
            self.has_fault = True
            self._on_changed()
