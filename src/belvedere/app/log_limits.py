"""How often one kind of log line is worth saying. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LINES: Final = 10  # of one kind in a window; a thing that happens more often is told by its number
WINDOW_S: Final = 60.0
MAX_KINDS: Final = 256  # a kind is a place in a program; whatever makes more of them shares one


@dataclass(slots=True)
class _Window:
    began_at: float
    said: int = 0
    held_back: int = 0


class LineLimits:
    """At most LINES of one kind in WINDOW_S, and afterwards how many more there were."""

    def __init__(self) -> None:
        self._windows: dict[str, _Window] = {}

    def take(self, now: float, kind: str) -> bool:
        """Whether one more line of this kind may be said now."""
        if kind not in self._windows and len(self._windows) >= MAX_KINDS:
            kind = ""
        window = self._windows.setdefault(kind, _Window(now))
        if window.said >= LINES:
            window.held_back += 1
            return False
        window.said += 1
        return True

    def tick(self, now: float) -> list[tuple[str, int]]:
        """Forget the windows that are over, and return how many lines each held back, where it did."""
        over = [kind for kind, window in self._windows.items() if now >= window.began_at + WINDOW_S]
        held_back = [(kind, self._windows.pop(kind).held_back) for kind in over]
        return [(kind, number) for kind, number in held_back if number]
