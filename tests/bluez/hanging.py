"""`belvedere`, except that SIGUSR1 makes its main thread loop forever."""

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
