"""Runs a house as a process: logging, the event loop, and the exit status."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import os
import threading
from typing import TYPE_CHECKING

from belvedere.app.log_output import logging_to, report_loop_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.app.build import Belvedere
    from belvedere.app.settings import Config

STDERR = 2
END_S = 30.0  # more than an end takes, with a unit that is sought to be told to stop
LEAVE_S = 3.0  # the head stands still by then; a call into Bluetooth that hangs must not keep a restart waiting


def run(
    config: Config,
    announce: Callable[[str], None],
    on_built: Callable[[Belvedere], None] = lambda _belvedere: None,
) -> int:
    """Live until the end; returns the exit status. `on_built` is told the parts, on the loop, before they start.

    `announce` is told the link in a thread of its own: a terminal that takes nothing, or a browser that is slow to
    open, is waited for there.
    """
    with logging_to(STDERR):
        return _run(config, announce, on_built)


def _run(config: Config, announce: Callable[[str], None], on_built: Callable[[Belvedere], None]) -> int:
    from belvedere.app.lifecycle import run_until_ended  # noqa: PLC0415 - the server is heavy, and `config check` needs none

    timers: list[threading.Timer] = []
    status = 1

    def built(belvedere: Belvedere) -> None:
        gc.collect()  # this one is long, and nothing moves yet
        gc.freeze()
        on_built(belvedere)

    def opened(link: str) -> None:
        gc.freeze()  # what stays until the end is not looked through again: that held the loop for a tenth of a second
        threading.Thread(target=announce, args=(link,), name="announce", daemon=True).start()

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.get_loop().set_exception_handler(report_loop_error)
            try:
                ended = run_until_ended(
                    config,
                    opened,
                    on_built=built,
                    on_ending=lambda known: timers.append(force_exit(known, END_S)),
                )
                status = runner.run(ended)
            finally:
                timers.append(force_exit(status, LEAVE_S))
    finally:
        for timer in timers:
            timer.cancel()
    return status


def force_exit(status: int, timeout_s: float, leave: Callable[[int], None] = os._exit) -> threading.Timer:
    """End the process after `timeout_s` unless cancelled: the loop waits for calls that ignore their own cancelling."""
    timer = threading.Timer(timeout_s, leave, (status,))
    timer.daemon = True
    timer.start()
    return timer


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """The fastest loop that there is: uvloop where it is installed."""
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.new_event_loop
    import uvloop  # noqa: PLC0415 - not on every system

    return uvloop.new_event_loop
