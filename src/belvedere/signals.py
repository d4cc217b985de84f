"""The signals that end a program: Ctrl-C (SIGINT), a request to terminate (SIGTERM), a closed terminal (SIGHUP)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def handle_termination(receive: Callable[[], None]) -> Iterator[None]:
    """Call `receive` on the running loop for each of `SIGNALS`, instead of ending the process; each may come again.

    A loop in another thread than the main one cannot receive signals, and they do there what they did.
    """
    loop = asyncio.get_running_loop()
    numbers = SIGNALS if threading.current_thread() is threading.main_thread() else ()
    for number in numbers:
        loop.add_signal_handler(number, receive)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
