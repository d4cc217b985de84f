"""The whole server in virtual time, without a browser and without video.

Real control, engine, supervisors and Bluetooth code over virtual units; the gateway is called in process.
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
from tests.access.joining import join
from tests.support.asgi import SocketPeer, open_socket

from belvedere.access.invitations import MAX_SESSIONS_OF_PERSON
from belvedere.access.sessions import EndReason
from belvedere.app.build import Belvedere, build
from belvedere.app.settings import DEMO, Config, PatternCameraSettings, resolve
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
FRESH_S = 0.4  # likewise: a server time received longer ago is requested again before a press is sent
LOOK_EVERY_S = 0.002  # of virtual time
TIMEOUT_S = 60.0  # likewise


class JumpingClock:
    """The loop's clock plus `jumped_s`, which tests set."""

    def __init__(self) -> None:
        self._time = asyncio.get_running_loop().time
        self.jumped_s = 0.0

    def __call__(self) -> float:
        """The time in seconds."""
        return UP_FOR_S + self._time() + self.jumped_s


class Stack:
    """A running server: its head, its visitors, and the frames that reach its units. Times are those of the loop."""

    def __init__(self, config: Config) -> None:
        self.clock = JumpingClock()
        self.belvedere: Belvedere = build(config, self.clock, Notifier({}))
        self.app = create_app(self.belvedere.dependencies)
        self.config = config
        self.engine_running: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._sessions: list[Session] = []

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
        """The phase of this axis's link."""
        return self.belvedere.units[axis].status.state

    def frames(self, axis: Axis, since_s: float = 0.0) -> list[ReceivedFrame]:
        """The frames that a unit has executed since then."""
        newest_first = takewhile(lambda frame: frame.at_s >= since_s, reversed(self.head.unit(axis).frames))
        return [frame for frame in newest_first if frame.is_obeyed][::-1]

    def newest(self, axis: Axis) -> ReceivedFrame | None:
        """The last frame that a unit has executed."""
        return next((frame for frame in reversed(self.head.unit(axis).frames) if frame.is_obeyed), None)

    def velocities(self, axis: Axis, since_s: float = 0.0) -> list[float]:
        """The same as shares of full speed."""
        return [unpack(self.config.profile.frame, frame.frame) for frame in self.frames(axis, since_s)]

    def is_stop(self, frame: ReceivedFrame) -> bool:
        """Whether this frame ends all motion."""
        return frame.frame == stop_frame(self.config.profile.frame)

    async def until(self, condition: Callable[[], object], timeout_s: float = TIMEOUT_S) -> None:
        """Wait until a condition holds."""
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 - units send no event when they execute a frame
                await asyncio.sleep(LOOK_EVERY_S)

    async def ready(self, *axes: Axis) -> None:
        """Wait until these units take commands; all of them if none are named."""
        await self.until(lambda: all(self.phase(axis) is LinkPhase.READY for axis in axes or AXES))

    async def turning(self, axis: Axis = Axis.PAN) -> None:
        """Wait until the last frame that a unit executed is a move."""
        await self.until(lambda: (newest := self.newest(axis)) and not self.is_stop(newest))

    async def stopped(self, axis: Axis = Axis.PAN) -> float:
        """Wait until the last frame that a unit executed is a stop; returns when the first one after the move was."""
        await self.until(lambda: (newest := self.newest(axis)) and self.is_stop(newest))
        frames = self.frames(axis)
        moves = [index for index, frame in enumerate(frames) if not self.is_stop(frame)]
        assert moves, "it never turned"
        return frames[moves[-1] + 1].at_s

    @asynccontextmanager
    async def visitor(self, delay_s: float = 0.0, cookie: str | None = None) -> AsyncIterator[Visitor]:
        """A connected visitor with this one-way delay, who has sent hello; stops sending at the end of the block.

        `cookie` proves the session; without one it is a new one, of a new person.
        """
        headers = {"host": HOST, "origin": f"http://{HOST}", "cookie": cookie or self.open_session()}
        async with open_socket(self.app, "/api/v1/control", headers) as peer:
            visitor = Visitor(peer, self._loop, delay_s)
            visitor.send("hello")
            await visitor.receive_server_time()
            try:
                yield visitor
            finally:
                await visitor.stop_sending()

    def program(self) -> httpx.AsyncClient:
        """A program with a session, which uses HTTP only."""
        transport = httpx.ASGITransport(app=self.app)  # type: ignore[arg-type]  # it is one
        return httpx.AsyncClient(
            transport=transport, base_url=f"http://{HOST}", headers={"cookie": self.open_session()}
        )

    def end_sessions(self, reason: EndReason) -> None:
        """End all sessions for this reason."""
        invitations, ending, self._sessions = self.belvedere.invitations, self._sessions, []
        if reason is EndReason.DISPLACED:
            for session in ending:
                for _ in range(MAX_SESSIONS_OF_PERSON):
                    invitations.open_session(session.person)
        for session in ending:
            invitations.end(session.id, reason)

    def open_session(self) -> str:
        """Open a session; returns its cookie."""
        admission = join(self.belvedere.invitations)
        self._sessions.append(admission.session)
        return f"belvedere-8080={admission.cookie}"


class Visitor:
    """A page without a browser: it drives as a page does, and can also send what no page sends.

    Attributes:
        epoch: the lease under which it drives.
        hold: the number of the present press.
        delay_s: how long a message takes, in each direction.
    """

    def __init__(self, peer: SocketPeer, loop: asyncio.AbstractEventLoop, delay_s: float = 0.0) -> None:
        self.peer = peer
        self.delay_s = delay_s
        peer.on_message = self._receive_message
        self.epoch = 0
        self.hold = 0
        self.seq = 0
        self._loop = loop
        self._clock = loop.time
        self._heard_ms, self._heard_at = 0.0, -math.inf
        self._time_received = asyncio.Event()
        self._holding: asyncio.Task[None] | None = None

    def send(self, what: str, **fields: object) -> None:
        """Send one message, with the client's time if messages of its kind have one."""
        timed = what in {"hello", "ping", "drive", "release"}
        self._send({"type": what, **({"clock": self._clock() * 1000} if timed else {}), **fields})

    async def receive_server_time(self) -> None:
        """Wait for the next message with the server's time."""
        self._time_received.clear()
        await self._time_received.wait()

    async def lease(self, verb: str = "acquire") -> None:
        """Ask for the lease, and wait until it is granted."""
        self.send(f"lease.{verb}")
        while (lease := await self.peer.receive("lease"))["holder"] != "you":
            pass
        self.epoch = lease["epoch"]

    async def press(self, pan: float = 1.0, tilt: float = 0.0) -> None:
        """Begin a new press, and send its setpoint repeatedly until it is released."""
        await self.stop_sending()
        self.hold += 1
        self._holding = asyncio.create_task(self._hold(pan, tilt))

    def drive(self, pan: float, tilt: float = 0.0, wrong: Mapping[str, object] | None = None) -> dict[str, object]:
        """One setpoint of the present hold, as a message; `wrong` replaces some of its fields."""
        self.seq += 1
        clock = self._clock() * 1000
        right = {"type": "drive", "epoch": self.epoch, "hold": self.hold, "seq": self.seq, "pan": pan, "tilt": tilt}
        return {**right, "clock": clock, "heard": self._heard_ms, **(wrong or {})}

    async def release(self) -> None:
        """Release the press."""
        await self.stop_sending()
        self.seq += 1
        self.send("release", epoch=self.epoch, hold=self.hold, seq=self.seq)

    async def stop_sending(self) -> None:
        """Stop sending the setpoint, without a release."""
        holding, self._holding = self._holding, None
        if holding is not None:
            holding.cancel()
            await asyncio.wait({holding})

    async def error(self) -> dict[str, Any]:
        """Wait for the next refusal."""
        return await self.peer.receive("error")

    async def notice(self) -> dict[str, Any]:
        """Wait for the next notice."""
        return await self.peer.receive("notice")

    async def _hold(self, pan: float, tilt: float) -> None:
        while self._clock() - self._heard_at > FRESH_S:
            self.send("ping")
            with suppress(TimeoutError):
                async with asyncio.timeout(PING_EVERY * RESEND_S):
                    await self.receive_server_time()
        for number in itertools.count():
            if number % PING_EVERY == 0:
                self.send("ping")
            self._send(self.drive(pan, tilt))
            await asyncio.sleep(RESEND_S)

    def _send(self, message: object) -> None:
        if self.delay_s:
            self._loop.call_later(self.delay_s, self.peer.send_json, message)
        else:
            self.peer.send_json(message)

    def _receive_message(self, message: dict[str, Any]) -> None:
        if message.get("code") == "clock_jumped":
            self._heard_at = -math.inf  # the times received before are of no use any more
        server_ms = message.get("server", message.get("written"))
        if server_ms is None:
            return
        if self.delay_s:
            self._loop.call_later(self.delay_s, self._receive, server_ms)
        else:
            self._receive(server_ms)

    def _receive(self, server_ms: float) -> None:
        self._heard_ms, self._heard_at = server_ms, self._clock()
        self._time_received.set()


@asynccontextmanager
async def open_stack(
    before: Callable[[VirtualHead], None] = lambda _head: None, write: WriteMode | None = None
) -> AsyncIterator[Stack]:
    """Run a server; `before` is called with its head before the first scan."""
    units = {axis.value: msgspec.structs.replace(getattr(DEMO.head, axis), write=write) for axis in AXES}
    head = msgspec.structs.replace(DEMO.head, **units)
    stack = Stack(resolve(msgspec.structs.replace(DEMO, camera=PatternCameraSettings(), head=head)))
    await stack.belvedere.room.load()  # until then the curtain is closed
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
