"""`GET /api/v1/control`: carries a control session's messages over a WebSocket.

One task reads messages and calls the engine, never waiting, one sends what waits in the outbox, two forward values from
the bus, and one watches the deadline. When one of them ends, all end, and what the socket drives is stopped at once.
"""

import asyncio
import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from litestar import WebSocket, websocket
from litestar.di import NamedDependency
from litestar.exceptions import WebSocketDisconnect
from litestar.params import SkipValidation

from belvedere.access.sessions import EndedSession, EndReason
from belvedere.engine.bus import Subscription
from belvedere.gateway.codec import encode
from belvedere.gateway.control_session import SILENCE_TIMEOUT_S, STATUS_TOPICS, ControlSession
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies, InjectedVisitor
from belvedere.gateway.messages import SUBPROTOCOL, CloseCode, Outgoing
from belvedere.gateway.outgoing import Outbox
from belvedere.gateway.problems import Problem, ProblemCode, answer_problem
from belvedere.timeouts import timeout

SEND_TIMEOUT_S = 5.0  # a peer that accepts no byte for so long counts as disconnected
CLOSE_MESSAGE_TIMEOUT_S = 1.0  # for the reason and the close frame, which nothing depends on
STATUS_EVERY_S = 0.05  # people cannot read numbers that change more often
INTERNAL_ERROR = 1011  # RFC 6455, section 7.4.1
MAX_SOCKETS = 64  # a home with visitors has a handful
MAX_SOCKETS_PER_VISITOR = 8  # a visitor's tabs and devices, and dead sockets whose timeout has not passed yet
YIELD_EVERY = 32  # messages; during a flood receive() returns without suspending, and other tasks would starve

logger = logging.getLogger(__name__)

_numbers = itertools.count(1)


class _ClosedError(Exception):
    """The socket must be closed, or is closed already; ends the task group."""


class ControlSocket:
    """One accepted socket and its control session."""

    def __init__(self, socket: WebSocket[Any, Any, Any], session: ControlSession, dependencies: Dependencies) -> None:
        self._socket = socket
        self._session = session
        self._dependencies = dependencies
        self._clock = dependencies.clock
        self._outbox = Outbox()
        self._has_session_ended = asyncio.Event()

    def receive_session_ended(self, reason: EndReason) -> None:
        """The access session is over: stops the head within this call; the socket is closed soon after."""
        try:
            self._outbox.put(self._session.receive_session_ended(reason))
        finally:
            self._has_session_ended.set()

    async def run(self) -> None:
        """Serve until either side closes it; what it drives is stopped before anything else is done about the end."""
        bus = self._dependencies.bus  # subscribed to before anything is read, so that no reply is missed
        status, personal = bus.subscribe(*STATUS_TOPICS), bus.subscribe(*self._session.personal_topics)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read())
                tasks.create_task(self._send_all())
                tasks.create_task(self._forward(status, STATUS_EVERY_S))
                tasks.create_task(self._forward(personal, 0.0))
                tasks.create_task(self._watch())
        except* _ClosedError:
            await self._send_close()
        except* Exception:
            logger.exception("the control socket %s failed", self._session.name)
            await self._close(INTERNAL_ERROR, "something went wrong on our side")
        finally:
            self._session.receive_closed()
            status.close()
            personal.close()

    async def _read(self) -> None:
        try:
            for number in itertools.count(1):
                event = await self._socket.receive()
                if event["type"] != "websocket.receive":
                    raise _ClosedError
                self._outbox.put(self._session.receive_text(self._clock(), event.get("text")))
                if self._session.ending is not None:
                    raise _ClosedError
                if number % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        finally:
            self._session.receive_closed()

    async def _send_all(self) -> None:
        while True:
            await self._send(await self._outbox.take())

    async def _send(self, message: Outgoing) -> None:
        try:
            async with timeout(SEND_TIMEOUT_S):
                await self._socket.send({"type": "websocket.send", "bytes": None, "text": encode(message)})
        except (TimeoutError, OSError, WebSocketDisconnect) as error:
            raise _ClosedError from error

    async def _forward(self, subscription: Subscription, pause_s: float) -> None:
        """Put what the bus publishes into the outbox; of what comes within the pause, only the newest."""
        async for topic, value in subscription:
            self._outbox.put(self._session.receive_published(topic, value))
            if pause_s:
                await asyncio.sleep(pause_s)

    async def _watch(self) -> None:
        while True:
            self._outbox.put(
                self._session.tick(self._clock())
            )  # before the first wait, too: the session may have ended while the socket was accepted
            if self._session.ending is not None:
                raise _ClosedError
            wait_s = self._session.deadline() - self._clock()
            with suppress(TimeoutError):
                async with timeout(min(max(0.0, wait_s), SILENCE_TIMEOUT_S)):  # bounded, because the clock may jump
                    await self._has_session_ended.wait()

    async def _send_close(self) -> None:
        """Send the reason to a peer that is still connected."""
        if self._session.ending is None:
            return
        await self._close(self._session.ending.code, self._session.ending.reason)

    async def _close(self, code: int, reason: str) -> None:
        with suppress(_ClosedError, TimeoutError, OSError, WebSocketDisconnect):
            async with timeout(CLOSE_MESSAGE_TIMEOUT_S):
                for message in self._outbox.take_all():
                    await self._send(message)
                await self._socket.close(code, reason)


class EndableSocket(Protocol):
    """A socket that can be notified that its access session is over (ControlSocket)."""

    def receive_session_ended(self, reason: EndReason) -> None:
        """The access session is over: stop the head within this call, and close the socket soon after."""
        ...


class ControlSockets:
    """All open control sockets by access session; a visitor has one for each open page."""

    def __init__(self) -> None:
        self._by_session: dict[str, list[EndableSocket]] = {}

    @contextmanager
    def registered(self, session_id: str, socket: EndableSocket) -> Iterator[None]:
        """Within this context, the socket is notified when its access session ends."""
        sockets = self._by_session.setdefault(session_id, [])
        sockets.append(socket)
        try:
            yield
        finally:
            sockets.remove(socket)
            if not sockets:
                self._by_session.pop(session_id, None)

    def receive_session_ended(self, ended: EndedSession) -> None:
        """Notify each of its sockets; one that fails is logged, and the next is notified."""
        for socket in tuple(self._by_session.get(ended.session.id, ())):
            try:
                socket.receive_session_ended(ended.reason)
            except Exception:
                logger.exception("a control socket of session %s failed to stop what it drives", ended.session.id)


class SocketLimit:
    """How many control sockets may be open: a number in total, and a smaller number for each visitor."""

    def __init__(self, total: int, per_visitor: int) -> None:
        self._total, self._per_visitor = total, per_visitor
        self._visitors: dict[str, str] = {}

    def take(self, visitor: str, name: str) -> bool:
        """Count a socket of this name; False where there are too many already."""
        open_now = sum(each == visitor for each in self._visitors.values())
        if open_now >= self._per_visitor or len(self._visitors) >= self._total:
            return False
        self._visitors[name] = visitor
        return True

    def is_taken(self, name: str) -> bool:
        """Whether the socket of this name is open."""
        return name in self._visitors

    def release(self, name: str) -> None:
        """The socket of this name is closed; does nothing where that is known."""
        self._visitors.pop(name, None)


InjectedSocketLimit = NamedDependency[SkipValidation[SocketLimit]]
InjectedSockets = NamedDependency[SkipValidation[ControlSockets]]


@websocket("/api/v1/control", name="control")
async def control(
    socket: WebSocket[Any, Any, Any],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
    socket_limit: InjectedSocketLimit,
    sockets: InjectedSockets,
) -> None:
    """Accept a control socket and serve it to its end."""
    if SUBPROTOCOL not in socket.scope["subprotocols"]:
        problem = Problem(ProblemCode.WRONG_SUBPROTOCOL, f"the WebSocket subprotocol must be {SUBPROTOCOL}")
        await answer_problem(socket.scope, socket.send, problem)
        return
    await socket.accept(subprotocols=SUBPROTOCOL)
    name = f"{visitor.id}-{next(_numbers)}"
    if not socket_limit.take(visitor.id, name):
        await socket.close(CloseCode.TOO_MUCH, "too many pages are open")
        return
    try:
        session = ControlSession(name, visitor, dependencies, dependencies.clock(), socket_limit.is_taken)
        control_socket = ControlSocket(socket, session, dependencies)
        with sockets.registered(visitor.id, control_socket):
            await control_socket.run()
    finally:
        socket_limit.release(name)
