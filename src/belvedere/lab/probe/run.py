"""Carries a probe out: the core decides, a supervisor keeps the link, the gate guards it, and an observer watches."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from belvedere.errors import InternalError, LinkReason
from belvedere.head.frames import stop_frame
from belvedere.lab.probe.core import Ask, DropLink, Effect, Finish, Limits, Move, ProbeCore, SetWriteMode, Stop
from belvedere.lab.probe.gate import Gate
from belvedere.lab.probe.steps import Answer, Outcome
from belvedere.link.supervisor import LinkPhase, UnitCommand, UnitStatus, UnitSupervisor
from belvedere.patience import within

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from belvedere.head.axes import Axis
    from belvedere.head.layout import FrameLayout
    from belvedere.head.profile import UnitProfile, WriteMode
    from belvedere.lab.probe.core import Script
    from belvedere.lab.probe.observer import Observer
    from belvedere.link.options import LinkOptions
    from belvedere.link.port import LinkDetails, UnitLink

    Event: TypeAlias = Callable[[float], list[Effect]]

STOP_AGAIN_S = (0.05, 0.1, 0.3)  # a stop that nobody acknowledges is said again


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """How a probe ended, whether the unit surely stands still, and why it was not reached where it was not."""

    outcome: Outcome
    is_at_rest: bool
    reason: LinkReason | None = None


class ProbeRun:
    """One probe of one unit; made for one `run`.

    Args:
        link: the unit's own link.
        layout: the frame as the profile says; its stop is the only frame that is written outside a try.
        unit: how the unit is written.
        observer: whoever watches.
        script_for: makes the script, once the unit has been reached.
        clock: seconds, monotonic; the running loop's time.
    """

    def __init__(
        self,
        axis: Axis,
        link: UnitLink,
        layout: FrameLayout,
        unit: UnitProfile,
        *,
        observer: Observer,
        script_for: Callable[[LinkDetails], Script],
        limits: Limits,
        options: LinkOptions,
        clock: Callable[[], float],
    ) -> None:
        self._axis = axis
        self._layout = layout
        self._unit = msgspec.structs.replace(unit, invert=False)  # what turns which way is to be found out
        self._observer = observer
        self._options = options
        self._clock = clock
        self._core = ProbeCore(script_for, limits, clock())
        self._gate = Gate(link, stop_frame(layout), clock, observer.receive_link)
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._watching: asyncio.Task[None] | None = None
        self._supervisor: UnitSupervisor | None = None
        self._supervising: asyncio.Task[None] | None = None
        self._was_ready = False
        self._may_be_turning = False
        self._reason: LinkReason | None = None
        self._outcome: Outcome | None = None
        self._failure: BaseException | None = None

    async def run(self) -> ProbeResult:
        """Probe until the script or somebody ends it; returns when the unit was told to stop and the link is closed.

        Raises what the observer raises, after the stop.
        """
        try:
            self._begin_supervising()
            while self._outcome is None:
                for effect in (await self._next_event())(self._clock()):
                    await self._perform(effect)
        finally:
            self._stop()
            self._end_watching()
            await self._end_supervising()
            await self._gate.end()
        if self._failure is not None:
            raise self._failure
        assert self._outcome is not None  # noqa: S101 - the loop above ended by it
        return ProbeResult(self._outcome, not self._may_be_turning, self._reason)

    def end(self, outcome: Outcome = Outcome.QUIT) -> None:
        """Stop, and come to an end; may be called at any time, from the loop."""
        self._stop()  # at once, however many events wait
        self._events.put_nowait(lambda now: self._core.receive_end(outcome, now))

    def receive_unit_status(self, _axis: Axis, status: UnitStatus) -> None:
        """The link changed (`link.supervisor.UnitListener`)."""
        is_ready = status.state is LinkPhase.READY
        self._reason = status.reason
        details = status.details
        if is_ready:
            self._may_be_turning = False  # whatever was left of a former link: it has been told to stop
        if is_ready and not self._was_ready and details is not None:
            self._events.put_nowait(lambda now: self._core.receive_ready(details, now))
        elif self._was_ready and not is_ready:
            self._events.put_nowait(self._core.receive_lost)
        self._was_ready = is_ready

    def receive_unit_written(self, axis: Axis, velocity: float, stamp: object | None, now: float) -> None:
        """The radio took a frame; what it does is for the observer to see."""

    def receive_unit_attempted(self, axis: Axis, velocity: float, now: float) -> None:
        """A frame is on its way."""

    async def _next_event(self) -> Event:
        """What happened next, or the passing of time."""
        deadline = self._core.deadline()
        if deadline is None:
            raise InternalError("the probe has ended and nobody knows how")
        with contextlib.suppress(TimeoutError):
            async with within(max(0.0, deadline - self._clock())):
                return await self._events.get()
        if self._supervisor is not None and self._was_ready and not self._supervisor.may_be_turning:
            self._core.receive_stopped()
        return self._core.tick

    async def _perform(self, effect: Effect) -> None:
        match effect:
            case Stop():
                self._stop()
            case Move(frame, until_s):
                self._move(frame, until_s)
            case DropLink(down_s):
                self._gate.drop(down_s)
            case SetWriteMode(mode):
                await self._end_supervising()
                self._begin_supervising(mode)
            case Ask(step, question):
                self._watch(self._answer(self._observer.answer(step, question)))
            case Finish(outcome):
                self._outcome = outcome

    def _move(self, frame: bytes, until_s: float) -> None:
        """Let the observer look first: showing a line may take long, and the time is counted from before."""
        step = self._core.step
        if step is None or self._supervisor is None:
            raise InternalError("a motion without a step, or without a link")
        self._observer.receive_step(step)
        self._watch(self._wait_for_a_key())
        self._gate.allow(frame, until_s)
        speed = self._layout.speed
        self._supervisor.put(UnitCommand(speed.slowest / speed.fastest))

    def _stop(self) -> None:
        self._gate.shut()
        self._put_stop()
        for after_s in STOP_AGAIN_S:
            asyncio.get_running_loop().call_later(after_s, self._repeat_stop)

    def _repeat_stop(self) -> None:
        if self._gate.is_shut:
            self._put_stop()

    def _put_stop(self) -> None:
        if self._supervisor is not None:
            self._supervisor.put(UnitCommand(0.0))

    def _watch(self, watching: Coroutine[Any, Any, None]) -> None:
        self._end_watching()
        self._watching = asyncio.create_task(watching)
        self._watching.add_done_callback(self._receive_watched)

    def _end_watching(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()

    def _receive_watched(self, watching: asyncio.Task[None]) -> None:
        """An observer that fails is as good as none: stop, and end."""
        if not watching.cancelled() and watching.exception() is not None:
            self._failure = watching.exception()
            self.end(Outcome.FAILED)

    async def _answer(self, asked: Coroutine[Any, Any, Answer]) -> None:
        answer = await asked
        self._events.put_nowait(lambda now: self._core.receive_answer(answer, now))

    async def _wait_for_a_key(self) -> None:
        await self._observer.wants_stop()
        self._stop()  # before anything else
        self._events.put_nowait(self._core.receive_key)

    def _begin_supervising(self, mode: WriteMode | None = None) -> None:
        unit = self._unit if mode is None else msgspec.structs.replace(self._unit, write=mode)
        self._was_ready = False
        self._supervisor = UnitSupervisor(
            self._axis, self._gate, self._layout, unit, clock=self._clock, options=self._options, listener=self
        )
        self._supervising = asyncio.create_task(self._supervisor.run())
        self._supervising.add_done_callback(self._receive_supervised)

    def _receive_supervised(self, supervising: asyncio.Task[None]) -> None:
        """A supervisor that fails is a mistake of ours, and the end."""
        if not supervising.cancelled() and supervising.exception() is not None:
            self._failure = supervising.exception()
            self.end(Outcome.FAILED)

    async def _end_supervising(self) -> None:
        """The supervisor tells the unit to stop and closes the link; it is waited for whoever has no time."""
        supervising, self._supervising = self._supervising, None
        supervisor, self._supervisor = self._supervisor, None
        if supervising is None or supervisor is None:
            return
        self._gate.shut()
        supervising.cancel()
        while not supervising.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({supervising})
        self._may_be_turning = self._may_be_turning or supervisor.may_be_turning
