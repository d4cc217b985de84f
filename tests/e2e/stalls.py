"""What held the event loop of the end-to-end tests' house, told at the end of the run.

It is no failure: tests and house share an interpreter here. `tests/attacks` holds a house of its own to bounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.testing.loop_watchdog import STALL_S, Stall

if TYPE_CHECKING:
    import pytest

STALLS: list[Stall] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report how often it was held, and the longest."""
    held = sorted((stall for stall in STALLS if stall.held_s > STALL_S), key=lambda stall: -stall.held_s)
    if held:
        terminalreporter.write_line(f"the house's event loop was held {len(held)} times; the longest: {held[0]}")
