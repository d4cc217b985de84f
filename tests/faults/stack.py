"""The whole server in virtual time, but for browser and picture.

Real control, engine, supervisors and Bluetooth code over virtual units, and the gateway spoken to in process.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from contextlib import asynccontextmanager, suppress
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
from tests.support.asgi import SocketPeer, open_socket

from belvedere.access.invitations import AccessOptions
from belvedere.access.sessions import EndReason
from belvedere.app.build import Belvedere, build
from belvedere.app.settings import DEMO, Config, resolve
from belvedere.app.systemd_notify import Notifier
from belvedere.errors import InternalError
from belvedere.gateway.app import create_app
from belvedere.head.axes import AXES, Axis
from belvedere.head.frames import stop_frame, unpack
from belvedere.link.supervisor import LinkPhase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from belvedere.access.sessions import Session
    from belvedere.head.profile import WriteMode
    from belvedere.sim.head import VirtualHead
    from belvedere.sim.unit import ReceivedFrame

HOST = "127.0.0.1:8080"
UP_FOR_S = 86_400.0  # a monotonic clock counts from the computer's start, and is never below 0
RESEND_S = 0.05  # as a page does
PING_EVERY = 5  # setpoints, as a page does
FRESH_S = 0.4  # likewise: what was heard longer ago is asked for anew before a press is told
LOOK_EVERY_S = 0.002  # of virtual time
PATIENCE_S = 60.0  # likewise


class JumpingClock:
    """The loop's clock, but for the jumps that it is told to make."""

    def __init__(self) -> None:
        self._time = asyncio.get_running_loop().time
        self.jumped_s = 0.0

    def __call__(self) -> float:
        """The time in seconds."""
        return UP_FOR_S + self._time() + self.jumped_s


class Stack:
    """A living house: its head, its visitors, and what reaches the units. Times are those of the loop."""

    def __init__(self, config: Config) -> None:
        self.clock = JumpingClock()
        self.belvedere: Belvedere = build(config, self.clock, Notifier({}))
        self.app = create_app(self.belvedere.dependencies)
        self.config = config
        self.engine_running: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._visits: list[Session] = []

    @property
    def now(self) -> float:
        """The loop's time."""
        return self._loop.time()

    @property
    def head(self) -> VirtualHead:
        """The virtual head."""
        assert self.belvedere.virtual_head is not None
        return self.belvedere.virtual_head

    def phase(self, axis: Axis) -> LinkPhase:
        """What is being done about this axis's link."""
        return self.belvedere.units[axis].status.state

    def frames(self, axis: Axis, since_s: float = 0.0) -> list[ReceivedFrame]:
        """What a unit has obeyed since then."""
        newest_first = takewhile(lambda frame: frame.at_s >= since_s, reversed(self.head.unit(axis).frames))
        return [frame for frame in newest_first if frame.is_obeyed][::-1]

    def newest(self, axis: Axis) -> ReceivedFrame | None:
        """What a unit has obeyed last."""
        return next((frame for frame in reversed(self.head.unit(axis).frames) if frame.is_obeyed), None)

    def velocities(self, axis: Axis, since_s: float = 0.0) -> list[float]:
        """The same as shares of full speed."""
        return [unpack(self.config.profile.frame, frame.frame) for frame in self.frames(axis, since_s)]

    def is_stop(self, frame: ReceivedFrame) -> bool:
        """Whether this frame ends all motion."""
        return frame.frame == stop_frame(self.config.profile.frame)

    async def until(self, condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
        """Wait until a condition holds."""
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 - units tell nobody what they obey
                await asyncio.sleep(LOOK_EVERY_S)

    async def ready(self, *axes: Axis) -> None:
        """Wait until these units take commands; all of them where none are named."""
        await self.until(lambda: all(self.phase(axis) is LinkPhase.READY for axis in axes or AXES))

    async def turning(self, axis: Axis = Axis.PAN) -> None:
        """Wait until a unit was told to turn, and nothing else since."""
        await self.until(lambda: (newest := self.newest(axis)) and not self.is_stop(newest))

    async def stopped(self, axis: Axis = Axis.PAN) -> float:
        """Wait until a unit was told to stop, and nothing else since; returns when it was told first."""
        await self.until(lambda: (newest := self.newest(axis)) and self.is_stop(newest))
        frames = self.frames(axis)
        moves = [index for index, frame in enumerate(frames) if not self.is_stop(frame)]
        assert moves, "it never turned"
        return frames[moves[-1] + 1].at_s

    @asynccontextmanager
    async def visitor(self, way_s: float = 0.0) -> AsyncIterator[Visitor]:
        """Somebody so far away who has come in and said hello; whatever they hold is let go at the end."""
        headers = {"host": HOST, "origin": f"http://{HOST}", "cookie": self._open_session()}
        async with open_socket(self.app, "/api/v1/control", headers) as peer:
            visitor = Visitor(peer, self._loop, way_s)
            visitor.say("hello")
            await visitor.hears_of_the_server()
            try:
                yield visitor
            finally:
                await visitor.fall_silent()

    def program(self) -> httpx.AsyncClient:
        """A program that was let in and knows HTTP alone."""
        transport = httpx.ASGITransport(app=self.app)  # type: ignore[arg-type]  # it is one
        return httpx.AsyncClient(
            transport=transport, base_url=f"http://{HOST}", headers={"cookie": self._open_session()}
        )

    def end_visits(self, reason: EndReason) -> None:
        """The visits of all who have come in end."""
        invitations, ending, self._visits = self.belvedere.invitations, self._visits, []
        if reason is EndReason.DISPLACED:
            for _ in range(AccessOptions().max_sessions):
                invitations.redeem(invitations.invite())
        for session in ending:
            invitations.end(session.id, reason)

    def _open_session(self) -> str:
        """The cookie of somebody new."""
        admission = self.belvedere.invitations.redeem(self.belvedere.invitations.invite())
        assert admission is not None
        self._visits.append(admission.session)
        return f"belvedere-8080={admission.cookie}"


class Visitor:
    """A page without a browser: it drives as a page does, and misbehaves as pages do not.

    Attributes:
        epoch: the lease under which it drives.
        hold: the number of the present press.
        way_s: how long a message takes, there or back.
    """

    def __init__(self, peer: SocketPeer, loop: asyncio.AbstractEventLoop, way_s: float = 0.0) -> None:
        self.peer = peer
        self.way_s = way_s
        peer.told = self._receive_told
        self.epoch = 0
        self.hold = 0
        self.seq = 0
        self._loop = loop
        self._clock = loop.time
        self._heard_ms, self._heard_at = 0.0, -math.inf
        self._has_heard = asyncio.Event()
        self._holding: asyncio.Task[None] | None = None

    def say(self, what: str, **fields: object) -> None:
        """Send one message, with the time where messages of its kind have one."""
        timed = what in {"hello", "ping", "drive", "release"}
        self._send({"type": what, **({"clock": self._clock() * 1000} if timed else {}), **fields})

    async def hears_of_the_server(self) -> None:
        """Wait for the next time that the server tells of its clock."""
        self._has_heard.clear()
        await self._has_heard.wait()

    async def lease(self, verb: str = "acquire") -> None:
        """Ask for the lease until it is there."""
        self.say(f"lease.{verb}")
        while (lease := await self.peer.hear("lease"))["holder"] != "you":
            pass
        self.epoch = lease["epoch"]

    async def press(self, pan: float = 1.0, tilt: float = 0.0) -> None:
        """A fresh press, told again and again until it is let go."""
        await self.fall_silent()
        self.hold += 1
        self._holding = asyncio.create_task(self._hold(pan, tilt))

    def drive(self, pan: float, tilt: float = 0.0, wrong: Mapping[str, object] | None = None) -> dict[str, object]:
        """One setpoint of the present hold, as a message, with whatever is to be wrong about it."""
        self.seq += 1
        clock = self._clock() * 1000
        right = {"type": "drive", "epoch": self.epoch, "hold": self.hold, "seq": self.seq, "pan": pan, "tilt": tilt}
        return {**right, "clock": clock, "heard": self._heard_ms, **(wrong or {})}

    async def cancel(self) -> None:
        """The hand is lifted."""
        await self.fall_silent()
        self.seq += 1
        self.say("release", epoch=self.epoch, hold=self.hold, seq=self.seq)

    async def fall_silent(self) -> None:
        """Nothing is told any more, not even that the hand is lifted."""
        holding, self._holding = self._holding, None
        if holding is not None:
            holding.cancel()
            await asyncio.wait({holding})

    async def error(self) -> dict[str, Any]:
        """The next refusal."""
        return await self.peer.hear("error")

    async def notice(self) -> dict[str, Any]:
        """The next notice."""
        return await self.peer.hear("notice")

    async def _hold(self, pan: float, tilt: float) -> None:
        while self._clock() - self._heard_at > FRESH_S:
            self.say("ping")
            with suppress(TimeoutError):
                async with asyncio.timeout(PING_EVERY * RESEND_S):
                    await self.hears_of_the_server()
        for number in itertools.count():
            if number % PING_EVERY == 0:
                self.say("ping")
            self._send(self.drive(pan, tilt))
            await asyncio.sleep(RESEND_S)

    def _send(self, message: object) -> None:
        if self.way_s:
            self._loop.call_later(self.way_s, self.peer.say, message)
        else:
            self.peer.say(message)

    def _receive_told(self, message: dict[str, Any]) -> None:
        if message.get("code") == "clock_jumped":
            self._heard_at = -math.inf  # what was heard before says nothing any more
        told_ms = message.get("server", message.get("written"))
        if told_ms is None:
            return
        if self.way_s:
            self._loop.call_later(self.way_s, self._receive, told_ms)
        else:
            self._receive(told_ms)

    def _receive(self, told_ms: float) -> None:
        self._heard_ms, self._heard_at = told_ms, self._clock()
        self._has_heard.set()


@asynccontextmanager
async def open_stack(
    before: Callable[[VirtualHead], None] = lambda _head: None, write: WriteMode | None = None
) -> AsyncIterator[Stack]:
    """Run a house; `before` may do something to its head before anybody looks for it."""
    stage = msgspec.structs.replace(DEMO.stage, source="test")
    units = {axis.value: msgspec.structs.replace(getattr(DEMO.head, axis), write=write) for axis in AXES}
    head = msgspec.structs.replace(DEMO.head, **units)
    stack = Stack(resolve(msgspec.structs.replace(DEMO, stage=stage, head=head)))
    async with stack.head:
        before(stack.head)
        stack.engine_running = asyncio.create_task(stack.belvedere.engine.run())
        tasks = {stack.engine_running, *(asyncio.create_task(unit.run()) for unit in stack.belvedere.units.values())}
        try:
            yield stack
        finally:
            with suppress(InternalError):
                stack.belvedere.engine.receive_closing()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in tasks - {stack.engine_running}:
            assert task.cancelled(), task.exception()
