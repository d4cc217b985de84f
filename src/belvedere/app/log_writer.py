"""Writes log lines from a thread of its own: whoever logs never waits for a disk, a terminal or a pipe's reader."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections import deque

KEPT_LINES = 1000  # while nobody takes them; the oldest stay, because they say how it began
DRAIN_S = 1.0  # at the end


class LogWriter(logging.Handler):
    """A handler that keeps at most `kept` lines while its descriptor takes none, and then says how many were lost.

    Only its thread writes to the descriptor, past Python's buffers: their locks could be held for ever, and the
    interpreter cannot end then.
    """

    def __init__(self, descriptor: int, *, kept: int = KEPT_LINES) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._kept = kept
        self._waiting: deque[str] = deque()
        self._lost = 0
        self._is_writing = False
        self._is_closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Have a record written soon; never waits, never raises."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - a log line that cannot be formatted must not hurt whoever logs
            line = f"ERROR {__name__}: a log line could not be formatted: {record.msg!r}"
        with self._changed:
            if len(self._waiting) < self._kept:
                self._waiting.append(line)
            else:
                self._lost += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Write what waits, for at most `DRAIN_S`, and end; what is logged later is dropped."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._waiting or self._is_writing), DRAIN_S)
            self._is_closed = True
            self._changed.notify_all()
        super().close()

    def _write_all(self) -> None:
        while (line := self._next()) is not None:
            self._write(line.encode(errors="backslashreplace") + b"\n")

    def _next(self) -> str | None:
        """The next line, as soon as there is one; None at the end."""
        with self._changed:
            self._is_writing = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._lost or self._is_closed)
            if self._is_closed:
                return None
            self._is_writing = True
            if self._waiting:
                return self._waiting.popleft()
            lost, self._lost = self._lost, 0
            return f"WARNING {__name__}: the log was not taken in time: {lost} lines were lost"

    def _write(self, line: bytes) -> None:
        """Write it all, however long that takes; a reader that is gone takes nothing."""
        while line:
            try:
                line = line[os.write(self._descriptor, line) :]
            except BlockingIOError:  # whoever shares the pipe with us made it so
                select.select([], [self._descriptor], [])
            except OSError:
                return
