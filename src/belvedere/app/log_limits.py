"""Limits how often one kind of log line is written. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LINES: Final = 10  # of one kind in a window; of the others only the number is logged
WINDOW_S: Final = 60.0
MAX_KINDS: Final = 256  # one per logging call in the program; beyond this limit all further kinds share one window


@dataclass(slots=True)
class _Window:
    began_at: float
    written: int = 0
    suppressed: int = 0


class LineLimits:
    """Allows LINES lines of one kind in WINDOW_S seconds, and counts the suppressed ones."""

    def __init__(self) -> None:
        self._windows: dict[str, _Window] = {}

    def take(self, now: float, kind: str) -> bool:
        """Whether a line of this kind may be written now; it is counted either way."""
        if kind not in self._windows and len(self._windows) >= MAX_KINDS:
            kind = ""
        window = self._windows.setdefault(kind, _Window(now))
        if window.written >= LINES:
            window.suppressed += 1
            return False
        window.written += 1
        return True

    def tick(self, now: float) -> list[tuple[str, int]]:
        """Remove the windows that are over; returns kind and number for each that suppressed lines."""
        over = [kind for kind, window in self._windows.items() if now >= window.began_at + WINDOW_S]
        suppressed = [(kind, self._windows.pop(kind).suppressed) for kind in over]
        return [(kind, number) for kind, number in suppressed if number]
