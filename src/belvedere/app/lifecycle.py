"""From start to end: everything runs until somebody ends it or a part fails; the head stops first either way."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import signal
import time
from typing import TYPE_CHECKING

from belvedere.app.build import Belvedere, build
from belvedere.app.systemd_notify import Notifier
from belvedere.gateway.app import create_app
from belvedere.gateway.connection_limits import FILES, ConnectionLimits, TrustedProxies
from belvedere.gateway.server import listen, serve

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from belvedere.app.settings import Config

logger = logging.getLogger(__name__)

STOP_S = 3.0  # a supervisor says its last stop within half a second, and may take its time to hang up
CLOSE_S = 4.0  # what has not ended by then is left behind: the head stands still, and the process ends
DOOR = "door"
FILES_LIMIT = resource.RLIMIT_NOFILE
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # closing the terminal is an end like any other


async def run_until_ended(
    config: Config,
    announce: Callable[[str], None],
    *,
    ending: asyncio.Event | None = None,
    on_built: Callable[[Belvedere], None] = lambda _belvedere: None,
    on_ending: Callable[[int], None] = lambda _status: None,
) -> int:
    """Run the house until SIGTERM, SIGINT, SIGHUP, `ending`, or a failure; returns the process's exit status.

    `announce` is told the one-time link once the door is open, `on_built` the parts before anything is started, and
    `on_ending` the exit status when the end begins. 0 is an end that somebody wanted, with the head at rest; 1 a
    failure, or a unit that could not be told to stop. Raises OwnerError where the door cannot be opened at all.
    """
    ending = ending or asyncio.Event()
    with _signals_to(ending):
        return await _run_until_ended(config, announce, ending, on_built, on_ending)


async def _run_until_ended(
    config: Config,
    announce: Callable[[str], None],
    ending: asyncio.Event,
    on_built: Callable[[Belvedere], None],
    on_ending: Callable[[int], None],
) -> int:
    sockets = listen(config.settings.server.host, config.settings.server.port)
    notifier = Notifier()
    belvedere = build(config, time.monotonic, notifier)
    on_built(belvedere)
    if belvedere.virtual_head is not None:
        await belvedere.virtual_head.start()

    def opened() -> None:
        notifier.ready()
        announce(f"{_address(sockets)}/enter/{belvedere.invitations.invite('owner')}")

    moving = {
        asyncio.create_task(belvedere.engine.run(), name="engine"),
        *(asyncio.create_task(unit.run(), name=f"{axis} unit") for axis, unit in belvedere.units.items()),
    }
    if belvedere.position_recorder is not None:
        moving.add(asyncio.create_task(belvedere.position_recorder.run(), name="position recorder"))
    guarding = asyncio.create_task(belvedere.guard.run(), name="guardian")
    status = 1
    try:
        app = create_app(belvedere.dependencies)
        proxies = TrustedProxies(config.settings.server.trusted_proxies)
        limits = ConnectionLimits(app.session_of, proxies, _max_files())
        moving.add(asyncio.create_task(serve(app, sockets, opened, limits), name=DOOR))
        await _until_the_end(moving, ending)
        status = 1 if _has_failed(moving) else 0
    finally:
        notifier.stopping()
        on_ending(status)
        async with belvedere.guard.ending(guarding):
            is_at_rest = await _end(belvedere, moving, config.settings.link.final_search_s)
    return status if is_at_rest else 1


def _max_files() -> int:
    """How many files the process may open, after asking for FILES where that is allowed."""
    soft, hard = (FILES if limit == resource.RLIM_INFINITY else limit for limit in resource.getrlimit(FILES_LIMIT))
    wanted = max(soft, min(FILES, hard))
    if wanted > soft:
        resource.setrlimit(FILES_LIMIT, (wanted, resource.getrlimit(FILES_LIMIT)[1]))
    return wanted


def _address(sockets: list[socket.socket]) -> str:
    """Where the door is: the first socket's address, as a browser wants it."""
    host, port = sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def _signals_to(ending: asyncio.Event) -> Iterator[None]:
    """Turn the signals that end a process into `ending`, until the head stands still and everything is closed."""
    loop = asyncio.get_running_loop()
    try:
        for number in SIGNALS:
            loop.add_signal_handler(number, ending.set)
    except (ValueError, RuntimeError):  # not the process's main thread: whoever runs us there has `ending`
        logger.debug("signals are left to the main thread")
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


async def _until_the_end(tasks: set[asyncio.Task[None]], ending: asyncio.Event) -> None:
    """Wait for a signal, for `ending`, or for the first task that ends by itself."""
    waiting = asyncio.create_task(ending.wait(), name="end")
    try:
        await asyncio.wait({*tasks, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


def _has_failed(tasks: set[asyncio.Task[None]]) -> bool:
    """Whether a task that should live as long as the house has ended by itself; the log says which, and why."""
    ended = [task for task in tasks if task.done()]
    for task in ended:
        error = None if task.cancelled() else task.exception()
        logger.critical("the %s failed: the head stops and the program ends", task.get_name(), exc_info=error)
    return bool(ended)


async def _end(belvedere: Belvedere, tasks: set[asyncio.Task[None]], search_s: float) -> bool:
    """The head first: a stop to each unit. Then everybody goes home, and nobody is waited for too long.

    A unit that may be turning and is out of reach is sought for `search_s`.
    Returns whether every unit was told to stop.
    """
    with _logged("closing the engine"):
        belvedere.engine.receive_closing()
    units = {task for task in tasks if task.get_name() != DOOR}
    for task in units:
        task.cancel()
    await asyncio.wait(units, timeout=STOP_S + search_s)
    is_at_rest = not any(unit.may_be_turning for unit in belvedere.units.values())
    for task in tasks - units:
        task.cancel()
    rest = {asyncio.create_task(belvedere.stage.close(), name="stage")}
    if belvedere.virtual_head is not None:
        rest.add(asyncio.create_task(belvedere.virtual_head.close(), name="virtual head"))
    _done, late = await asyncio.wait({*tasks, *rest}, timeout=CLOSE_S)
    for task in late:
        logger.warning("the %s did not end in time", task.get_name())
    if belvedere.position_recorder is not None:
        with _logged("saving the last position of the head"):
            belvedere.position_recorder.receive_end(belvedere.engine.status)
    if belvedere.database is not None:
        with _logged("closing the store"):
            await belvedere.database.close()
    return is_at_rest


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    """Whatever fails at the end is told and passed over: the rest of the end must be seen to."""
    try:
        yield
    except Exception:
        logger.exception("%s failed", what)
