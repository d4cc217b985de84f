"""Examples of each rule; the random interleavings are in the control world's own tests."""

from __future__ import annotations

import pytest
from tests.control.rig import House, refusal_of, stops, tells

from belvedere.control.core import Control, LeaseStatus
from belvedere.control.effects import Effect, NoticeCode, Tell, Write
from belvedere.control.lease import Driver, LeaseVerb
from belvedere.control.motion import AxisSetup
from belvedere.control.options import AxisLimits, ControlOptions
from belvedere.control.setpoint import Setpoint, Stamp
from belvedere.errors import Refusal, VisitorError
from belvedere.head.axes import AXES, Axis


def test_a_stop_comes_first_on_start_and_is_said_three_times_to_each_axis() -> None:
    core = Control(ControlOptions(), {})
    said = core.tick(0.0) + core.tick(0.05) + core.tick(0.1)
    assert [write for write in said if isinstance(write, Write)] == [
        Write(axis, 0.0) for _ in range(3) for axis in AXES
    ]
    assert core.deadline() is None


def test_a_press_is_written_at_once_with_the_stamp_of_its_setpoint() -> None:
    house = House()
    house.drive(0.05)
    assert house.tick() == [Write(Axis.PAN, 0.05, Stamp("ann", 1, house.now))]


def test_a_held_stick_that_is_sent_again_is_written_again_so_that_a_dead_link_shows() -> None:
    house = House()
    house.drive(0.05)
    house.tick()
    house.now += 0.05
    house.drive(0.05)
    assert [effect.axis for effect in house.tick() if isinstance(effect, Write)] == [Axis.PAN]


def test_an_axis_that_is_not_asked_to_move_is_left_alone() -> None:
    house = House()
    house.drive(0.5, 0.0)
    assert all(effect.axis is Axis.PAN for effect in house.wait(0.3) if isinstance(effect, Write))


def test_a_setpoint_that_is_not_renewed_is_a_stop_after_the_dead_man_time() -> None:
    house = House()
    house.drive(0.5, 0.5)
    house.wait(0.499)
    assert house.velocity() > 0
    effects = house.wait(0.002)
    assert (house.velocity(Axis.PAN), house.velocity(Axis.TILT)) == (0, 0)
    assert tells(effects) == [("ann", NoticeCode.HOLD_EXPIRED, None)]


def test_a_short_lived_setpoint_ends_before_the_dead_man_time() -> None:
    house = House()
    setpoint = Setpoint(epoch=1, hold=1, seq=1, pan=0.5, tilt=0, sent_at_s=house.now, heard_s=house.now, for_s=0.1)
    house.core.receive_setpoint(house.now, "ann", setpoint)
    house.wait(0.11)
    assert house.velocity() == 0


def test_every_stop_is_said_three_times_fifty_milliseconds_apart() -> None:
    house = House()
    house.drive(0.5)
    house.wait(0.1)
    house.core.receive_release(house.now, "ann", 1, 1)
    assert stops(house.tick(), Axis.PAN) == 1
    assert stops(house.wait(0.049), Axis.PAN) == 0
    assert stops(house.wait(0.06), Axis.PAN) == 2
    assert stops(house.wait(5), Axis.PAN) == 0


def test_a_release_carries_its_stamp_so_that_its_latency_can_be_told() -> None:
    house = House()
    house.drive(0.5)
    house.tick()
    stamp = Stamp("ann", 2, house.now)
    house.core.receive_release(house.now, "ann", 1, 1, stamp)
    assert house.tick() == [Write(Axis.PAN, 0.0, stamp)]


def test_a_fresh_press_ends_the_repeating_of_the_stop_before_it() -> None:
    house = House()
    house.drive(0.05)
    house.tick()
    house.core.receive_release(house.now, "ann", 1, 1)
    house.tick()
    house.drive(0.05, hold=2)
    assert stops(house.wait(0.3), Axis.PAN) == 0


def test_a_hold_that_was_cut_never_resumes_but_a_fresh_press_moves() -> None:
    house = House()
    house.drive(0.5)
    house.wait(0.6)
    assert refusal_of(lambda: house.drive(0.5)) is Refusal.HOLD_ENDED
    assert house.velocity() == 0
    house.drive(0.5, hold=2)
    house.tick()
    assert house.velocity() > 0


def test_a_hold_that_expired_unseen_by_a_busy_loop_is_not_renewed_by_a_late_setpoint() -> None:
    house = House()
    house.drive(0.5)
    house.tick()
    house.now += 3  # nobody called tick
    assert refusal_of(lambda: house.drive(0.5)) is Refusal.HOLD_ENDED
    house.tick()
    assert house.velocity() == 0


@pytest.mark.parametrize("pan", [0.5, 0.0])
def test_every_hold_has_an_end_however_often_it_is_renewed_even_one_that_moves_nothing(pan: float) -> None:
    house = House(ControlOptions(hold_ceiling_s=2))
    effects: list[Effect] = []
    for _ in range(39):
        house.drive(pan)
        effects += house.wait(0.05)
    assert house.velocity() == pan
    effects += house.wait(0.1)
    assert tells(effects) == [("ann", NoticeCode.HOLD_TOO_LONG, None)]
    assert house.velocity() == 0


def test_stop_pressed_by_somebody_who_does_not_drive_stops_the_driver() -> None:
    house = House()
    house.drive(0.5)
    house.tick()
    house.core.receive_stop(house.now, "bob")
    effects = house.tick()
    assert stops(effects, Axis.PAN) == 1
    assert tells(effects) == [("ann", NoticeCode.STOPPED, None)]
    assert refusal_of(lambda: house.drive(0.5)) is Refusal.HOLD_ENDED


def test_stop_is_said_to_units_that_are_believed_to_be_at_rest() -> None:
    house = House()
    house.core.receive_stop(house.now, "ann")
    effects = house.wait(0.2)
    assert (stops(effects, Axis.PAN), stops(effects, Axis.TILT)) == (3, 3)


def test_only_the_driver_drives() -> None:
    house = House()
    assert refusal_of(lambda: house.drive(0.5, session="bob")) is Refusal.SOMEONE_ELSE_DRIVES
    house.core.receive_lease(house.now, "ann", LeaseVerb.RETURN)
    assert refusal_of(lambda: house.drive(0.5)) is Refusal.NOT_DRIVING
    assert refusal_of(lambda: house.drive(0.5, session="stranger")) is Refusal.NOT_READY


def test_taking_the_lease_stops_the_former_driver_and_tells_them() -> None:
    house = House()
    house.drive(0.5)
    house.tick()
    house.core.receive_lease(house.now, "bob", LeaseVerb.TAKE)
    effects = house.tick()
    assert stops(effects, Axis.PAN) == 1
    assert tells(effects) == [("ann", NoticeCode.LEASE_LOST, None)]


def test_a_packet_of_an_old_epoch_moves_nothing() -> None:
    house = House()
    house.core.receive_lease(house.now, "bob", LeaseVerb.TAKE)
    house.core.receive_lease(house.now, "ann", LeaseVerb.TAKE)
    late = Setpoint(epoch=1, hold=9, seq=9, pan=1, tilt=1, sent_at_s=house.now, heard_s=house.now)
    assert refusal_of(lambda: house.core.receive_setpoint(house.now, "ann", late)) is Refusal.OLD_EPOCH


def test_an_older_sequence_is_refused_and_changes_nothing() -> None:
    house = House()
    house.drive(0.5)
    house.wait(0.2)
    house.seq -= 1
    assert refusal_of(lambda: house.drive(-0.5)) is Refusal.OLD_SEQUENCE
    house.tick()
    assert house.velocity() == 0.5


def test_the_room_outranks_a_visitor_who_takes() -> None:
    house = House()
    house.core.receive_lease(house.now, "room", LeaseVerb.TAKE)
    assert refusal_of(lambda: house.core.receive_lease(house.now, "ann", LeaseVerb.TAKE)) is Refusal.OUTRANKED


def test_a_driver_not_heard_of_loses_the_lease_and_a_ping_keeps_it() -> None:
    house = House()
    house.wait(4.5)
    house.core.receive_sign_of_life(house.now, "ann", house.now)
    house.wait(4.5)
    assert house.core.lease_status.session == "ann"
    effects = house.wait(1)
    assert tells(effects) == [("ann", NoticeCode.LEASE_LOST, None)]
    assert house.core.lease_status.session is None


def test_a_socket_that_closes_stops_the_head_at_once() -> None:
    house = House()
    house.drive(0.5)
    house.tick()
    house.core.receive_session_closed(house.now, "ann")
    assert stops(house.tick(), Axis.PAN) == 1


def test_the_same_person_comes_back_to_the_lease_within_the_grace_time_under_a_new_epoch() -> None:
    house = House()
    house.core.receive_session_closed(house.now, "ann")
    house.wait(9)
    assert (
        refusal_of(lambda: house.core.receive_lease(house.now, "bob", LeaseVerb.ACQUIRE)) is Refusal.SOMEONE_ELSE_DRIVES
    )
    house.core.receive_session_opened(house.now, Driver("ann-2", "ann", 0))
    house.core.receive_lease(house.now, "ann-2", LeaseVerb.ACQUIRE)
    assert (house.core.lease_status.session, house.core.lease_status.epoch) == ("ann-2", 2)


def test_after_the_grace_time_anybody_may_drive() -> None:
    house = House()
    house.core.receive_session_closed(house.now, "ann")
    house.wait(10.1)
    house.core.receive_lease(house.now, "bob", LeaseVerb.ACQUIRE)
    assert house.core.lease_status.session == "bob"


def test_a_unit_that_goes_out_of_reach_ends_its_part_of_the_hold_and_the_other_axis_goes_on() -> None:
    house = House()
    house.drive(0.5, 0.5)
    house.tick()
    house.core.receive_link(house.now, Axis.TILT, is_ready=False)
    effects = house.tick()
    assert tells(effects) == [("ann", NoticeCode.LINK_LOST, Axis.TILT)]
    house.drive(0.5, 0.5)
    house.tick()
    assert (house.velocity(Axis.PAN) > 0, house.velocity(Axis.TILT)) == (True, 0)


def test_a_unit_that_comes_back_waits_for_a_fresh_press() -> None:
    house = House()
    house.drive(0.5)
    house.core.receive_link(house.now, Axis.PAN, is_ready=False)
    house.core.receive_link(house.now, Axis.PAN, is_ready=True)
    house.drive(0.5)
    house.tick()
    assert house.velocity() == 0
    house.drive(0.5, hold=2)
    house.tick()
    assert house.velocity() > 0


def test_a_press_begun_while_the_unit_was_away_does_not_move_it_when_it_returns() -> None:
    house = House()
    house.core.receive_link(house.now, Axis.PAN, is_ready=False)
    house.drive(0.5)
    house.core.receive_link(house.now, Axis.PAN, is_ready=True)
    house.drive(0.5)
    house.tick()
    assert house.velocity() == 0


def test_what_waited_on_its_way_longer_than_the_dead_man_time_is_refused_and_ends_its_hold() -> None:
    house = House()
    house.drive(0.5)
    house.tick()
    assert refusal_of(lambda: house.drive(0.5, late_s=0.6)) is Refusal.TOO_LATE
    house.tick()
    assert house.velocity() == 0
    assert refusal_of(lambda: house.drive(0.5)) is Refusal.HOLD_ENDED


def test_whoever_claims_to_have_heard_what_was_not_said_yet_is_late_and_not_far_away() -> None:
    house = House()
    assert refusal_of(lambda: house.drive(0.5, heard_s=house.now + 1)) is Refusal.TOO_LATE


def test_a_page_that_heard_of_us_just_now_is_not_late_however_its_clock_stood_still() -> None:
    house = House()
    house.drive(0.5)
    house.drive(0.5, late_s=10, heard_s=house.now)
    house.tick()
    assert house.velocity() > 0


def test_a_clock_that_goes_backwards_stops_the_head_until_a_fresh_press() -> None:
    house = House()
    house.drive(0.5)
    house.tick()
    house.now -= 0.01
    effects = house.tick()
    assert stops(effects, Axis.PAN) == 1
    assert tells(effects) == [("ann", NoticeCode.CLOCK_JUMPED, None)]
    house.drive(0.5, hold=2)
    house.tick()
    assert house.velocity() > 0


@pytest.mark.parametrize(
    "wrong",
    [{"pan": float("nan")}, {"tilt": 1.5}, {"sent_at_s": float("inf")}, {"heard_s": float("nan")}, {"for_s": 0.0}],
)
def test_impossible_numbers_are_refused_even_past_the_edge(wrong: dict[str, float]) -> None:
    house = House()
    values = {"pan": 0.1, "tilt": 0.1, "sent_at_s": house.now, "heard_s": house.now, **wrong}
    setpoint = Setpoint(epoch=1, hold=1, seq=1, **values)
    assert refusal_of(lambda: house.core.receive_setpoint(house.now, "ann", setpoint)) is Refusal.BAD_MESSAGE
    assert not [effect for effect in house.tick() if isinstance(effect, Write)]


def test_closing_stops_the_head_and_refuses_whatever_comes_after() -> None:
    house = House()
    house.drive(0.5)
    house.tick()
    house.core.receive_closing(house.now)
    effects = house.tick()
    assert stops(effects, Axis.PAN) == 1
    assert tells(effects) == [("ann", NoticeCode.CLOSING, None)]
    assert refusal_of(lambda: house.drive(0.5, hold=2)) is Refusal.NOT_READY


def test_a_soft_limit_ends_the_travel_before_it_and_allows_the_way_back() -> None:
    limited = AxisSetup(full_speed_deg_per_s=30, limits=AxisLimits(max_deg=20))
    house = House(pan=limited)
    for _ in range(100):
        house.drive(1.0)
        house.wait(0.05)
    status = house.core.axis_status(house.now, Axis.PAN)
    assert status.limit == 1
    assert status.velocity == 0
    assert status.position_deg is not None
    assert 18 < status.position_deg <= 20
    house.drive(-1.0)
    house.wait(0.1)
    assert house.velocity() < 0


def test_nothing_is_due_while_nobody_drives() -> None:
    house = House()
    house.core.receive_lease(house.now, "ann", LeaseVerb.RETURN)
    house.tick()
    assert house.core.deadline() is None


def test_a_release_by_somebody_who_does_not_drive_ends_nothing() -> None:
    house = House()
    house.drive(0.5)
    house.tick()
    house.core.receive_release(house.now, "bob", house.core.lease_status.epoch, 1)
    house.tick()
    assert house.velocity() > 0


def test_a_session_that_went_is_told_nothing_may_do_nothing_and_leaves_nothing_behind() -> None:
    house = House()
    house.drive(0.5)
    house.tick()
    house.core.receive_session_closed(house.now, "ann")
    assert tells(house.tick()) == []
    assert refusal_of(lambda: house.core.receive_lease(house.now, "ann", LeaseVerb.ACQUIRE)) is Refusal.NOT_READY
    assert "ann" not in {*house.core._drivers, *house.core._lateness}


def test_who_returns_the_lease_is_told_nothing_and_what_was_held_ends() -> None:
    house = House()
    house.drive(0.5)
    house.core.receive_lease(house.now, "ann", LeaseVerb.RETURN)
    assert (tells(house.tick()), house.velocity()) == ([], 0.0)
    assert house.core.lease_status == LeaseStatus(1, None, 0)


def test_who_drives_is_told_with_the_rank() -> None:
    house = House()
    house.core.receive_lease(house.now, "room", LeaseVerb.TAKE)
    assert house.core.lease_status == LeaseStatus(2, "room", 1)


@pytest.mark.parametrize("end", ["stop", "take", "expire", "late"])
def test_whoever_is_told_that_a_hold_was_cut_is_told_which_one_and_why(end: str) -> None:
    house = House()
    house.drive(0.5, hold=7)
    house.tick()
    if end == "stop":
        house.core.receive_stop(house.now, "bob")
    elif end == "take":
        house.core.receive_lease(house.now, "bob", LeaseVerb.TAKE)
    else:
        house.now += 0.6 if end == "expire" else 0.4
    if end == "late":
        assert refusal_of(lambda: house.drive(0.5, hold=7, late_s=0.9)) is Refusal.TOO_LATE
    codes = {"stop": NoticeCode.STOPPED, "take": NoticeCode.LEASE_LOST}
    told = [effect for effect in house.tick() if isinstance(effect, Tell)]
    assert told == [Tell("ann", codes.get(end, NoticeCode.HOLD_EXPIRED), None, 7)]


def test_a_unit_that_is_lost_at_rest_is_no_news_to_the_driver() -> None:
    house = House()
    house.drive(0.5, hold=3)
    house.tick()
    house.core.receive_link(house.now, Axis.TILT, is_ready=False)
    assert tells(house.tick()) == []
    house.core.receive_link(house.now, Axis.PAN, is_ready=False)
    assert Tell("ann", NoticeCode.LINK_LOST, Axis.PAN, 3) in house.tick()


def test_a_unit_that_is_told_to_be_in_reach_once_more_moves_on() -> None:
    house = House()
    house.drive(0.5)
    house.tick()
    house.core.receive_link(house.now, Axis.PAN, is_ready=True)
    house.wait(0.2)
    assert house.velocity() == 0.5


def test_a_release_of_an_older_hold_ends_nothing_and_one_without_any_hold_is_nothing() -> None:
    house = House()
    house.core.receive_release(house.now, "ann", 1, 1)
    house.drive(0.1, hold=5)
    house.tick()
    house.core.receive_release(house.now, "ann", 1, 4)
    house.tick()
    assert house.velocity() == 0.1


@pytest.mark.parametrize("says", ["release", "stop"])
def test_a_release_and_a_stop_keep_the_lease_of_whoever_says_them(says: str) -> None:
    house = House()
    house.wait(4)
    if says == "stop":
        house.core.receive_stop(house.now, "ann")
    else:
        house.core.receive_release(house.now, "ann", 1, 1)
    house.wait(4)
    assert house.core.lease_status.session == "ann"


def test_how_quick_a_way_is_is_learned_from_signs_of_life_of_those_who_are_there_and_from_no_nonsense() -> None:
    house = House()
    for session, sent_at_s in (("nobody", 1.0), ("ann", float("nan")), ("ann", house.now)):
        house.core.receive_sign_of_life(house.now, session, sent_at_s)
    house.wait(1)
    assert refusal_of(lambda: house.drive(0.5, late_s=0.6)) is Refusal.TOO_LATE


def test_what_a_unit_was_told_and_may_have_taken_is_known() -> None:
    house = House(pan=AxisSetup(full_speed_deg_per_s=20))
    house.core.receive_written(house.now, Axis.PAN, 0.5)
    house.now += 1
    house.core.receive_attempted(house.now, Axis.PAN, -0.5)
    status = house.core.axis_status(house.now + 1, Axis.PAN)
    assert (status.position_deg, status.written, status.is_position_sure) == (20, 0.5, False)


def test_who_may_not_drive_is_told_whether_somebody_else_does() -> None:
    house = House()
    said = []
    for verb in (None, LeaseVerb.RETURN):
        if verb is not None:
            house.core.receive_lease(house.now, "ann", verb)
        with pytest.raises(VisitorError) as caught:
            house.drive(0.5, session="bob")
        said.append((caught.value.refusal, str(caught.value)))
    assert said == [
        (Refusal.SOMEONE_ELSE_DRIVES, "someone else is driving"),
        (Refusal.NOT_DRIVING, "ask to drive first"),
    ]


def test_a_unit_that_is_out_of_reach_before_anybody_drove_is_nothing_to_tell() -> None:
    core = Control(ControlOptions(), {})
    core.receive_link(0.0, Axis.PAN, is_ready=False)
    assert tells(core.tick(0.0)) == []
