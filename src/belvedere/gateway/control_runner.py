"""Runs control sessions over whatever carries their messages (`ControlTransport`), and knows all that are open.

One task reads messages and calls the engine, never waiting, one sends what waits in the outbox, two forward values from
the bus, and one watches the deadline. When one of them ends, all end, and what the session drives is stopped at once.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from belvedere.gateway.codec import encode
from belvedere.gateway.control_session import SILENCE_TIMEOUT_S, STATUS_TOPICS, ControlSession
from belvedere.gateway.control_transport import TransportClosedError
from belvedere.gateway.messages import CloseCode
from belvedere.gateway.outgoing import Outbox
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belvedere.access.session_events import SessionChange
    from belvedere.access.sessions import Session
    from belvedere.engine.bus import Subscription
    from belvedere.gateway.control_transport import ControlTransport
    from belvedere.gateway.dependencies import Dependencies
    from belvedere.gateway.messages import Outgoing

SEND_TIMEOUT_S = 5.0  # a peer that accepts no byte for so long counts as disconnected
CLOSE_MESSAGE_TIMEOUT_S = 1.0  # for the reason and the close frame, which nothing depends on
STATUS_EVERY_S = 0.05  # people cannot read numbers that change more often
INTERNAL_ERROR = 1011  # RFC 6455, section 7.4.1
MAX_SOCKETS = 64  # open at a time; a home with visitors has a handful
MAX_SOCKETS_PER_VISITOR = 8  # a visitor's tabs and devices, and dead sockets whose timeout has not passed yet
YIELD_EVERY = 32  # messages; during a flood receive() returns without suspending, and other tasks would starve

logger = logging.getLogger(__name__)


class _EndError(Exception):
    """The session is over, or the peer is gone; ends the task group."""


class ControlRunner:
    """Runs one control session over its transport."""

    def __init__(self, transport: ControlTransport, session: ControlSession, dependencies: Dependencies) -> None:
        self._transport = transport
        self._session = session
        self._dependencies = dependencies
        self._clock = dependencies.clock
        self._outbox = Outbox()
        self._has_session_ended = asyncio.Event()

    def receive_session_change(self, change: SessionChange) -> None:
        """The access session has other rights: stops the head within this call where it may not drive any more.

        If the session has ended, the transport is closed soon after.
        """
        try:
            self._outbox.put(self._session.receive_session_change(change))
        finally:
            if change.end is not None or change.is_new_role:
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
        except* _EndError:
            await self._send_close()
        except* Exception:
            logger.exception("the control session %s failed", self._session.name)
            await self._close(INTERNAL_ERROR, "something went wrong on our side")
        finally:
            self._session.receive_closed()
            status.close()
            personal.close()

    async def _read(self) -> None:
        try:
            for number in itertools.count(1):
                text = await self._transport.receive()
                self._outbox.put(self._session.receive_text(self._clock(), text))
                if self._session.ending is not None:
                    raise _EndError
                if number % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        except TransportClosedError as error:
            raise _EndError from error
        finally:
            self._session.receive_closed()

    async def _send_all(self) -> None:
        while True:
            await self._send(await self._outbox.take())

    async def _send(self, message: Outgoing) -> None:
        try:
            async with timeout(SEND_TIMEOUT_S):
                await self._transport.send(encode(message))
        except (TimeoutError, TransportClosedError) as error:
            raise _EndError from error

    async def _forward(self, subscription: Subscription, pause_s: float) -> None:
        """Put what the bus publishes into the outbox; of what comes within the pause, only the newest."""
        async for topic, value in subscription:
            self._outbox.put(self._session.receive_published(topic, value))
            self._transport.set_urgent(is_urgent=self._session.is_driving)
            if pause_s:
                await asyncio.sleep(pause_s)

    async def _watch(self) -> None:
        while True:
            # Before the first wait, too: the session may have ended while the transport was opened.
            self._outbox.put(self._session.tick(self._clock()))
            if self._session.ending is not None:
                raise _EndError
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
        with suppress(_EndError, TimeoutError, TransportClosedError):
            async with timeout(CLOSE_MESSAGE_TIMEOUT_S):
                for message in self._outbox.take_all():
                    await self._send(message)
                await self._transport.close(code, reason)


class ChangeableRunner(Protocol):
    """What can be notified that its access session has ended or changed (ControlRunner)."""

    def receive_session_change(self, change: SessionChange) -> None:
        """Stop the head within this call where the session may not drive any more; close soon after its end."""
        ...


class SocketLimit:
    """How many control sessions may be open: a number in total, and a smaller number for each person."""

    def __init__(self, total: int, per_visitor: int) -> None:
        self._total, self._per_visitor = total, per_visitor
        self._visitors: dict[str, str] = {}

    def take(self, visitor: str, name: str) -> bool:
        """Count one of this name; False where there are too many already."""
        open_now = sum(each == visitor for each in self._visitors.values())
        if open_now >= self._per_visitor or len(self._visitors) >= self._total:
            return False
        self._visitors[name] = visitor
        return True

    def release(self, name: str) -> None:
        """The one of this name is closed; does nothing where that is known."""
        self._visitors.pop(name, None)


class ControlRunners:
    """All control sessions that are open, over whatever transport; a visitor has one for each open page."""

    def __init__(self, limit: SocketLimit | None = None) -> None:
        self._limit = limit or SocketLimit(MAX_SOCKETS, MAX_SOCKETS_PER_VISITOR)
        self._numbers = itertools.count(1)
        self._by_visitor: dict[str, list[ChangeableRunner]] = {}
        self._open: dict[str, Session] = {}

    def is_open(self, name: str) -> bool:
        """Whether the control session of this name has an open socket."""
        return name in self._open

    def all(self) -> list[tuple[str, Session]]:
        """Name and access session of every control session that has an open socket, oldest first."""
        return list(self._open.items())

    async def serve(self, transport: ControlTransport, visitor: Session, dependencies: Dependencies) -> None:
        """Serve a visitor over an open transport until either side closes it; one too many is closed at once."""
        name = f"{visitor.id}-{next(self._numbers)}"
        if not self._limit.take(visitor.person, name):
            with suppress(TimeoutError, TransportClosedError):
                async with timeout(CLOSE_MESSAGE_TIMEOUT_S):
                    await transport.close(CloseCode.TOO_MUCH, "too many pages are open")
            return
        self._open[name] = visitor
        try:
            session = ControlSession(name, visitor, dependencies, dependencies.clock(), self)
            runner = ControlRunner(transport, session, dependencies)
            with self.registered(visitor.id, runner):
                await runner.run()
        finally:
            self._open.pop(name, None)
            self._limit.release(name)

    @contextmanager
    def registered(self, visitor_id: str, runner: ChangeableRunner) -> Iterator[None]:
        """Within this context, the runner is notified when its access session ends or changes."""
        runners = self._by_visitor.setdefault(visitor_id, [])
        runners.append(runner)
        try:
            yield
        finally:
            runners.remove(runner)
            if not runners:
                self._by_visitor.pop(visitor_id, None)

    def receive_session_change(self, change: SessionChange) -> None:
        """Notify all that the session has; if one fails, this is logged, and the next is notified."""
        for runner in tuple(self._by_visitor.get(change.session.id, ())):
            try:
                runner.receive_session_change(change)
            except Exception:
                logger.exception("a control session of %s failed to stop what it drives", change.session.id)
