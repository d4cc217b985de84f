"""Runs the core on a clock: a thin shell that carries what happens in, and what must be done out, without waiting.

A visitor's message goes to the unit's mailbox within the call that brings it: there is no queue on the way. The loop in
`run` only sees to what is due by the clock. Whatever goes wrong in here stops the head and ends `run`, and with it the
process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from typing import TYPE_CHECKING, Protocol

from belvedere.control.effects import Notify, Write
from belvedere.control.lease import Driver, LeaseVerb
from belvedere.control.setpoint import Setpoint, Stamp
from belvedere.engine.status import Acknowledged, AxisState, EngineStatus, NoticeEvent
from belvedere.errors import InternalError, Refusal, VisitorError
from belvedere.events import DriverChanged, HoldCut, StopRequested, UnitLinkChanged, ignore
from belvedere.head.axes import AXES, Axis
from belvedere.link.supervisor import LinkPhase, UnitCommand, UnitStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from belvedere.control.core import Control
    from belvedere.engine.bus import Bus
    from belvedere.events import Event

logger = logging.getLogger(__name__)

TIMER_S = 0.001  # uvloop rounds to milliseconds: a shorter timer would fire early, and again, and again
POSITION_DIGITS = 1  # a tenth of a degree is finer than dead reckoning knows


class CommandedUnit(Protocol):
    """Whatever takes an axis's commands: a supervisor, or a double of one."""

    @property
    def status(self) -> UnitStatus:
        """What is known of its link now."""
        ...

    def put(self, command: UnitCommand) -> None:
        """Replace whatever waits by this command; never blocks."""
        ...


class Engine:
    """One head's engine: all calls come from the loop's own thread, none of them waits.

    `clock` is the loop's monotonic clock in seconds; `beat` is called by the loop as a sign that it lives, at least as
    often as `beat_s` says at that time (in seconds; None for no need); `stops_elsewhere` tells which axes somebody else
    has stopped since it was asked last, and when; `record` is told who drives, who stopped, and what was cut.
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
        """From now on this unit takes the axis's commands; done once, before `run`."""
        self._units[axis] = unit

    # what visitors do

    def receive_session_opened(self, session: str, person: str, rank: int = 0) -> None:
        """A session came; `person` is who it belongs to, so that the same person may come back to the lease."""
        with self._guarded() as now:
            self._people[session] = person
            self._control.receive_session_opened(now, Driver(session, person, rank))

    def receive_session_closed(self, session: str) -> None:
        """A session went, for whatever reason: what it held stops."""
        with self._guarded() as now:
            self._control.receive_session_closed(now, session)
        self._people.pop(session, None)

    def receive_lease(self, session: str, verb: LeaseVerb) -> None:
        """A session asks for the lease or returns it. Raises VisitorError."""
        with self._guarded() as now:
            self._control.receive_lease(now, session, verb)

    def receive_heartbeat(self, session: str, sent_at_s: float) -> None:
        """A session is there; `sent_at_s` is its own clock."""
        with self._guarded() as now:
            self._control.receive_heartbeat(now, session, sent_at_s)

    def receive_drive(self, session: str, setpoint: Setpoint) -> None:
        """A held stick. Raises VisitorError, also while nothing would see to its end: before `run` and after it."""
        if not self.is_running:
            raise VisitorError(Refusal.NOT_READY, "the head is not under control yet")
        with self._guarded() as now:
            self._control.receive_setpoint(now, session, setpoint)

    def receive_release(self, session: str, epoch: int, hold: int, stamp: Stamp | None = None) -> None:
        """The visitor let go."""
        with self._guarded() as now:
            self._control.receive_release(now, session, epoch, hold, stamp)

    def receive_stop(self, session: str) -> None:
        """Somebody wants everything to stop."""
        with self._guarded() as now:
            self._control.receive_stop(now, session)
        self._record(StopRequested(session, self._people.get(session)))

    def receive_closing(self) -> None:
        """The program is about to end: stop, and move nothing any more."""
        with self._guarded() as now:
            self._control.receive_closing(now)

    # what units tell (link.supervisor.UnitListener)

    def receive_unit_status(self, axis: Axis, status: UnitStatus) -> None:
        """A unit's link changed."""
        with self._guarded() as now:
            self._control.receive_link(now, axis, is_ready=status.state is LinkPhase.READY)
        self._record(UnitLinkChanged(axis, status.state, status.reason))

    def receive_unit_written(self, axis: Axis, velocity: float, stamp: object | None, now: float) -> None:
        """A command was handed to the radio."""
        self._control.receive_written(self._not_before(now), axis, velocity)
        if isinstance(stamp, Stamp):
            acknowledged = Acknowledged(axis, stamp.seq, stamp.sent_at_s, now)
            self._bus.publish(f"ack:{stamp.session}:{axis}", acknowledged)
        self._publish_status()

    def receive_unit_attempted(self, axis: Axis, velocity: float, now: float) -> None:
        """A command is about to be handed to the radio; whatever is due by the clock comes first.

        A process that was stopped in between would otherwise begin again with a move that is long over.
        """
        deadline = self._control.deadline()
        if deadline is not None and now >= deadline and self._failure is None:
            with contextlib.suppress(InternalError), self._guarded():  # a stop leaves all the same; `run` tells of it
                pass
        self._control.receive_attempted(self._not_before(now), axis, velocity)
        self._wake_sooner()  # from now on the beat may be wanted more often

    # what everyone may know

    @property
    def status(self) -> EngineStatus:
        """The head's state now."""
        now = self._clock()
        pan, tilt = (self._axis_state(now, axis) for axis in AXES)
        return EngineStatus(pan, tilt, self._control.lease_status)

    # the loop

    async def run(self) -> None:
        """See to what is due by the clock, until cancelled; both units are told to stop when it ends, however it ends.

        Raises InternalError when anything in the core, or on the way to the units, failed.
        """
        self.is_running = True
        try:
            while True:
                with self._guarded():
                    self._beat()
                self._wake.clear()  # nothing happens between the step above and the wait below
                await self._until_due()
        finally:
            self.is_running = False
            for axis, unit in self._units.items():
                try:
                    unit.put(UnitCommand(0.0, None))
                except Exception:  # one axis's trouble is not the other's
                    logger.exception("%s could not be told to stop", axis)

    async def _until_due(self) -> None:
        """Wait for the next deadline, the next beat, or an event that brought them forward."""
        now = self._clock()
        due_at = self._due_at(now)
        self._wakes_at = max(now + TIMER_S, due_at)
        timer = None
        if due_at < math.inf:
            timer = asyncio.get_running_loop().call_later(self._wakes_at - now, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            if timer is not None:
                timer.cancel()

    def _due_at(self, now: float) -> float:
        """When the loop has something to do, if nothing happens before; infinite for never."""
        deadline, beat_s = self._control.deadline(), self._beat_s()
        beat_at = math.inf if beat_s is None else now + beat_s
        return beat_at if deadline is None else min(deadline, beat_at)

    def _wake_sooner(self) -> None:
        """Wake the loop if something is due before it wakes by itself: most messages only put the deadline off.

        A loop that should have woken by now is woken, too: its clock has jumped, and its timer tells nothing.
        """
        now = self._clock()
        if now > self._wakes_at or self._due_at(now) < self._wakes_at:
            self._wake.set()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[float]:
        """Let something happen at the current time, then carry out what follows; any failure but a refusal is fatal."""
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

    def _not_before(self, told_at: float) -> float:
        """The time of something that somebody else tells of, who read the clock before what was decided meanwhile.

        Taken as it is, it would look like a clock that went back, and end the hold.
        """
        return max(told_at, self._control.now)

    def _step(self) -> None:
        for effect in self._control.tick(self._clock()):
            match effect:
                case Write(axis=axis, velocity=velocity, stamp=stamp):
                    if axis in self._units:
                        self._units[axis].put(UnitCommand(velocity, stamp))
                case Notify(session=session, code=code, axis=axis, hold=hold):
                    self._bus.publish(f"notice:{session}:{axis or 'both'}", NoticeEvent(code, axis, hold))
                    self._record(HoldCut(session, code, axis))
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
        told = self._control.axis_status(now, axis)
        position = None if told.position_deg is None else round(told.position_deg, POSITION_DIGITS)
        unit = self._units.get(axis)
        if unit is None:
            return AxisState(LinkPhase.DISABLED, None, 0.0, position, 0, None, is_position_sure=told.is_position_sure)
        link = unit.status
        return AxisState(
            link.state,
            link.reason,
            told.velocity,
            position,
            told.limit,
            link.interval_s,
            told.written,
            told.is_position_sure,
        )
