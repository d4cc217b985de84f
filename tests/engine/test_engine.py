from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.support.engine_rig import EngineRig, open_rig
from tests.support.subscriptions import drain

from belvedere.control.core import Control
from belvedere.control.effects import NoticeCode
from belvedere.control.lease import LeaseVerb
from belvedere.control.motion import AxisSetup
from belvedere.control.options import AxisLimits, ControlOptions
from belvedere.control.setpoint import Setpoint, Stamp
from belvedere.engine.bus import Bus
from belvedere.engine.engine import Engine
from belvedere.engine.status import Acknowledged, AxisState, EngineStatus, NoticeEvent
from belvedere.errors import InternalError, LinkReason, Refusal, VisitorError
from belvedere.events import DriverChanged, HoldCut, StopRequested, UnitLinkChanged
from belvedere.head.axes import AXES, Axis
from belvedere.link.supervisor import LinkPhase, UnitStatus
from belvedere.testing.clock import FakeClock

if TYPE_CHECKING:
    from belvedere.control.effects import Effect


def a_setpoint(rig: EngineRig, pan: float, *, hold: int = 1, seq: int = 1) -> Setpoint:
    epoch = rig.engine.status.lease.epoch
    now = rig.clock()
    return Setpoint(epoch=epoch, hold=hold, seq=seq, pan=pan, tilt=0, sent_at_s=now, heard_s=now)


def ann_drives(rig: EngineRig, pan: float = 0.5) -> None:
    rig.engine.receive_session_opened("ann", "ann")
    rig.engine.receive_lease("ann", LeaseVerb.ACQUIRE)
    rig.engine.receive_drive("ann", a_setpoint(rig, pan))


async def test_a_setpoint_is_put_to_the_unit_before_the_call_returns() -> None:
    async with open_rig() as rig:
        ann_drives(rig)
        assert rig.units[Axis.PAN].velocities[-1] == (rig.clock(), 0.1)


async def test_the_loop_stops_the_head_when_no_more_setpoints_arrive() -> None:
    async with open_rig() as rig:
        ann_drives(rig)
        await asyncio.sleep(0.499)
        assert rig.units[Axis.PAN].velocity == 0.5
        await asyncio.sleep(0.002)
        assert rig.units[Axis.PAN].velocity == 0


async def test_a_write_is_acknowledged_to_the_session_that_sent_its_setpoint() -> None:
    async with open_rig() as rig:
        acks, others = rig.bus.subscribe("ack:ann"), rig.bus.subscribe("ack:bob")
        ann_drives(rig)
        at = rig.clock()
        assert drain(acks) == [("ack:ann:pan", Acknowledged(Axis.PAN, 1, at, at))]
        assert drain(others) == []


async def test_a_cut_hold_is_published_as_a_notice_to_its_driver() -> None:
    async with open_rig() as rig:
        notices = rig.bus.subscribe("notice:ann")
        ann_drives(rig)
        rig.lose(Axis.PAN)
        assert [value.axis for _, value in drain(notices) if isinstance(value, NoticeEvent)] == [Axis.PAN]


async def test_status_is_published_when_it_changes_and_only_then() -> None:
    async with open_rig() as rig:
        statuses = rig.bus.subscribe("status")
        rig.engine.receive_heartbeat("unknown", 1.0)
        assert drain(statuses) == []
        ann_drives(rig)
        (_topic, status), *_rest = drain(statuses)
        assert isinstance(status, EngineStatus)
        assert (status.pan.velocity, status.lease.session) == (0.1, "ann")


async def test_after_a_refusal_the_engine_goes_on() -> None:
    async with open_rig() as rig:
        with pytest.raises(VisitorError):
            rig.engine.receive_drive("unknown", a_setpoint(rig, 1))
        ann_drives(rig)
        assert rig.units[Axis.PAN].velocity > 0


async def test_a_release_is_written_and_acknowledged_like_a_setpoint() -> None:
    async with open_rig() as rig:
        ann_drives(rig)
        acks = rig.bus.subscribe("ack:ann")
        rig.engine.receive_release("ann", 1, 1, Stamp("ann", 2, 7.0))
        assert rig.units[Axis.PAN].velocity == 0
        ((_topic, ack),) = drain(acks)
        assert isinstance(ack, Acknowledged)
        assert ack.seq == 2


async def test_stop_and_closing_and_a_closed_session_stop_the_head_within_the_call() -> None:
    async with open_rig() as rig:
        for hold, end in enumerate(
            (
                lambda: rig.engine.receive_stop("anyone"),
                lambda: rig.engine.receive_session_closed("ann"),
                rig.engine.receive_closing,
            ),
            start=1,
        ):
            with contextlib.suppress(VisitorError):
                rig.engine.receive_session_opened("ann", "ann")
                rig.engine.receive_lease("ann", LeaseVerb.ACQUIRE)
                rig.engine.receive_drive("ann", a_setpoint(rig, 0.5, hold=hold, seq=hold))
            assert rig.units[Axis.PAN].velocity > 0
            end()
            assert rig.units[Axis.PAN].velocity == 0


async def test_nothing_moves_before_the_loop_runs_or_after_it_ended() -> None:
    engine = Engine(Control(ControlOptions(), {}), clock=FakeClock(), bus=Bus())
    with pytest.raises(VisitorError) as caught:
        engine.receive_drive("ann", Setpoint(epoch=1, hold=1, seq=1, pan=1, tilt=0, sent_at_s=0, heard_s=0))
    assert caught.value.refusal is Refusal.NOT_READY


class Recorder:
    """A unit that records the velocities of its commands."""

    def __init__(self) -> None:
        self.status = UnitStatus(LinkPhase.READY)
        self.commands: list[float] = []

    def put(self, velocity: float, stamp: object | None = None) -> None:  # noqa: ARG002 - only the velocity matters here
        self.commands.append(velocity)


class BrokenControl(Control):
    """A core with a bug that shows from the third tick on."""

    ticks = 0

    def tick(self, now: float) -> list[object]:  # type: ignore[override] # it is broken on purpose
        self.ticks += 1
        if self.ticks > 2:
            raise ZeroDivisionError
        return list(super().tick(now))


async def test_a_bug_in_the_core_stops_both_units_and_ends_the_loop() -> None:
    clock = asyncio.get_running_loop().time
    engine = Engine(BrokenControl(ControlOptions(), {}), clock=clock, bus=Bus())
    units = {axis: Recorder() for axis in AXES}
    for axis, unit in units.items():
        engine.attach(axis, unit)
    with pytest.raises(InternalError) as caught:
        await engine.run()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert [unit.commands[-1] for unit in units.values()] == [0.0, 0.0]
    assert not engine.is_running


async def test_a_bug_during_a_visitors_call_ends_the_loop_too() -> None:
    clock = asyncio.get_running_loop().time
    control = BrokenControl(ControlOptions(), {})
    engine = Engine(control, clock=clock, bus=Bus())
    running = asyncio.create_task(engine.run())
    await asyncio.sleep(0)
    control.ticks = 9
    with pytest.raises(InternalError):
        engine.receive_stop("ann")
    with pytest.raises(InternalError):
        await running
    with pytest.raises(InternalError):
        engine.receive_stop("ann")


async def test_the_loop_beats_as_often_as_the_watchdog_needs_and_otherwise_sleeps() -> None:
    beats: list[float] = []
    clock, control = asyncio.get_running_loop().time, Control(ControlOptions(), {})
    engine = Engine(control, clock=clock, bus=Bus(), beat=lambda: beats.append(clock()), beat_s=lambda: 2.0)
    running = asyncio.create_task(engine.run())
    await asyncio.sleep(11)
    running.cancel()
    await asyncio.wait({running})
    assert 5 <= len(beats) <= 12


async def test_the_loop_beats_sooner_after_a_write_if_the_watchdog_needs_it() -> None:
    beats: list[float] = []
    clock = asyncio.get_running_loop().time
    wanted: list[float | None] = [None]
    control = Control(ControlOptions(), {})
    engine = Engine(control, clock=clock, bus=Bus(), beat=lambda: beats.append(clock()), beat_s=lambda: wanted[0])
    running = asyncio.create_task(engine.run())
    await asyncio.sleep(60)
    beats.clear()
    wanted[0] = 0.1
    await asyncio.sleep(1)
    assert beats == []
    engine.receive_unit_attempted(Axis.PAN, 0.5, clock())
    await asyncio.sleep(1)
    assert len(beats) >= 10
    running.cancel()
    await asyncio.wait({running})


async def test_before_a_late_write_a_hold_that_has_expired_is_ended_and_before_any_other_nothing_is_put() -> None:
    async with open_rig() as rig:
        ann_drives(rig)
        await asyncio.sleep(0.01)  # sooner than the next step of the speed
        rig.engine.receive_unit_attempted(Axis.PAN, 0.5, rig.clock())
        assert rig.units[Axis.PAN].velocity == 0.1
        now = rig.clock() + 5  # the process was stopped, and no timer has run yet
        rig.engine._clock = lambda: now
        rig.engine.receive_unit_attempted(Axis.PAN, 0.5, now)
        assert rig.units[Axis.PAN].velocity == 0


@pytest.mark.parametrize("report", ["attempted", "written"])
async def test_time_that_passes_during_a_write_is_not_taken_for_a_clock_jump(report: str) -> None:
    """A unit reads the clock before it reports; the core may have been stepped at a later time since."""
    async with open_rig() as rig:
        notices = rig.bus.subscribe("notice:ann")
        ann_drives(rig)
        now, readings = rig.clock() + 0.03, itertools.count(1)  # the next step of the speed is due
        rig.engine._clock = lambda: now + next(readings) * 1e-6
        rig.engine.receive_unit_attempted(Axis.PAN, 0.5, now)
        if report == "written":
            rig.engine.receive_unit_written(Axis.PAN, 0.5, None, now)
        rig.engine.receive_heartbeat("ann", 1.0)
        assert drain(notices) == []
        assert rig.units[Axis.PAN].velocity > 0


async def test_a_bug_that_shows_before_a_write_prevents_no_stop_and_ends_the_loop() -> None:
    control = BrokenControl(ControlOptions(), {})
    clock = asyncio.get_running_loop().time
    engine = Engine(control, clock=clock, bus=Bus())
    engine.receive_session_opened("ann", "ann")
    engine.receive_lease("ann", LeaseVerb.ACQUIRE)
    control.ticks = 0
    running = asyncio.create_task(engine.run())
    await asyncio.sleep(0)
    control.ticks = 9
    for _ in range(2):  # the second meets an engine that has failed
        engine.receive_unit_attempted(Axis.PAN, 0.0, clock() + 60)  # by then the lease has ended
    with pytest.raises(InternalError):
        await running


async def test_an_axis_stopped_by_the_guardian_is_reckoned_to_stand_where_it_was_stopped() -> None:
    clock = asyncio.get_running_loop().time
    stops: list[tuple[Axis, float]] = []

    def take_stops() -> list[tuple[Axis, float]]:
        taken, stops[:] = stops.copy(), []
        return taken

    control = Control(ControlOptions(), {Axis.PAN: AxisSetup(full_speed_deg_per_s=30.0)})
    engine = Engine(control, clock=clock, bus=Bus(), stops_elsewhere=take_stops)
    engine.receive_unit_written(Axis.PAN, 1.0, None, clock())
    stopped_at = clock() + 0.5
    await asyncio.sleep(5)  # the engine did not run
    stops.append((Axis.PAN, stopped_at))
    engine.receive_heartbeat("unknown", 1.0)
    assert engine.status.pan.position_deg == 15.0
    assert engine.status.pan.written == 0


async def test_setpoints_that_only_renew_a_hold_do_not_wake_the_loop() -> None:
    async with open_rig() as rig:
        ann_drives(rig)
        beats: list[float] = []
        for seq in range(2, 202):
            await asyncio.sleep(0.05)
            rig.engine.receive_drive("ann", a_setpoint(rig, 0.5, seq=seq))
            if seq == 22:  # by then the speed is constant
                rig.engine._beat = lambda: beats.append(rig.clock())
        assert rig.units[Axis.PAN].velocity == 0.5
        assert len(beats) <= 9 / 0.45 + 1


async def test_a_clock_that_jumps_ahead_of_the_loops_timer_does_not_delay_a_stop() -> None:
    ahead_s = 0.0
    loop, unit = asyncio.get_running_loop(), Recorder()

    def clock() -> float:
        return loop.time() + ahead_s

    engine = Engine(Control(ControlOptions(), {}), clock=clock, bus=Bus())
    engine.attach(Axis.PAN, unit)
    engine.receive_unit_status(Axis.PAN, unit.status)
    running = asyncio.create_task(engine.run())
    engine.receive_session_opened("ann", "ann")
    engine.receive_lease("ann", LeaseVerb.ACQUIRE)
    await asyncio.sleep(1)  # from now on the loop sleeps until the lease ends
    ahead_s = 100.0
    engine.receive_lease("ann", LeaseVerb.ACQUIRE)
    now = clock()
    engine.receive_drive("ann", Setpoint(epoch=2, hold=1, seq=1, pan=0.5, tilt=0, sent_at_s=now, heard_s=now))
    assert unit.commands[-1] > 0
    await asyncio.sleep(0.6)
    assert unit.commands[-1] == 0
    running.cancel()
    await asyncio.wait({running})


async def test_an_engine_at_rest_sets_no_timer() -> None:
    async with open_rig() as rig:
        await asyncio.sleep(60)
        before, loop = rig.engine.status, asyncio.get_running_loop()
        await asyncio.sleep(3600)
        assert all(timer.when() < math.inf for timer in vars(loop)["_scheduled"])  # uvloop knows no timer without end
        assert rig.engine.status == before


async def test_the_status_has_the_reason_why_a_unit_is_unavailable() -> None:
    async with open_rig() as rig:
        rig.units[Axis.TILT].status = UnitStatus(LinkPhase.WAITING, LinkReason.NOT_FOUND)
        rig.engine.receive_unit_status(Axis.TILT, rig.units[Axis.TILT].status)
        tilt = rig.engine.status.tilt
        assert (tilt.phase, tilt.reason) == (LinkPhase.WAITING, LinkReason.NOT_FOUND)


class RaisingUnit(Recorder):
    """A unit whose `put` raises."""

    def put(self, velocity: float, stamp: object | None = None) -> None:  # noqa: ARG002 - it takes nothing
        raise ZeroDivisionError


async def test_a_unit_that_raises_does_not_keep_the_other_from_its_last_stop() -> None:
    clock = asyncio.get_running_loop().time
    engine = Engine(Control(ControlOptions(), {}), clock=clock, bus=Bus())
    tilt = Recorder()
    engine.attach(Axis.PAN, RaisingUnit())
    engine.attach(Axis.TILT, tilt)
    with pytest.raises(InternalError):
        await engine.run()
    assert tilt.commands == [0.0]


async def test_an_axis_is_at_rest_once_its_stop_is_written_and_not_before() -> None:
    async with open_rig() as rig:
        is_at_rest = []
        for velocity in (0.0, 0.5, 0.0):
            rig.engine.receive_unit_written(Axis.PAN, velocity, None, rig.clock())
            is_at_rest.append(rig.engine.status.pan.is_at_rest)
        assert is_at_rest == [True, False, True]


async def test_events_name_who_drove_stopped_and_was_cut_and_the_link_that_changed() -> None:
    async with open_rig() as rig:
        ann_drives(rig)
        rig.engine.receive_unit_status(Axis.PAN, UnitStatus(LinkPhase.WAITING, LinkReason.LOST))
        rig.engine.receive_stop("ann")
        rig.engine.receive_session_closed("ann")
        rig.engine.receive_stop("ann")
        links = [UnitLinkChanged(axis, LinkPhase.READY, None) for axis in AXES]
        lost = UnitLinkChanged(Axis.PAN, LinkPhase.WAITING, LinkReason.LOST)
        cut = HoldCut("ann", NoticeCode.LINK_LOST, Axis.PAN)
        assert rig.events[:5] == [*links, DriverChanged(1, "ann", "ann"), cut, lost]
        stops = [event for event in rig.events if isinstance(event, StopRequested)]
        assert stops == [StopRequested("ann", "ann"), StopRequested("ann", None)]


class AlwaysDue(Control):
    """A core whose deadline has always passed already."""

    ticks = 0

    def tick(self, now: float) -> list[Effect]:
        self.ticks += 1
        assert self.ticks < 5000, "the loop spins"
        return super().tick(now)

    def deadline(self) -> float | None:
        return 0.0


async def test_the_loop_never_spins_however_soon_something_is_due() -> None:
    control = AlwaysDue(ControlOptions(), {})
    running = asyncio.create_task(Engine(control, clock=asyncio.get_running_loop().time, bus=Bus()).run())
    await asyncio.sleep(1)
    running.cancel()
    await asyncio.wait({running})
    assert 900 <= control.ticks <= 1100


async def test_a_write_that_never_completes_makes_the_position_unsure() -> None:
    async with open_rig() as rig:
        await asyncio.sleep(1)
        rig.engine.receive_unit_attempted(Axis.PAN, 0.5, rig.clock())
        rig.lose(Axis.PAN)
        await asyncio.sleep(2)
        rig.engine.receive_unit_written(Axis.PAN, 0.0, None, rig.clock())
        rig.find(Axis.PAN)
        status = rig.engine.status
        assert (status.pan.is_position_sure, status.tilt.is_position_sure) == (False, True)


async def test_when_both_axes_are_cut_at_once_there_is_a_notice_for_each() -> None:
    async with open_rig() as rig:
        ann_drives(rig)
        setpoint = msgspec.structs.replace(a_setpoint(rig, 0.5, seq=2), tilt=0.5)
        rig.engine.receive_drive("ann", setpoint)
        notices = rig.bus.subscribe("notice:ann")
        for axis in AXES:
            rig.lose(axis)
        assert [value for _topic, value in drain(notices)] == [
            NoticeEvent(NoticeCode.LINK_LOST, axis, 1) for axis in AXES
        ]


async def test_an_engine_whose_loop_does_not_run_refuses_every_setpoint() -> None:
    engine = Engine(Control(ControlOptions(), {}), clock=asyncio.get_running_loop().time, bus=Bus())
    unit = Recorder()
    engine.attach(Axis.PAN, unit)
    engine.receive_unit_status(Axis.PAN, unit.status)
    engine.receive_session_opened("ann", "ann")
    engine.receive_lease("ann", LeaseVerb.ACQUIRE)
    for seq in (1, 2):
        with pytest.raises(VisitorError) as caught:
            engine.receive_drive("ann", Setpoint(epoch=1, hold=seq, seq=seq, pan=1, tilt=0, sent_at_s=0, heard_s=0))
        assert caught.value.refusal is Refusal.NOT_READY
        running = asyncio.create_task(engine.run())
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.wait({running})
    assert set(unit.commands) == {0.0}


async def test_a_person_may_resume_the_lease_and_a_higher_rank_may_take_it() -> None:
    async with open_rig() as rig:
        for session, person, rank in (("tab", "ann", 0), ("bob", "bob", 0), ("room", "resident", 1)):
            rig.engine.receive_session_opened(session, person, rank)
        rig.engine.receive_lease("tab", LeaseVerb.ACQUIRE)
        rig.engine.receive_session_closed("tab")
        rig.engine.receive_session_opened("another tab", "ann")
        with pytest.raises(VisitorError):
            rig.engine.receive_lease("bob", LeaseVerb.ACQUIRE)
        rig.engine.receive_lease("another tab", LeaseVerb.ACQUIRE)
        rig.engine.receive_lease("room", LeaseVerb.TAKE)
        with pytest.raises(VisitorError):
            rig.engine.receive_lease("bob", LeaseVerb.TAKE)
        assert rig.engine.status.lease.session == "room"
        rig.engine.receive_lease("room", LeaseVerb.RETURN)
        assert rig.engine.status.lease.session is None


@pytest.mark.parametrize("message", ["heartbeat", "stop"])
async def test_every_message_of_the_driver_renews_the_lease(message: str) -> None:
    async with open_rig() as rig:
        rig.engine.receive_session_opened("ann", "ann")
        rig.engine.receive_lease("ann", LeaseVerb.ACQUIRE)
        await asyncio.sleep(4)
        if message == "stop":
            rig.engine.receive_stop("ann")
        else:
            rig.engine.receive_heartbeat("ann", rig.clock())
        await asyncio.sleep(4)
        assert rig.engine.status.lease.session == "ann"
        await asyncio.sleep(1.1)
        assert rig.engine.status.lease.session is None


async def test_the_status_has_the_position_to_a_tenth_of_a_degree_the_limit_and_the_interval() -> None:
    setup = AxisSetup(full_speed_deg_per_s=30, limits=AxisLimits(max_deg=10), position_deg=10, is_position_sure=False)
    clock = FakeClock(0.0)
    engine = Engine(Control(ControlOptions(), dict.fromkeys(AXES, setup)), clock=clock, bus=Bus())
    pan = Recorder()
    pan.status = UnitStatus(LinkPhase.READY, None, None, 0.03)
    engine.attach(Axis.PAN, pan)
    engine.receive_unit_written(Axis.PAN, -0.5, None, 0.0)
    assert engine.status.pan == AxisState(LinkPhase.READY, None, 0.0, 10.0, 1, 0.03, -0.5, is_position_sure=False)
    assert engine.status.tilt == AxisState(LinkPhase.DISABLED, None, 0.0, 10.0, 0, None, is_position_sure=False)
    clock.advance(0.234)
    engine.receive_unit_written(Axis.PAN, 0.0, None, clock())
    assert engine.status.pan.position_deg == 6.5


async def test_every_call_after_a_failure_raises_the_first_cause() -> None:
    control = BrokenControl(ControlOptions(), {})
    engine = Engine(control, clock=FakeClock(), bus=Bus())
    causes = []
    control.ticks = 9
    for _ in range(2):
        with pytest.raises(InternalError) as caught:
            engine.receive_stop("ann")
        causes.append(caught.value.__cause__)
    assert isinstance(causes[0], ZeroDivisionError)
    assert causes[0] is causes[1]
    assert control.ticks == 10
