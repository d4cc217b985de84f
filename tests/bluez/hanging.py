"""`belvedere`, but that SIGUSR1 keeps its main thread busy for ever."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from belvedere.cli import main

if TYPE_CHECKING:
    from types import FrameType


def spin(_number: int, _frame: FrameType | None) -> None:
    """Never return."""
    while True:
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, spin)
    main()
