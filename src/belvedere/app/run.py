"""Runs Belvedere as a process: logging, the event loop, and the exit status."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import logging
import os
import threading
from typing import TYPE_CHECKING

from belvedere.access.rights import Role
from belvedere.app.log_output import logging_to, report_loop_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from belvedere.app.build import Belvedere
    from belvedere.app.opening import Opened
    from belvedere.app.settings import Config

logger = logging.getLogger(__name__)

STDERR = 2
SHUTDOWN_TIMEOUT_S = 30.0  # longer than a shutdown that searches for a unit to stop it
EXIT_TIMEOUT_S = 3.0  # the head is at rest by then; a hanging Bluetooth call must not delay a restart


def run(
    config: Config,
    announce: Callable[[Opened], None],
    on_built: Callable[[Belvedere], None] = lambda _belvedere: None,
    roles: Sequence[Role] = (Role.OWNER,),
) -> int:
    """Run until the end; returns the exit status. `on_built` is called on the loop with the parts, before they start.

    `announce` is called with the address, and links for `roles`, in a thread of its own, where it may wait for a
    blocked terminal or a browser that opens slowly.
    """
    with logging_to(STDERR):
        for warning in config.warnings:
            logger.warning("%s", warning)
        return _run(config, announce, on_built, roles)


def _run(
    config: Config,
    announce: Callable[[Opened], None],
    on_built: Callable[[Belvedere], None],
    roles: Sequence[Role],
) -> int:
    from belvedere.app.lifecycle import run_until_ended  # noqa: PLC0415 - the server is heavy, and `config check` needs none

    timers: list[threading.Timer] = []
    status = 1

    def built(belvedere: Belvedere) -> None:
        gc.collect()  # a full collection takes long: do it now, while nothing moves
        gc.freeze()
        on_built(belvedere)

    def opened(what: Opened) -> None:
        gc.freeze()  # exclude permanent objects from later collections, which blocked the loop for 0.1 s
        threading.Thread(target=announce, args=(what,), name="announce", daemon=True).start()

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.get_loop().set_exception_handler(report_loop_error)
            try:
                ended = run_until_ended(
                    config,
                    opened,
                    roles=roles,
                    on_built=built,
                    on_ending=lambda known: timers.append(force_exit(known, SHUTDOWN_TIMEOUT_S)),
                )
                status = runner.run(ended)
            finally:
                timers.append(force_exit(status, EXIT_TIMEOUT_S))
    finally:
        for timer in timers:
            timer.cancel()
    return status


def force_exit(status: int, timeout_s: float, exit_process: Callable[[int], None] = os._exit) -> threading.Timer:
    """Exit the process after `timeout_s` unless cancelled: asyncio would wait for tasks that ignore cancellation."""
    timer = threading.Timer(timeout_s, exit_process, (status,))
    timer.daemon = True
    timer.start()
    return timer


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return uvloop's factory if uvloop is installed, else asyncio's."""
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.new_event_loop
    import uvloop  # noqa: PLC0415 - not available on every system

    return uvloop.new_event_loop
