"""An example of each rule of the core; the model harness's tests try random interleavings."""

from __future__ import annotations

import pytest
from tests.control.rig import ControlRig, notices_in, refusal_of, stops

from belvedere.control.core import Control
from belvedere.control.effects import Effect, NoticeCode, Notify, Write
from belvedere.control.lease import Driver, LeaseStatus, LeaseVerb
from belvedere.control.motion import AxisSetup
from belvedere.control.options import AxisLimits, ControlOptions
from belvedere.control.setpoint import Setpoint, Stamp
from belvedere.errors import Refusal, VisitorError
from belvedere.head.axes import AXES, Axis


def test_a_stop_is_written_first_on_start_three_times_to_each_axis() -> None:
    core = Control(ControlOptions(), {})
    effects = core.tick(0.0) + core.tick(0.05) + core.tick(0.1)
    assert [write for write in effects if isinstance(write, Write)] == [
        Write(axis, 0.0) for _ in range(3) for axis in AXES
    ]
    assert core.deadline() is None


def test_a_press_is_written_at_once_with_the_stamp_of_its_setpoint() -> None:
    rig = ControlRig()
    rig.drive(0.05)
    assert rig.tick() == [Write(Axis.PAN, 0.05, Stamp("ann", 1, rig.now))]


def test_a_repeated_setpoint_is_written_again_so_that_a_dead_link_is_detected() -> None:
    rig = ControlRig()
    rig.drive(0.05)
    rig.tick()
    rig.now += 0.05
    rig.drive(0.05)
    assert [effect.axis for effect in rig.tick() if isinstance(effect, Write)] == [Axis.PAN]


def test_an_axis_that_is_not_asked_to_move_is_left_alone() -> None:
    rig = ControlRig()
    rig.drive(0.5, 0.0)
    assert all(effect.axis is Axis.PAN for effect in rig.wait(0.3) if isinstance(effect, Write))


def test_a_setpoint_that_is_not_renewed_is_a_stop_after_the_dead_man_time() -> None:
    rig = ControlRig()
    rig.drive(0.5, 0.5)
    rig.wait(0.499)
    assert rig.velocity() > 0
    effects = rig.wait(0.002)
    assert (rig.velocity(Axis.PAN), rig.velocity(Axis.TILT)) == (0, 0)
    assert notices_in(effects) == [("ann", NoticeCode.HOLD_EXPIRED, None)]


def test_a_short_lived_setpoint_ends_before_the_dead_man_time() -> None:
    rig = ControlRig()
    setpoint = Setpoint(epoch=1, hold=1, seq=1, pan=0.5, tilt=0, sent_at_s=rig.now, heard_s=rig.now, for_s=0.1)
    rig.core.receive_setpoint(rig.now, "ann", setpoint)
    rig.wait(0.11)
    assert rig.velocity() == 0


def test_every_stop_is_written_three_times_fifty_milliseconds_apart() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.wait(0.1)
    rig.core.receive_release(rig.now, "ann", 1, 1)
    assert stops(rig.tick(), Axis.PAN) == 1
    assert stops(rig.wait(0.049), Axis.PAN) == 0
    assert stops(rig.wait(0.06), Axis.PAN) == 2
    assert stops(rig.wait(5), Axis.PAN) == 0


def test_a_release_carries_its_stamp_so_that_its_latency_can_be_reported() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    stamp = Stamp("ann", 2, rig.now)
    rig.core.receive_release(rig.now, "ann", 1, 1, stamp)
    assert rig.tick() == [Write(Axis.PAN, 0.0, stamp)]


def test_a_new_press_ends_the_repetition_of_the_stop_before_it() -> None:
    rig = ControlRig()
    rig.drive(0.05)
    rig.tick()
    rig.core.receive_release(rig.now, "ann", 1, 1)
    rig.tick()
    rig.drive(0.05, hold=2)
    assert stops(rig.wait(0.3), Axis.PAN) == 0


def test_a_hold_that_was_cut_never_resumes_but_a_new_press_moves() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.wait(0.6)
    assert refusal_of(lambda: rig.drive(0.5)) is Refusal.HOLD_ENDED
    assert rig.velocity() == 0
    rig.drive(0.5, hold=2)
    rig.tick()
    assert rig.velocity() > 0


def test_a_hold_that_expired_while_the_loop_was_busy_is_not_renewed_by_a_late_setpoint() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    rig.now += 3  # without a tick
    assert refusal_of(lambda: rig.drive(0.5)) is Refusal.HOLD_ENDED
    rig.tick()
    assert rig.velocity() == 0


@pytest.mark.parametrize("pan", [0.5, 0.0])
def test_every_hold_ends_at_the_ceiling_even_one_that_moves_nothing(pan: float) -> None:
    rig = ControlRig(ControlOptions(hold_ceiling_s=2))
    effects: list[Effect] = []
    for _ in range(39):
        rig.drive(pan)
        effects += rig.wait(0.05)
    assert rig.velocity() == pan
    effects += rig.wait(0.1)
    assert notices_in(effects) == [("ann", NoticeCode.HOLD_TOO_LONG, None)]
    assert rig.velocity() == 0


def test_a_stop_by_a_session_that_does_not_drive_stops_the_driver() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    rig.core.receive_stop(rig.now, "bob")
    effects = rig.tick()
    assert stops(effects, Axis.PAN) == 1
    assert notices_in(effects) == [("ann", NoticeCode.STOPPED, None)]
    assert refusal_of(lambda: rig.drive(0.5)) is Refusal.HOLD_ENDED


def test_a_stop_is_also_written_to_units_believed_to_be_at_rest() -> None:
    rig = ControlRig()
    rig.core.receive_stop(rig.now, "ann")
    effects = rig.wait(0.2)
    assert (stops(effects, Axis.PAN), stops(effects, Axis.TILT)) == (3, 3)


def test_only_the_driver_drives() -> None:
    rig = ControlRig()
    assert refusal_of(lambda: rig.drive(0.5, session="bob")) is Refusal.SOMEONE_ELSE_DRIVES
    rig.core.receive_lease(rig.now, "ann", LeaseVerb.RETURN)
    assert refusal_of(lambda: rig.drive(0.5)) is Refusal.NOT_DRIVING
    assert refusal_of(lambda: rig.drive(0.5, session="unknown")) is Refusal.NOT_READY


def test_taking_the_lease_stops_and_notifies_the_former_driver() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    rig.core.receive_lease(rig.now, "room", LeaseVerb.TAKE)
    effects = rig.tick()
    assert stops(effects, Axis.PAN) == 1
    assert notices_in(effects) == [("ann", NoticeCode.LEASE_LOST, None)]


def test_a_setpoint_of_an_old_epoch_moves_nothing() -> None:
    rig = ControlRig()
    rig.core.receive_give(rig.now, "ann", "bob")
    rig.core.receive_give(rig.now, "bob", "ann")
    late = Setpoint(epoch=1, hold=9, seq=9, pan=1, tilt=1, sent_at_s=rig.now, heard_s=rig.now)
    assert refusal_of(lambda: rig.core.receive_setpoint(rig.now, "ann", late)) is Refusal.OLD_EPOCH


def test_an_older_sequence_is_refused_and_changes_nothing() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.wait(0.2)
    rig.seq -= 1
    assert refusal_of(lambda: rig.drive(-0.5)) is Refusal.OLD_SEQUENCE
    rig.tick()
    assert rig.velocity() == 0.5


def test_the_room_outranks_a_visitor_who_takes() -> None:
    rig = ControlRig()
    rig.core.receive_lease(rig.now, "room", LeaseVerb.TAKE)
    assert refusal_of(lambda: rig.core.receive_lease(rig.now, "ann", LeaseVerb.TAKE)) is Refusal.OUTRANKED


def test_a_silent_driver_loses_the_lease_and_a_heartbeat_renews_it() -> None:
    rig = ControlRig()
    rig.wait(4.5)
    rig.core.receive_heartbeat(rig.now, "ann", rig.now)
    rig.wait(4.5)
    assert rig.core.lease_status.session == "ann"
    effects = rig.wait(1)
    assert notices_in(effects) == [("ann", NoticeCode.LEASE_LOST, None)]
    assert rig.core.lease_status.session is None


def test_a_socket_that_closes_stops_the_head_at_once() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    rig.core.receive_session_closed(rig.now, "ann")
    assert stops(rig.tick(), Axis.PAN) == 1


def test_the_same_person_comes_back_to_the_lease_within_the_grace_time_under_a_new_epoch() -> None:
    rig = ControlRig()
    rig.core.receive_session_closed(rig.now, "ann")
    rig.wait(9)
    assert refusal_of(lambda: rig.core.receive_lease(rig.now, "bob", LeaseVerb.ACQUIRE)) is Refusal.SOMEONE_ELSE_DRIVES
    rig.core.receive_session_opened(rig.now, Driver("ann-2", "ann", 0))
    rig.core.receive_lease(rig.now, "ann-2", LeaseVerb.ACQUIRE)
    assert (rig.core.lease_status.session, rig.core.lease_status.epoch) == ("ann-2", 2)


def test_after_the_grace_time_anybody_may_drive() -> None:
    rig = ControlRig()
    rig.core.receive_session_closed(rig.now, "ann")
    rig.wait(10.1)
    rig.core.receive_lease(rig.now, "bob", LeaseVerb.ACQUIRE)
    assert rig.core.lease_status.session == "bob"


def test_a_unit_that_goes_out_of_reach_ends_its_part_of_the_hold_and_the_other_axis_goes_on() -> None:
    rig = ControlRig()
    rig.drive(0.5, 0.5)
    rig.tick()
    rig.core.receive_link(rig.now, Axis.TILT, is_ready=False)
    effects = rig.tick()
    assert notices_in(effects) == [("ann", NoticeCode.LINK_LOST, Axis.TILT)]
    rig.drive(0.5, 0.5)
    rig.tick()
    assert (rig.velocity(Axis.PAN) > 0, rig.velocity(Axis.TILT)) == (True, 0)


def test_a_unit_that_reconnects_waits_for_a_new_press() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.core.receive_link(rig.now, Axis.PAN, is_ready=False)
    rig.core.receive_link(rig.now, Axis.PAN, is_ready=True)
    rig.drive(0.5)
    rig.tick()
    assert rig.velocity() == 0
    rig.drive(0.5, hold=2)
    rig.tick()
    assert rig.velocity() > 0


def test_a_press_begun_while_the_unit_was_away_does_not_move_it_when_it_returns() -> None:
    rig = ControlRig()
    rig.core.receive_link(rig.now, Axis.PAN, is_ready=False)
    rig.drive(0.5)
    rig.core.receive_link(rig.now, Axis.PAN, is_ready=True)
    rig.drive(0.5)
    rig.tick()
    assert rig.velocity() == 0


def test_a_setpoint_delayed_by_more_than_the_dead_man_time_is_refused_and_ends_its_hold() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    assert refusal_of(lambda: rig.drive(0.5, late_s=0.6)) is Refusal.TOO_LATE
    rig.tick()
    assert rig.velocity() == 0
    assert refusal_of(lambda: rig.drive(0.5)) is Refusal.HOLD_ENDED


def test_a_server_time_from_the_future_is_refused_as_too_late_and_not_as_too_slow() -> None:
    rig = ControlRig()
    assert refusal_of(lambda: rig.drive(0.5, heard_s=rig.now + 1)) is Refusal.TOO_LATE


def test_a_setpoint_with_a_recent_server_time_is_not_late_although_the_clients_clock_stood_still() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.drive(0.5, late_s=10, heard_s=rig.now)
    rig.tick()
    assert rig.velocity() > 0


def test_a_clock_that_goes_backwards_stops_the_head_until_a_new_press() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    rig.now -= 0.01
    effects = rig.tick()
    assert stops(effects, Axis.PAN) == 1
    assert notices_in(effects) == [("ann", NoticeCode.CLOCK_JUMPED, None)]
    rig.drive(0.5, hold=2)
    rig.tick()
    assert rig.velocity() > 0


@pytest.mark.parametrize(
    "wrong",
    [{"pan": float("nan")}, {"tilt": 1.5}, {"sent_at_s": float("inf")}, {"heard_s": float("nan")}, {"for_s": 0.0}],
)
def test_impossible_numbers_are_refused(wrong: dict[str, float]) -> None:
    rig = ControlRig()
    values = {"pan": 0.1, "tilt": 0.1, "sent_at_s": rig.now, "heard_s": rig.now, **wrong}
    setpoint = Setpoint(epoch=1, hold=1, seq=1, **values)
    assert refusal_of(lambda: rig.core.receive_setpoint(rig.now, "ann", setpoint)) is Refusal.BAD_MESSAGE
    assert not [effect for effect in rig.tick() if isinstance(effect, Write)]


def test_closing_stops_the_head_and_refuses_every_later_setpoint() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    rig.core.receive_closing(rig.now)
    effects = rig.tick()
    assert stops(effects, Axis.PAN) == 1
    assert notices_in(effects) == [("ann", NoticeCode.CLOSING, None)]
    assert refusal_of(lambda: rig.drive(0.5, hold=2)) is Refusal.NOT_READY


def test_a_soft_limit_stops_the_axis_before_it_and_allows_driving_back() -> None:
    limited = AxisSetup(full_speed_deg_per_s=30, limits=AxisLimits(max_deg=20))
    rig = ControlRig(pan=limited)
    for _ in range(100):
        rig.drive(1.0)
        rig.wait(0.05)
    status = rig.core.axis_status(rig.now, Axis.PAN)
    assert status.limit == 1
    assert status.velocity == 0
    assert status.position_deg is not None
    assert 18 < status.position_deg <= 20
    rig.drive(-1.0)
    rig.wait(0.1)
    assert rig.velocity() < 0


def test_nothing_is_due_without_a_driver() -> None:
    rig = ControlRig()
    rig.core.receive_lease(rig.now, "ann", LeaseVerb.RETURN)
    rig.tick()
    assert rig.core.deadline() is None


def test_a_release_by_a_session_that_does_not_drive_ends_nothing() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    rig.core.receive_release(rig.now, "bob", rig.core.lease_status.epoch, 1)
    rig.tick()
    assert rig.velocity() > 0


def test_a_closed_session_gets_no_notice_is_refused_and_is_forgotten() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    rig.core.receive_session_closed(rig.now, "ann")
    assert notices_in(rig.tick()) == []
    assert refusal_of(lambda: rig.core.receive_lease(rig.now, "ann", LeaseVerb.ACQUIRE)) is Refusal.NOT_READY
    assert "ann" not in {*rig.core._drivers, *rig.core._relative_delay}


def test_returning_the_lease_ends_the_hold_without_a_notice() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.core.receive_lease(rig.now, "ann", LeaseVerb.RETURN)
    assert (notices_in(rig.tick()), rig.velocity()) == ([], 0.0)
    assert rig.core.lease_status == LeaseStatus(1, None, 0)


def test_the_lease_status_has_the_drivers_rank() -> None:
    rig = ControlRig()
    rig.core.receive_lease(rig.now, "room", LeaseVerb.TAKE)
    assert rig.core.lease_status == LeaseStatus(2, "room", 1, "resident")


@pytest.mark.parametrize("end", ["stop", "take", "expire", "late"])
def test_the_notice_of_a_cut_names_the_hold_and_the_reason(end: str) -> None:
    rig = ControlRig()
    rig.drive(0.5, hold=7)
    rig.tick()
    if end == "stop":
        rig.core.receive_stop(rig.now, "bob")
    elif end == "take":
        rig.core.receive_lease(rig.now, "room", LeaseVerb.TAKE)
    else:
        rig.now += 0.6 if end == "expire" else 0.4
    if end == "late":
        assert refusal_of(lambda: rig.drive(0.5, hold=7, late_s=0.9)) is Refusal.TOO_LATE
    codes = {"stop": NoticeCode.STOPPED, "take": NoticeCode.LEASE_LOST}
    notices = [effect for effect in rig.tick() if isinstance(effect, Notify)]
    assert notices == [Notify("ann", codes.get(end, NoticeCode.HOLD_EXPIRED), None, 7)]


def test_the_driver_is_not_notified_when_a_unit_at_rest_is_lost() -> None:
    rig = ControlRig()
    rig.drive(0.5, hold=3)
    rig.tick()
    rig.core.receive_link(rig.now, Axis.TILT, is_ready=False)
    assert notices_in(rig.tick()) == []
    rig.core.receive_link(rig.now, Axis.PAN, is_ready=False)
    assert Notify("ann", NoticeCode.LINK_LOST, Axis.PAN, 3) in rig.tick()


def test_a_repeated_report_that_a_link_is_up_changes_nothing() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    rig.core.receive_link(rig.now, Axis.PAN, is_ready=True)
    rig.wait(0.2)
    assert rig.velocity() == 0.5


def test_a_release_of_an_older_hold_or_without_a_hold_ends_nothing() -> None:
    rig = ControlRig()
    rig.core.receive_release(rig.now, "ann", 1, 1)
    rig.drive(0.1, hold=5)
    rig.tick()
    rig.core.receive_release(rig.now, "ann", 1, 4)
    rig.tick()
    assert rig.velocity() == 0.1


@pytest.mark.parametrize("message", ["release", "stop"])
def test_a_release_and_a_stop_renew_the_lease_of_their_sender(message: str) -> None:
    rig = ControlRig()
    rig.wait(4)
    if message == "stop":
        rig.core.receive_stop(rig.now, "ann")
    else:
        rig.core.receive_release(rig.now, "ann", 1, 1)
    rig.wait(4)
    assert rig.core.lease_status.session == "ann"


def test_relative_delay_is_measured_from_valid_heartbeats_of_open_sessions_only() -> None:
    rig = ControlRig()
    for session, sent_at_s in (("unknown", 1.0), ("ann", float("nan")), ("ann", rig.now)):
        rig.core.receive_heartbeat(rig.now, session, sent_at_s)
    rig.wait(1)
    assert refusal_of(lambda: rig.drive(0.5, late_s=0.6)) is Refusal.TOO_LATE


def test_an_attempted_write_makes_the_position_unsure() -> None:
    rig = ControlRig(pan=AxisSetup(full_speed_deg_per_s=20))
    rig.core.receive_written(rig.now, Axis.PAN, 0.5)
    rig.now += 1
    rig.core.receive_attempted(rig.now, Axis.PAN, -0.5)
    status = rig.core.axis_status(rig.now + 1, Axis.PAN)
    assert (status.position_deg, status.written, status.is_position_sure) == (20, 0.5, False)


def test_a_refusal_says_whether_another_session_drives() -> None:
    rig = ControlRig()
    refusals = []
    for verb in (None, LeaseVerb.RETURN):
        if verb is not None:
            rig.core.receive_lease(rig.now, "ann", verb)
        with pytest.raises(VisitorError) as caught:
            rig.drive(0.5, session="bob")
        refusals.append((caught.value.refusal, str(caught.value)))
    assert refusals == [
        (Refusal.SOMEONE_ELSE_DRIVES, "someone else is driving"),
        (Refusal.NOT_DRIVING, "ask to drive first"),
    ]


def test_no_notice_is_sent_for_a_unit_lost_before_any_lease() -> None:
    core = Control(ControlOptions(), {})
    core.receive_link(0.0, Axis.PAN, is_ready=False)
    assert notices_in(core.tick(0.0)) == []
