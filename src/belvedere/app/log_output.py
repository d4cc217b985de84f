"""Writes log lines from a thread of its own, so that a pipe that nobody reads never holds up the loop that drives.

What strangers can cause comes often: one kind of line is limited, one line stays one line, and when lines cannot be
written as quickly as they come, the newest are dropped and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import re
import select
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from belvedere.app.log_limits import WINDOW_S, LineLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_WAITING: Final = 1000  # lines
LONGEST_LINE: Final = 2000  # characters
FLUSH_TIMEOUT_S: Final = 1.0  # at the end
WRITABLE_TIMEOUT_S: Final = 1.0  # between two looks at a pipe that takes nothing, without blocking
FORMAT: Final = "%(levelname)s %(name)s: %(message)s"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class LogOutput(logging.Handler):
    """Formats a record where it was made, and leaves the writing to its thread; nothing here waits for the file.

    Every kind of line but CRITICAL is limited (see LineLimits).
    """

    def __init__(self, descriptor: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.setFormatter(_OneLine(FORMAT))
        self._descriptor = descriptor
        self._clock = clock
        self._limits = LineLimits()
        self._waiting: queue.Queue[str | None] = queue.Queue(MAX_WAITING)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, unless it was said often enough or nobody takes it."""
        now = self._clock()
        self._tell_held_back(now)
        kind = f"{record.levelname} {record.name}: {record.msg if isinstance(record.msg, str) else type(record.msg)}"
        if record.levelno < logging.CRITICAL and not self._limits.take(now, kind):
            return
        try:
            self._put(self.format(record))
        except Exception as error:  # noqa: BLE001 - a record whose arguments do not fit its words must not end a loop
            self._put(f"{record.levelname} {record.name}: a line that cannot be formatted ({type(error).__name__})")

    def close(self) -> None:
        """Write what waits, for at most FLUSH_WITHIN_S."""
        with self.lock or contextlib.nullcontext():
            self._tell_held_back(self._clock() + WINDOW_S)
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=FLUSH_TIMEOUT_S)
            self._thread.join(FLUSH_TIMEOUT_S)
        super().close()

    def _tell_held_back(self, now: float) -> None:
        for kind, number in self._limits.tick(now):
            self._put(f"{_without_control(kind)} … and {number} more in the last {WINDOW_S:.0f} s")

    def _put(self, line: str) -> None:
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def _write_all(self) -> None:
        while True:
            try:
                line = self._waiting.get(timeout=WINDOW_S)
            except queue.Empty:
                with self.lock or contextlib.nullcontext():
                    self._tell_held_back(self._clock())
                continue
            dropped, self._dropped = self._dropped, 0
            if dropped:
                _write(self._descriptor, f"WARNING {__name__}: {dropped} lines were dropped, because nobody took them")
            if line is None:
                return
            _write(self._descriptor, line)


@contextlib.contextmanager
def logging_to(descriptor: int) -> Iterator[None]:
    """Have everything logged from INFO on written to this file, until the end of the block.

    What Python would write to stderr by itself is logged, too: a pipe that nobody reads would hold its thread up.
    """
    root = logging.getLogger()
    output, level = LogOutput(descriptor), root.level
    root.addHandler(output)
    root.setLevel(logging.INFO)
    for name in ("bumble", "aioice", "aiortc"):
        logging.getLogger(name).setLevel(logging.ERROR)  # they tell every packet's and candidate's story
    hooks = sys.unraisablehook, threading.excepthook
    logging.captureWarnings(capture=True)
    sys.unraisablehook, threading.excepthook = _report_unraisable, _report_of_thread
    try:
        yield
    finally:
        sys.unraisablehook, threading.excepthook = hooks
        logging.captureWarnings(capture=False)
        root.setLevel(level)
        root.removeHandler(output)
        output.close()


def report_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio or uvloop could not hand to anyone: one line, with a traceback only where it may be our fault.

    A connection that broke, or files that ran out, is the network's or the machine's.
    """
    error = context.get("exception")
    is_ours = not isinstance(error, OSError | asyncio.CancelledError)
    level = logging.ERROR if is_ours else logging.WARNING
    told = f"{type(error).__name__}: {error}" if error is not None else ""
    logging.getLogger("asyncio").log(
        level, "%s %s", context.get("message", ""), told, exc_info=error if is_ours and error is not None else None
    )


def _report_unraisable(found: sys.UnraisableHookArgs) -> None:
    """What failed where nobody could be told, as in `__del__`; the object itself must not live on by being logged."""
    where = getattr(found.object, "__qualname__", type(found.object).__name__)
    logging.getLogger("python").error("%s: %s", found.err_msg or "ignored in", where, exc_info=found.exc_value)


def _report_of_thread(failed: threading.ExceptHookArgs) -> None:
    name = failed.thread.name if failed.thread is not None else "that has ended"
    logging.getLogger("python").error("a thread failed: %s", name, exc_info=failed.exc_value)


class _OneLine(logging.Formatter):
    """A message is one line of bounded length without control characters; a traceback follows as it is."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return _without_control(super().formatMessage(record))[:LONGEST_LINE]


def _without_control(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _write(descriptor: int, line: str) -> None:
    """Write one line whole; a file that nobody reads any more, or that is full, takes nothing and is no error."""
    data = f"{line}\n".encode(errors="backslashreplace")
    with contextlib.suppress(OSError):
        while data:
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:  # whoever shares the file made it so
                select.select([], [descriptor], [], WRITABLE_TIMEOUT_S)
