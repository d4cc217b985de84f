"""`GET /api/v1/control`: carries a control session's messages over a WebSocket.

One task reads and hands each message to the engine without waiting for anything; one sends the newest of what waits;
the others put news into the outbox and watch the clock. Whichever ends first ends them all, and the head is told at
once.
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
from belvedere.gateway.control_session import HEARD_TIMEOUT_S, STATUS_TOPICS, ControlSession
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies, InjectedVisitor
from belvedere.gateway.messages import SUBPROTOCOL, CloseCode, Outgoing
from belvedere.gateway.outgoing import Outbox
from belvedere.gateway.problems import Problem, ProblemCode, answer_problem
from belvedere.timeouts import timeout

SEND_TIMEOUT_S = 5.0  # a peer that takes no byte for so long is gone, or might as well be
CLOSE_MESSAGE_TIMEOUT_S = 1.0  # the last words are a courtesy
STATUS_EVERY_S = 0.05  # a page draws at 60 Hz but nobody reads a number that changes more than 20 times a second
OUR_FAULT = 1011  # RFC 6455, section 7.4.1
MAX_SOCKETS = 64  # a household with visitors has a handful
MAX_SOCKETS_PER_VISITOR = 8  # tabs and devices of one visitor, with those that have not yet noticed that they are dead
YIELD_EVERY = 32  # messages read in a row before everyone else has a turn; reading never waits during a flood

logger = logging.getLogger(__name__)

_numbers = itertools.count(1)


class _OverError(Exception):
    """The socket's work is done, or nobody is there any more."""


class ControlSocket:
    """One accepted socket and the session that speaks over it."""

    def __init__(self, socket: WebSocket[Any, Any, Any], session: ControlSession, dependencies: Dependencies) -> None:
        self._socket = socket
        self._session = session
        self._dependencies = dependencies
        self._clock = dependencies.clock
        self._outbox = Outbox()
        self._has_session_ended = asyncio.Event()

    def receive_session_ended(self, reason: EndReason) -> None:
        """The visit is over: the head is told within this call, and the socket closes as soon as the loop turns."""
        try:
            self._outbox.put(self._session.receive_session_ended(reason))
        finally:
            self._has_session_ended.set()

    async def run(self) -> None:
        """Serve until either side ends it; the engine is told of the end before anything else happens."""
        bus = (
            self._dependencies.bus
        )  # listened to before anything is read, so that the answer to a first message is heard
        status, personal = bus.subscribe(*STATUS_TOPICS), bus.subscribe(*self._session.personal_topics)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read())
                tasks.create_task(self._send_all())
                tasks.create_task(self._follow(status, STATUS_EVERY_S))
                tasks.create_task(self._follow(personal, 0.0))
                tasks.create_task(self._watch())
        except* _OverError:
            await self._send_close()
        except* Exception:  # whatever it is, it is our fault
            logger.exception("a control socket failed")
            await self._close(OUR_FAULT, "something went wrong on our side")
        finally:
            self._session.receive_closed()
            status.close()
            personal.close()

    async def _read(self) -> None:
        try:
            for number in itertools.count(1):
                event = await self._socket.receive()
                if event["type"] != "websocket.receive":
                    raise _OverError
                self._outbox.put(self._session.receive_text(self._clock(), event.get("text")))
                if self._session.ending is not None:
                    raise _OverError
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
            raise _OverError from error

    async def _follow(self, news: Subscription, pause_s: float) -> None:
        """Put the bus's news into the outbox, those that come within the pause as one."""
        async for topic, value in news:
            self._outbox.put(self._session.receive_published(topic, value))
            if pause_s:
                await asyncio.sleep(pause_s)

    async def _watch(self) -> None:
        while True:
            self._outbox.put(self._session.tick(self._clock()))  # at once, too: accepting it may have taken a while
            if self._session.ending is not None:
                raise _OverError
            wait_s = self._session.deadline() - self._clock()
            with suppress(TimeoutError):
                async with timeout(min(max(0.0, wait_s), HEARD_TIMEOUT_S)):  # a clock may jump
                    await self._has_session_ended.wait()

    async def _send_close(self) -> None:
        """Tell a peer that is still there why; one that is not is left alone."""
        if self._session.ending is None:
            return
        await self._close(self._session.ending.code, self._session.ending.reason)

    async def _close(self, code: int, reason: str) -> None:
        with suppress(_OverError, TimeoutError, OSError, WebSocketDisconnect):
            async with timeout(CLOSE_MESSAGE_TIMEOUT_S):
                for message in self._outbox.take_all():
                    await self._send(message)
                await self._socket.close(code, reason)


class EndableSocket(Protocol):
    """A socket that can be told that it must end (control_socket.ControlSocket)."""

    def receive_session_ended(self, reason: EndReason) -> None:
        """The access session is over: the head is told within this call, the socket closes soon after."""
        ...


class ControlSockets:
    """All of them; a visitor has one for each page that is open."""

    def __init__(self) -> None:
        self._by_session: dict[str, list[EndableSocket]] = {}

    @contextmanager
    def registered(self, session_id: str, socket: EndableSocket) -> Iterator[None]:
        """While this lasts, the socket is told when its access session ends."""
        sockets = self._by_session.setdefault(session_id, [])
        sockets.append(socket)
        try:
            yield
        finally:
            sockets.remove(socket)
            if not sockets:
                self._by_session.pop(session_id, None)

    def receive_session_ended(self, ended: EndedSession) -> None:
        """Tell each of its sockets; the failure of one is logged, and the next is told."""
        for socket in tuple(self._by_session.get(ended.session.id, ())):
            try:
                socket.receive_session_ended(ended.reason)
            except Exception:
                logger.exception("a control socket of session %s failed to end its drive", ended.session.id)


class SocketLimit:
    """A number of seats in all, and a smaller number for each visitor; who sits has a name."""

    def __init__(self, in_all: int, for_each: int) -> None:
        self._in_all, self._for_each = in_all, for_each
        self._visitors: dict[str, str] = {}

    def take(self, visitor: str, name: str) -> bool:
        """Take a seat under a name; False where there is none."""
        seated = sum(each == visitor for each in self._visitors.values())
        if seated >= self._for_each or len(self._visitors) >= self._in_all:
            return False
        self._visitors[name] = visitor
        return True

    def is_taken(self, name: str) -> bool:
        """Whether somebody sits here under this name."""
        return name in self._visitors

    def release(self, name: str) -> None:
        """Leave the seat; leaving twice is nothing."""
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
        problem = Problem(ProblemCode.WRONG_SUBPROTOCOL, f"only {SUBPROTOCOL} is spoken here")
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
