"""Runs a house as a process: logging, the event loop, and the exit status."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.app.settings import House


def run(house: House, announce: Callable[[str], None]) -> int:
    """Live until the end; returns the exit status."""
    from belvedere.app.lifecycle import live  # noqa: PLC0415 - the server is heavy, and `config check` needs none

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    for name in ("bumble", "aioice", "aiortc"):
        logging.getLogger(name).setLevel(logging.ERROR)  # they tell every packet's and candidate's story
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(live(house, announce))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """The fastest loop that there is: uvloop where it is installed."""
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.new_event_loop
    import uvloop  # noqa: PLC0415 - not on every system

    return uvloop.new_event_loop
