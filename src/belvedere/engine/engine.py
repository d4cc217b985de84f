"""Runs the control core on a clock: a thin shell that passes events in and effects out, without waiting.

Each `receive_*` call steps the core and gives its writes to the units before it returns, so no queue adds latency
between a visitor's message and the unit's pending write. The loop in `run` only handles what becomes due by the clock.
Any failure other than a refusal stops the head and ends `run`, and with it the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from typing import TYPE_CHECKING, Protocol

from belvedere.control.effects import Notify, QuestionEnded, Write
from belvedere.control.lease import Driver, LeaseVerb
from belvedere.control.setpoint import Setpoint, Stamp
from belvedere.engine.status import Acknowledged, AxisState, EngineStatus, NoticeEvent
from belvedere.errors import InternalError, Refusal, VisitorError
from belvedere.events import DriverChanged, HoldCut, StopRequested, UnitLinkChanged, ignore
from belvedere.head.axes import AXES, Axis
from belvedere.link.supervisor import LinkPhase, UnitStatus
from belvedere.timeouts import SHORTEST_TIMER_S, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from belvedere.control.core import Control
    from belvedere.engine.bus import Bus
    from belvedere.events import Event

logger = logging.getLogger(__name__)

POSITION_DIGITS = 1  # a tenth of a degree is finer than dead reckoning is accurate


class CommandedUnit(Protocol):
    """The engine's view of one axis's unit: a supervisor, or a test double of one."""

    @property
    def status(self) -> UnitStatus:
        """The present status of its link."""
        ...

    def put(self, velocity: float, stamp: object | None = None) -> None:
        """Replace any command that is still pending by this one; never blocks."""
        ...


class Engine:
    """One head's engine. Call it from the event loop's thread only; no call blocks.

    Args:
        control: the core.
        clock: the event loop's monotonic clock in seconds.
        bus: where status, acknowledgements and notices are published.
        beat: called by the loop to show a watchdog that it still runs.
        beat_s: the longest time until the next `beat`, in seconds; None if no watchdog needs one now.
        stops_elsewhere: returns the axes that the guardian process has stopped since the last call, each with its time.
        record: called with an event when the driver changes, a stop is requested, a hold is cut or a link changes.
    """

    def __init__(
        self,
        control: Control,
        *,
        clock: Callable[[], float],
        bus: Bus,
        beat: Callable[[], None] = lambda: None,
        beat_s: Callable[[], float | None] = lambda: None,
        stops_elsewhere: Callable[[], Iterable[tuple[Axis, float]]] = lambda: (),
        record: Callable[[Event], None] = ignore,
    ) -> None:
        self._control = control
        self._clock = clock
        self._bus = bus
        self._beat, self._beat_s = beat, beat_s
        self._stops_elsewhere = stops_elsewhere
        self._record = record
        self._people: dict[str, str] = {}  # by session
        self._driver: str | None = None
        self._wakes_at = math.inf
        self._units: dict[Axis, CommandedUnit] = {}
        self._wake = asyncio.Event()
        self._failure: BaseException | None = None
        self._status: EngineStatus | None = None
        self.is_running = False

    def attach(self, axis: Axis, unit: CommandedUnit) -> None:
        """Send this axis's commands to this unit; call once for each axis, before `run`."""
        self._units[axis] = unit

    # events from visitors

    def receive_session_opened(self, session: str, person: str, rank: int = 0) -> None:
        """A session opened; `person` is the same for all of a person's sessions, so that one can resume the lease."""
        with self._guarded() as now:
            self._people[session] = person
            self._control.receive_session_opened(now, Driver(session, person, rank))

    def receive_session_closed(self, session: str) -> None:
        """A session closed, for any reason: its hold ends."""
        with self._guarded() as now:
            self._control.receive_session_closed(now, session)
        self._people.pop(session, None)

    def receive_lease(self, session: str, verb: LeaseVerb) -> None:
        """A session asks for the lease or returns it. Raises VisitorError if it may not have the lease."""
        with self._guarded() as now:
            self._control.receive_lease(now, session, verb)

    def receive_answer(self, session: str, asker: str, *, is_granted: bool) -> None:
        """The driver answers whether another session may drive. Raises VisitorError if there is no such question."""
        with self._guarded() as now:
            self._control.receive_answer(now, session, asker, is_granted=is_granted)

    def receive_give(self, session: str, to: str) -> None:
        """The driver gives the lease to another session. Raises VisitorError if it cannot."""
        with self._guarded() as now:
            self._control.receive_give(now, session, to)

    def receive_withdrawn(self, session: str) -> None:
        """A session may not drive any more: it loses the lease, without the grace time, and asks no more."""
        with self._guarded() as now:
            self._control.receive_withdrawn(now, session)

    def receive_heartbeat(self, session: str, sent_at_s: float) -> None:
        """A session sent a heartbeat at `sent_at_s` by its own clock."""
        with self._guarded() as now:
            self._control.receive_heartbeat(now, session, sent_at_s)

    def receive_drive(self, session: str, setpoint: Setpoint) -> None:
        """A session sent a setpoint. Raises VisitorError if it is refused, and always unless `run` is running.

        Without the loop nothing would end the hold at its deadline.
        """
        if not self.is_running:
            raise VisitorError(Refusal.NOT_READY, "the engine is not running: try again in a moment")
        with self._guarded() as now:
            self._control.receive_setpoint(now, session, setpoint)

    def receive_release(self, session: str, epoch: int, hold: int, stamp: Stamp | None = None) -> None:
        """A session released its hold; ignored unless it drives under this epoch."""
        with self._guarded() as now:
            self._control.receive_release(now, session, epoch, hold, stamp)

    def receive_stop(self, session: str) -> None:
        """A session asked for a stop, whether it drives or not."""
        with self._guarded() as now:
            self._control.receive_stop(now, session)
        self._record(StopRequested(session, self._people.get(session)))

    def receive_closing(self) -> None:
        """The program is about to end: stop, and refuse every setpoint from now on."""
        with self._guarded() as now:
            self._control.receive_closing(now)

    # events from units (link.supervisor.UnitListener)

    def receive_unit_status(self, axis: Axis, status: UnitStatus) -> None:
        """A unit's link changed."""
        with self._guarded() as now:
            self._control.receive_link(now, axis, is_ready=status.state is LinkPhase.READY)
        self._record(UnitLinkChanged(axis, status.state, status.reason))

    def receive_unit_written(self, axis: Axis, velocity: float, stamp: object | None, now: float) -> None:
        """A write completed at `now`; the session whose setpoint it carried gets an acknowledgement."""
        self._control.receive_written(self._not_before(now), axis, velocity)
        if isinstance(stamp, Stamp):
            acknowledged = Acknowledged(axis, stamp.seq, stamp.sent_at_s, now)
            self._bus.publish(f"ack:{stamp.session}:{axis}", acknowledged)
        self._publish_status()

    def receive_unit_attempted(self, axis: Axis, velocity: float, now: float) -> None:
        """A write is about to begin; whatever has become due by the clock is done first.

        If the process was suspended (SIGSTOP, a suspended computer), its tasks may resume in any order. Without this
        check the write of a move could resume before the loop ends its hold, which expired while the process slept.
        """
        deadline = self._control.deadline()
        if deadline is not None and now >= deadline and self._failure is None:
            # An empty block steps the core. If that fails, this write goes on, because it may be a stop; the failure is
            # kept, and `run` raises it.
            with contextlib.suppress(InternalError), self._guarded():
                pass
        self._control.receive_attempted(self._not_before(now), axis, velocity)
        self._wake_sooner()  # from now on the watchdog may need the beat more often

    # status

    @property
    def status(self) -> EngineStatus:
        """The present state of the head."""
        now = self._clock()
        pan, tilt = (self._axis_state(now, axis) for axis in AXES)
        return EngineStatus(pan, tilt, self._control.lease_status)

    # the loop

    async def run(self) -> None:
        """Do whatever becomes due by the clock, until cancelled; always gives both units a stop before it returns.

        Raises InternalError if the core failed, or a unit did not take a command.
        """
        self.is_running = True
        try:
            while True:
                with self._guarded():
                    self._beat()
                # No event can be missed here: without an `await` between the step above and the wait below, no other
                # task runs in between.
                self._wake.clear()
                await self._until_due()
        finally:
            self.is_running = False
            for axis, unit in self._units.items():
                try:
                    unit.put(0.0)
                except Exception:  # the other axis must get its stop all the same
                    logger.exception("could not give the %s unit its last stop", axis)

    async def _until_due(self) -> None:
        """Wait for the next deadline or beat, or until an event brings them forward."""
        now = self._clock()
        due_at = self._due_at(now)
        self._wakes_at = max(now + SHORTEST_TIMER_S, due_at)
        await wait_until(self._wake, self._wakes_at if due_at < math.inf else None, self._clock)

    def _due_at(self, now: float) -> float:
        """When the loop must run next if no event comes before; infinite if never."""
        deadline, beat_s = self._control.deadline(), self._beat_s()
        beat_at = math.inf if beat_s is None else now + beat_s
        return beat_at if deadline is None else min(deadline, beat_at)

    def _wake_sooner(self) -> None:
        """Wake the loop if something is due before its timer fires.

        Most setpoints only move the deadline back; waking the loop sixty times a second for those would be a waste. The
        loop is also woken if its timer should have fired by now: then `clock` has jumped ahead of the timer's clock.
        """
        now = self._clock()
        if now > self._wakes_at or self._due_at(now) < self._wakes_at:
            self._wake.set()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[float]:
        """Pass one event to the core at the yielded time, then carry out the effects, even if the event was refused.

        Any exception but VisitorError is kept as the failure that `run` raises, and every later call fails likewise:
        after a bug, the core's state can no longer be trusted to keep the head safe.
        """
        if self._failure is not None:
            raise InternalError("the engine has failed") from self._failure
        try:
            try:
                for axis, stopped_at in self._stops_elsewhere():
                    self._control.receive_written(self._not_before(stopped_at), axis, 0.0)
                yield self._clock()
            finally:
                self._step()
        except VisitorError:
            raise
        except Exception as error:
            self._failure = error
            self._wake.set()
            raise InternalError("the engine has failed") from error

    def _not_before(self, event_at: float) -> float:
        """The time of an event whose sender read the clock itself, but not earlier than the core's newest event.

        The core may have been stepped since then. Passed on as it is, the time would look like a clock that went
        backwards, and the core would cut the hold.
        """
        return max(event_at, self._control.now)

    def _step(self) -> None:
        for effect in self._control.tick(self._clock()):
            match effect:
                case Write(axis=axis, velocity=velocity, stamp=stamp):
                    if axis in self._units:
                        self._units[axis].put(velocity, stamp)
                case Notify(session=session, code=code, axis=axis, hold=hold):
                    self._bus.publish(f"notice:{session}:{axis or 'both'}", NoticeEvent(code, axis, hold))
                    self._record(HoldCut(session, code, axis))
                case QuestionEnded(session=session):
                    self._bus.publish(f"question:{session}", effect)
        self._publish_status()
        self._wake_sooner()

    def _publish_status(self) -> None:
        status = self.status
        if status != self._status:
            self._status = status
            self._bus.publish("status", status)
        lease = status.lease
        if lease.session != self._driver:
            self._driver = lease.session
            self._record(DriverChanged(lease.epoch, lease.session, self._people.get(lease.session or "")))

    def _axis_state(self, now: float, axis: Axis) -> AxisState:
        known = self._control.axis_status(now, axis)
        position = None if known.position_deg is None else round(known.position_deg, POSITION_DIGITS)
        unit = self._units.get(axis)
        if unit is None:
            return AxisState(LinkPhase.DISABLED, None, 0.0, position, 0, None, is_position_sure=known.is_position_sure)
        link = unit.status
        return AxisState(
            link.state,
            link.reason,
            known.velocity,
            position,
            known.limit,
            link.interval_s,
            known.written,
            known.is_position_sure,
        )
