"""The signals that end a command: Ctrl-C (SIGINT), a request to terminate (SIGTERM), a closed terminal (SIGHUP)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def handle_termination(receive: Callable[[], None]) -> Iterator[None]:
    """Call `receive` on the running loop for each of `SIGNALS`, not end the process; needs the main thread."""
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, receive)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
