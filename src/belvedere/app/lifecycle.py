"""Runs the program until it is asked to end or a part fails, and shuts it down; either way the head stops first.

The order of the shutdown is a safety rule:

1. The engine and the units end; each unit writes its stop. The guardian still gets beats meanwhile, and acts if this
hangs. 2. Everything else ends: the server, the pictures, the virtual head. 3. The last position and the sessions are
saved, when nothing moves any more; then the database is closed. 4. The guardian ends, after everything that it guards.

Every step has a time limit, and a failure in one does not prevent the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from belvedere.access.rights import Role
from belvedere.app.build import Belvedere, build
from belvedere.app.opening import Opened, first_links, public_address
from belvedere.app.systemd_notify import Notifier
from belvedere.errors import OwnerError
from belvedere.gateway.app import create_app
from belvedere.gateway.connection_limits import FILES, ConnectionLimits, TrustedProxies
from belvedere.gateway.local_socket import local_listener, serve_locally
from belvedere.gateway.server import listen, serve
from belvedere.signals import handle_termination
from belvedere.store.instance_lock import InUseError, state_lock
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Sequence

    from belvedere.app.settings import Config

logger = logging.getLogger(__name__)

STOP_TIMEOUT_S = 3.0  # a supervisor writes its last stop within half a second; disconnecting may take longer
CLOSE_TIMEOUT_S = 4.0  # tasks that take longer are abandoned: the head is at rest, and the process exits
SERVER_TASK = "server"
FILES_LIMIT = resource.RLIMIT_NOFILE


class _RunningPart(Protocol):
    """A part of the program that runs until it is cancelled, or fails."""

    async def run(self) -> None:
        """Do what becomes due."""
        ...


async def run_until_ended(
    config: Config,
    announce: Callable[[Opened], None],
    *,
    roles: Sequence[Role] = (Role.OWNER,),
    ending: asyncio.Event | None = None,
    on_built: Callable[[Belvedere], None] = lambda _belvedere: None,
    on_ending: Callable[[int], None] = lambda _status: None,
) -> int:
    """Run the program until SIGTERM, SIGINT, SIGHUP, `ending`, or a failure; returns the process's exit status.

    `announce` is called once the server accepts connections, with one-time links for those of `roles` in which nobody
    has come in yet, `on_built` with the parts before anything is started, and `on_ending` with the exit status when the
    shutdown begins. The status is 0 for a requested end with the head at rest, and 1 for a failure or for a unit that
    could not be stopped. Raises OwnerError if the server cannot listen, or another one runs with the same files.
    """
    ending = ending or asyncio.Event()
    with (
        handle_termination(ending.set),  # until the end: a second signal does not cut the shutdown short
        _local_socket(config) as local,
    ):
        return await _run_until_ended(config, announce, ending, on_built, on_ending, roles=roles, local=local)


async def _run_until_ended(
    config: Config,
    announce: Callable[[Opened], None],
    ending: asyncio.Event,
    on_built: Callable[[Belvedere], None],
    on_ending: Callable[[int], None],
    *,
    roles: Sequence[Role],
    local: socket.socket | None,
) -> int:
    sockets = listen(config.settings.server.host, config.settings.server.port)
    notifier = Notifier()
    belvedere = build(config, time.monotonic, notifier)
    on_built(belvedere)
    if belvedere.virtual_head is not None:
        await belvedere.virtual_head.start()

    address = public_address(config.settings.server, _address(sockets))

    def opened() -> None:
        notifier.ready()
        listens_at = _address(sockets) + config.settings.server.base_path
        announce(Opened(listens_at, first_links(belvedere.invitations, roles, address)))

    tasks = {
        asyncio.create_task(belvedere.engine.run(), name="engine"),
        *(asyncio.create_task(unit.run(), name=f"{axis} unit") for axis, unit in belvedere.units.items()),
    }
    tasks |= {asyncio.create_task(part.run(), name=name) for name, part in _running_parts(belvedere)}
    guarding = asyncio.create_task(belvedere.guard.run(), name="guardian")
    status = 1
    try:
        if belvedere.access_recorder is not None:
            await belvedere.access_recorder.load()  # before anybody can come in, and after the units' tasks began
        if config.store is not None:
            await belvedere.dependencies.passkeys.load(config.store)
            await belvedere.dependencies.tokens.load(config.store)
        await belvedere.room.load()
        app = create_app(replace(belvedere.dependencies, address=lambda: address))
        proxies = _proxies(config)
        limits = ConnectionLimits(app.person_of, proxies, _max_files(), config.settings.server.base_path)
        tasks.add(asyncio.create_task(serve(app, sockets, opened, limits), name=SERVER_TASK))
        if local is not None:
            tasks.add(asyncio.create_task(serve_locally(app.routes, local), name="local socket"))
        await _wait_for_end(tasks, ending)
        status = 1 if _has_failed(tasks) else 0
    finally:
        notifier.stopping()
        on_ending(status)
        async with belvedere.guard.ending(guarding):
            is_at_rest = await _shut_down(belvedere, tasks, config.settings.link.final_search_s)
    return status if is_at_rest else 1


def _running_parts(belvedere: Belvedere) -> Iterator[tuple[str, _RunningPart]]:
    """What runs beside the engine and the units, as far as it is there, by the names of its tasks."""
    parts: dict[str, _RunningPart | None] = {
        "position recorder": belvedere.position_recorder,
        "access recorder": belvedere.access_recorder,
        "room": belvedere.room,
        "voice rules": belvedere.voice,
        "signing keys": belvedere.signing_keys,
        "visit book": belvedere.room_watch,
        "Amazon IVS": belvedere.ivs,
    }
    for name, part in parts.items():
        if part is not None:
            yield name, part


@contextlib.contextmanager
def _local_socket(config: Config) -> Iterator[socket.socket | None]:
    """The local socket beside the store's file; None without a store, or where no socket can be made there.

    Raises OwnerError where another program runs with the same files: both would write them.
    """
    if config.store is None:
        yield None
        return
    with contextlib.ExitStack() as stack:
        local = None
        try:
            stack.enter_context(state_lock(config.store.parent))
            local = stack.enter_context(local_listener(config.store.parent))
        except InUseError:
            raise
        except OwnerError as error:
            logger.warning("commands such as `belvedere people` cannot reach this server: %s", error)
        yield local


def _proxies(config: Config) -> TrustedProxies:
    server = config.settings.server
    return TrustedProxies(server.trusted_proxies, server.client_address_header)


def _max_files() -> int:
    """Raise the process's limit of open files to FILES, if permitted; returns the limit."""
    soft, hard = (FILES if limit == resource.RLIM_INFINITY else limit for limit in resource.getrlimit(FILES_LIMIT))
    wanted = max(soft, min(FILES, hard))
    if wanted > soft:
        resource.setrlimit(FILES_LIMIT, (wanted, resource.getrlimit(FILES_LIMIT)[1]))
    return wanted


def _address(sockets: list[socket.socket]) -> str:
    """The URL of the first socket."""
    host, port = sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _wait_for_end(tasks: set[asyncio.Task[None]], ending: asyncio.Event) -> None:
    """Wait until `ending` is set, by a signal or the caller, or the first task ends by itself."""
    waiting = asyncio.create_task(ending.wait(), name="end")
    try:
        await asyncio.wait({*tasks, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


def _has_failed(tasks: set[asyncio.Task[None]]) -> bool:
    """Whether a task has ended by itself, though all should run until the shutdown; logs which one, and why."""
    ended = [task for task in tasks if task.done()]
    for task in ended:
        error = None if task.cancelled() else task.exception()
        logger.critical("the %s task failed: stopping the head and shutting down", task.get_name(), exc_info=error)
    return bool(ended)


async def _shut_down(belvedere: Belvedere, tasks: set[asyncio.Task[None]], search_s: float) -> bool:
    """Stop the head, then end everything else, in the order described at the top of this module.

    A unit that may be turning and is out of reach is searched for up to `search_s` seconds.
    Returns whether every unit was stopped.
    """
    belvedere.parking.cancel()
    with _logged("closing the engine"):
        belvedere.engine.receive_closing()
    driving = {task for task in tasks if task.get_name() != SERVER_TASK}
    for task in driving:
        task.cancel()
    await asyncio.wait(driving, timeout=STOP_TIMEOUT_S + search_s)
    is_at_rest = not any(unit.may_be_turning for unit in belvedere.units.values())
    for task in tasks - driving:
        task.cancel()
    rest = {asyncio.create_task(belvedere.stage.close(), name="stage")}
    if belvedere.sound is not None:
        rest.add(asyncio.create_task(belvedere.sound.close(), name="sound"))
    if belvedere.whip is not None:
        rest.add(asyncio.create_task(belvedere.whip.close(), name="publisher"))
    if belvedere.virtual_head is not None:
        rest.add(asyncio.create_task(belvedere.virtual_head.close(), name="virtual head"))
    _done, late = await asyncio.wait({*tasks, *rest}, timeout=CLOSE_TIMEOUT_S)
    for task in late:
        logger.warning("the %s task did not end within %g s and is abandoned", task.get_name(), CLOSE_TIMEOUT_S)
    await _save_and_close(belvedere)
    return is_at_rest


async def _save_and_close(belvedere: Belvedere) -> None:
    """Save what is known last, when nothing moves and nobody watches any more, and close what saves it."""
    if belvedere.position_recorder is not None:
        with _logged("saving the last position of the head"):
            belvedere.position_recorder.receive_end(belvedere.engine.status)
    if belvedere.access_recorder is not None:
        with _logged("saving who may come in"):
            belvedere.access_recorder.save_soon()
    if belvedere.ivs is not None:
        with _logged("ending what watches through Amazon IVS"):
            async with timeout(CLOSE_TIMEOUT_S):
                await belvedere.ivs.close()
    with _logged("ending the room's signals"):
        await belvedere.room_watch.close()
    if belvedere.database is not None:
        with _logged("closing the store"):
            await belvedere.database.close()
    with _logged("ending the room's rules"):
        await belvedere.room.close()  # after the store: what the room has decided last must be saved


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    """Log an error of a shutdown step and continue: the next steps must run."""
    try:
        yield
    except Exception:
        logger.exception("%s failed", what)
