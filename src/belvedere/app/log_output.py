"""Writes log lines in a thread, so that a pipe that nobody reads never blocks the event loop that drives.

Strangers can cause log lines. So each kind of line has a rate limit, no message can contain a line break, and if lines
come faster than they can be written, the newest are dropped and counted.
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
FLUSH_TIMEOUT_S: Final = 1.0  # when the program ends
WRITABLE_TIMEOUT_S: Final = 1.0  # between two attempts to write to a full pipe that does not block
FORMAT: Final = "%(levelname)s %(name)s: %(message)s"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class LogOutput(logging.Handler):
    """Formats records in the calling thread and writes them in its own; callers never wait for the file.

    Every kind of line is limited (see LineLimits), except at level CRITICAL.
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
        """Queue a record's line, unless its kind is over the limit or the queue is full."""
        now = self._clock()
        self._report_suppressed(now)
        kind = f"{record.levelname} {record.name}: {record.msg if isinstance(record.msg, str) else type(record.msg)}"
        if record.levelno < logging.CRITICAL and not self._limits.take(now, kind):
            return
        try:
            self._put(self.format(record))
        except Exception as error:  # noqa: BLE001 - arguments that do not match the message must not end the caller
            self._put(f"{record.levelname} {record.name}: a line that cannot be formatted ({type(error).__name__})")

    def close(self) -> None:
        """Write the queued lines, for at most FLUSH_TIMEOUT_S."""
        with self.lock or contextlib.nullcontext():
            self._report_suppressed(self._clock() + WINDOW_S)
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=FLUSH_TIMEOUT_S)
            self._thread.join(FLUSH_TIMEOUT_S)
        super().close()

    def _report_suppressed(self, now: float) -> None:
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
                    self._report_suppressed(self._clock())
                continue
            dropped, self._dropped = self._dropped, 0
            if dropped:
                _write(
                    self._descriptor,
                    f"WARNING {__name__}: dropped {dropped} log lines that could not be written in time",
                )
            if line is None:
                return
            _write(self._descriptor, line)


@contextlib.contextmanager
def logging_to(descriptor: int) -> Iterator[None]:
    """Write all log records from INFO on to this file descriptor, until the end of the block.

    What Python itself writes to stderr is logged too: writing to a pipe that nobody reads would block its thread.
    """
    root = logging.getLogger()
    output, level = LogOutput(descriptor), root.level
    root.addHandler(output)
    root.setLevel(logging.INFO)
    for name in ("bumble", "aioice", "aiortc", "botocore"):
        logging.getLogger(name).setLevel(logging.ERROR)  # they log every packet, candidate or client
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
    """Log an error that asyncio or uvloop could not raise anywhere (an event loop's exception handler).

    OSErrors (broken connections, too many open files) are not our bugs, so they are logged without a traceback.
    """
    error = context.get("exception")
    is_bug = not isinstance(error, OSError | asyncio.CancelledError)
    level = logging.ERROR if is_bug else logging.WARNING
    detail = f"{type(error).__name__}: {error}" if error is not None else ""
    logging.getLogger("asyncio").log(
        level, "%s %s", context.get("message", ""), detail, exc_info=error if is_bug and error is not None else None
    )


def _report_unraisable(found: sys.UnraisableHookArgs) -> None:
    """Log an error in `__del__` or similar. Only the object's name is logged: a reference would keep it alive."""
    where = getattr(found.object, "__qualname__", type(found.object).__name__)
    logging.getLogger("python").error("%s: %s", found.err_msg or "ignored in", where, exc_info=found.exc_value)


def _report_of_thread(failed: threading.ExceptHookArgs) -> None:
    name = failed.thread.name if failed.thread is not None else "that has ended"
    logging.getLogger("python").error("a thread failed: %s", name, exc_info=failed.exc_value)


class _OneLine(logging.Formatter):
    """Formats a message as one line of bounded length without control characters; a traceback follows unchanged."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return _without_control(super().formatMessage(record))[:LONGEST_LINE]


def _without_control(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _write(descriptor: int, line: str) -> None:
    """Write one complete line. Errors are ignored: a closed pipe or a full disk must not end the program."""
    data = f"{line}\n".encode(errors="backslashreplace")
    with contextlib.suppress(OSError):
        while data:
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:  # another process that shares the file made it non-blocking
                select.select([], [descriptor], [], WRITABLE_TIMEOUT_S)
