"""From start to end: everything runs until somebody ends it or a part fails; the head stops first either way."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from typing import TYPE_CHECKING

from belvedere.app.build import Belvedere, build
from belvedere.app.notify import Notifier
from belvedere.gateway.app import create_app
from belvedere.gateway.server import listen, serve

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from belvedere.app.settings import House

logger = logging.getLogger(__name__)

STOP_S = 2.0  # a supervisor says its last stop within half a second, and may take its time to hang up
CLOSE_S = 4.0  # what has not ended by then is left behind: the head stands still, and the process ends


async def live(
    house: House,
    announce: Callable[[str], None],
    *,
    ending: asyncio.Event | None = None,
    on_built: Callable[[Belvedere], None] = lambda _belvedere: None,
) -> int:
    """Run the house until SIGTERM, SIGINT, `ending`, or a failure; returns the process's exit status.

    `announce` is told the one-time link once the door is open, and `on_built` the parts before anything is started.
    0 is an end that somebody wanted, 1 a failure. Raises OwnerError where the door cannot be opened at all.
    """
    sockets = listen(house.settings.server.host, house.settings.server.port)
    notifier = Notifier()
    belvedere = build(house, time.monotonic, notifier)
    on_built(belvedere)
    if belvedere.virtual_head is not None:
        await belvedere.virtual_head.start()

    def opened() -> None:
        notifier.ready()
        announce(f"{_address(sockets)}/enter/{belvedere.door.invite('owner')}")
        if belvedere.virtual_head is not None:
            belvedere.stage.prepare()  # somebody is about to look, and the drawn room takes two seconds to paint

    moving = {
        asyncio.create_task(belvedere.engine.run(), name="engine"),
        *(asyncio.create_task(unit.run(), name=f"{axis} unit") for axis, unit in belvedere.units.items()),
    }
    if belvedere.keeper is not None:
        moving.add(asyncio.create_task(belvedere.keeper.run(), name="keeper"))
    door = asyncio.create_task(serve(create_app(belvedere.parts), sockets, opened), name="door")
    await _until_the_end({*moving, door}, ending or asyncio.Event())
    notifier.stopping()
    has_failed = _has_failed({*moving, door})
    await _end(belvedere, moving, door)
    return 1 if has_failed else 0


def _address(sockets: list[socket.socket]) -> str:
    """Where the door is: the first socket's address, as a browser wants it."""
    host, port = sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _until_the_end(tasks: set[asyncio.Task[None]], ending: asyncio.Event) -> None:
    """Wait for a signal, for `ending`, or for the first task that ends by itself."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    try:
        for number in signals:
            loop.add_signal_handler(number, ending.set)
    except (ValueError, RuntimeError):  # not the process's main thread: whoever runs us there has `ending`
        logger.debug("signals are left to the main thread")
    waiting = asyncio.create_task(ending.wait(), name="end")
    try:
        await asyncio.wait({*tasks, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        for number in signals:
            loop.remove_signal_handler(number)


def _has_failed(tasks: set[asyncio.Task[None]]) -> bool:
    """Whether a task that should live as long as the house has ended by itself; the log says which, and why."""
    ended = [task for task in tasks if task.done()]
    for task in ended:
        error = None if task.cancelled() else task.exception()
        logger.critical("the %s failed: the head stops and the program ends", task.get_name(), exc_info=error)
    return bool(ended)


async def _end(belvedere: Belvedere, moving: set[asyncio.Task[None]], door: asyncio.Task[None]) -> None:
    """The head first: a stop to each unit. Then everybody goes home, and nobody is waited for too long."""
    try:
        belvedere.engine.receive_closing()
    except Exception:
        logger.debug("the engine could not close", exc_info=True)
    for task in moving:
        task.cancel()
    await asyncio.wait(moving, timeout=STOP_S)
    door.cancel()
    rest = {asyncio.create_task(belvedere.stage.close(), name="stage")}
    if belvedere.virtual_head is not None:
        rest.add(asyncio.create_task(belvedere.virtual_head.close(), name="virtual head"))
    _done, late = await asyncio.wait({door, *rest, *moving}, timeout=CLOSE_S)
    if belvedere.keeper is not None:
        await belvedere.keeper.close(belvedere.engine.status)
    for task in late:
        logger.warning("the %s did not end in time", task.get_name())
