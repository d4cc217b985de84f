"""Runs a probe: the core decides, a supervisor keeps the link, the gate lets only stops and open trials pass."""

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
from belvedere.link.supervisor import LinkPhase, UnitStatus, UnitSupervisor
from belvedere.timeouts import timeout

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

STOP_REPEATS_S = (0.05, 0.1, 0.3)  # when a stop is repeated, in case a write without response was lost


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """How a probe ended, whether the unit is known to be at rest, and why it was not reached, if so."""

    outcome: Outcome
    is_at_rest: bool
    reason: LinkReason | None = None


class ProbeRun:
    """One probe of one unit; `run` may be called once.

    Args:
        link: the unit's own link.
        layout: the profile's frame layout; its stop is the only frame that is written outside a trial.
        unit: the profile of the unit.
        observer: watches the unit, and answers.
        script_for: makes the script once the unit is connected.
        clock: seconds, monotonic; must be the running loop's time.
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
        self._unit = msgspec.structs.replace(unit, invert=False)  # which way it turns is to be found out
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
        """Probe until the script or the observer ends it; returns after the stop, with the link closed.

        Raises what the observer raised, after the stop.
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
        """Stop the unit and end the probe; may be called at any time, from the loop."""
        self._stop()  # at once, before any queued event
        self._events.put_nowait(lambda now: self._core.receive_end(outcome, now))

    def receive_unit_status(self, _axis: Axis, status: UnitStatus) -> None:
        """The link changed (`link.supervisor.UnitListener`)."""
        is_ready = status.state is LinkPhase.READY
        self._reason = status.reason
        details = status.details
        if is_ready:
            self._may_be_turning = False  # the supervisor's first write on a new link is a stop
        if is_ready and not self._was_ready and details is not None:
            self._events.put_nowait(lambda now: self._core.receive_ready(details, now))
        elif self._was_ready and not is_ready:
            self._events.put_nowait(self._core.receive_lost)
        self._was_ready = is_ready

    def receive_unit_written(self, axis: Axis, velocity: float, stamp: object | None, now: float) -> None:
        """A frame was written; its effect is for the observer to see."""

    def receive_unit_attempted(self, axis: Axis, velocity: float, now: float) -> None:
        """A frame is about to be written."""

    async def _next_event(self) -> Event:
        """The next event, or at the core's deadline its tick."""
        deadline = self._core.deadline()
        if deadline is None:
            raise InternalError("the probe core has ended without a Finish effect")
        with contextlib.suppress(TimeoutError):
            async with timeout(max(0.0, deadline - self._clock())):
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
        """Prepare the observer first: printing may take long, and counts as part of the trial's time."""
        step = self._core.step
        if step is None or self._supervisor is None:
            raise InternalError("a Move effect without a step, or without a supervisor")
        self._observer.receive_step(step)
        self._watch(self._wait_for_stop_key())
        self._gate.allow(frame, until_s)
        speed = self._layout.speed
        self._supervisor.put(speed.slowest / speed.fastest)

    def _stop(self) -> None:
        self._gate.shut()
        self._put_stop()
        for after_s in STOP_REPEATS_S:
            asyncio.get_running_loop().call_later(after_s, self._repeat_stop)

    def _repeat_stop(self) -> None:
        if self._gate.is_shut:
            self._put_stop()

    def _put_stop(self) -> None:
        if self._supervisor is not None:
            self._supervisor.put(0.0)

    def _watch(self, watching: Coroutine[Any, Any, None]) -> None:
        self._end_watching()
        self._watching = asyncio.create_task(watching)
        self._watching.add_done_callback(self._receive_watched)

    def _end_watching(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()

    def _receive_watched(self, watching: asyncio.Task[None]) -> None:
        """An observer that fails can stop nothing any more: stop, and end."""
        if not watching.cancelled() and watching.exception() is not None:
            self._failure = watching.exception()
            self.end(Outcome.FAILED)

    async def _answer(self, asked: Coroutine[Any, Any, Answer]) -> None:
        answer = await asked
        self._events.put_nowait(lambda now: self._core.receive_answer(answer, now))

    async def _wait_for_stop_key(self) -> None:
        await self._observer.wants_stop()
        self._stop()  # at once, before the event is processed
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
        """A supervisor that fails is a bug: end the probe."""
        if not supervising.cancelled() and supervising.exception() is not None:
            self._failure = supervising.exception()
            self.end(Outcome.FAILED)

    async def _end_supervising(self) -> None:
        """Cancel the supervisor, which stops the unit and closes the link; wait for that, even if cancelled."""
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
