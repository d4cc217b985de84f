"""Examples for the reference model; that it agrees with the core is what the random schedules show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.control.reference_model import MotionModel, ReferenceModel, RelativeDelayModel, person_of

from belvedere.control.lease import LeaseVerb
from belvedere.control.options import ControlOptions
from belvedere.control.setpoint import Setpoint
from belvedere.errors import Refusal
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS = ControlOptions()


def model_with_ann_driving() -> ReferenceModel:
    model = ReferenceModel(OPTIONS)
    for session in ("ann", "bob", "room"):
        model.open(session)
    for axis in AXES:
        model.link(axis, is_ready=True)
    assert model.ask(0.0, "ann", LeaseVerb.ACQUIRE) is None
    return model


def a_setpoint(hold: int = 1, seq: int = 1, *, epoch: int = 1, pan: float = 0.5, heard_s: float = 0.5) -> Setpoint:
    return Setpoint(epoch=epoch, hold=hold, seq=seq, pan=pan, tilt=0.0, sent_at_s=0.0, heard_s=heard_s)


def test_a_press_counts_until_it_expires() -> None:
    model = model_with_ann_driving()
    assert model.receive(1.0, "ann", a_setpoint(), 0.0) is None
    model.pass_time(1.0 + OPTIONS.dead_man_s - 0.01)
    assert model.target(Axis.PAN) == 0.5
    model.pass_time(1.0 + OPTIONS.dead_man_s)
    assert model.target(Axis.PAN) == 0


@pytest.mark.parametrize(
    ("session", "setpoint", "late_s", "expected"),
    [
        ("unknown", a_setpoint(), 0.0, Refusal.NOT_READY),
        ("bob", a_setpoint(), 0.0, Refusal.SOMEONE_ELSE_DRIVES),
        ("ann", a_setpoint(epoch=0), 0.0, Refusal.OLD_EPOCH),
        ("ann", a_setpoint(pan=2.0), 0.0, Refusal.BAD_MESSAGE),
        ("ann", a_setpoint(seq=1), 0.0, Refusal.OLD_SEQUENCE),
        ("ann", a_setpoint(seq=9), 0.6, Refusal.TOO_LATE),
        ("ann", a_setpoint(seq=9, heard_s=0.05), 0.0, Refusal.TOO_SLOW),
        ("ann", a_setpoint(seq=9, heard_s=1.2), 0.0, Refusal.TOO_LATE),
        ("ann", a_setpoint(hold=0, seq=9), 0.0, Refusal.HOLD_ENDED),
    ],
)
def test_each_reason_to_refuse_a_setpoint(session: str, setpoint: Setpoint, late_s: float, expected: Refusal) -> None:
    model = model_with_ann_driving()
    assert model.receive(1.0, "ann", a_setpoint(hold=1, seq=1), 0.0) is None
    assert model.receive(1.1, session, setpoint, late_s) is expected


ENDS: dict[str, Callable[[ReferenceModel], None]] = {
    "release": lambda model: model.release(1.1, "ann", 1, 1),
    "stop": lambda model: model.stop(1.1, "bob"),
    "clock": lambda model: model.jump(0.1, 1.0),
    "time": lambda model: model.pass_time(3.0),
}


@pytest.mark.parametrize("end", ENDS)
def test_whatever_ends_a_press_ends_it_for_good(end: str) -> None:
    model = model_with_ann_driving()
    model.receive(1.0, "ann", a_setpoint(), 0.0)
    ENDS[end](model)
    assert model.press is None
    assert model.receive(3.0, "ann", a_setpoint(seq=2, heard_s=3.0), 0.0) is Refusal.HOLD_ENDED


def test_a_lost_unit_is_removed_from_the_press() -> None:
    model = model_with_ann_driving()
    model.receive(1.0, "ann", a_setpoint(), 0.0)
    for is_ready in (False, True):
        model.link(Axis.PAN, is_ready=is_ready)
    model.receive(1.1, "ann", a_setpoint(seq=2), 0.0)
    assert model.target(Axis.PAN) == 0


def test_a_closing_program_grants_nothing() -> None:
    model = model_with_ann_driving()
    model.close()
    assert model.receive(1.0, "ann", a_setpoint(), 0.0) is Refusal.NOT_READY


def test_the_lease_follows_rank_and_can_be_resumed_by_the_same_person() -> None:
    model = model_with_ann_driving()
    assert model.ask(0.1, "bob", LeaseVerb.ACQUIRE) is Refusal.SOMEONE_ELSE_DRIVES
    assert model.ask(0.1, "room", LeaseVerb.TAKE) is None
    assert model.to_notify == {"ann"}
    assert model.ask(0.2, "ann", LeaseVerb.TAKE) is Refusal.OUTRANKED
    model.close_session(0.3, "room")
    model.pass_time(0.3 + OPTIONS.lease_grace_s)
    assert model.ask(20, "ann", LeaseVerb.ACQUIRE) is None
    model.close_session(21, "ann")
    model.open("ann-again")
    assert model.ask(22, "ann-again", LeaseVerb.ACQUIRE) is None
    model.renew(23, "ann-again", 0.0)
    assert model.ask(24, "ann-again", LeaseVerb.RETURN) is None
    assert model.lease.driver is None


def test_relative_delay_is_measured_against_the_fastest_recent_message() -> None:
    model = RelativeDelayModel()
    assert [model.apparent_s(now, late) for now, late in ((0, 0.2), (1, 0.1), (2, 0.5), (40, 0.5))] == [0, 0, 0.4, 0]


def test_a_delay_above_its_bound_is_attributed_to_a_clock_that_stood_still() -> None:
    model = RelativeDelayModel()
    assert [model.apparent_s(now, late, 0.2) for now, late in ((0, 0), (1, 0.15), (2, 40), (3, 40.125))] == [
        0,
        0.15,
        0,
        0.125,
    ]


def test_a_setpoint_is_slowed_by_its_age() -> None:
    model = model_with_ann_driving()
    for seq, (heard_s, most) in enumerate(((0.5, 1.0), (0.25, 0.625), (0.0, 0.25))):
        assert model.receive(1.0, "ann", a_setpoint(seq=seq, pan=-1.0, heard_s=heard_s), 0.0) is None
        assert model.target(Axis.PAN) == -most


def test_motion_is_counted_from_the_last_sufficient_rest() -> None:
    model = MotionModel(rest_s=0.5)
    assert model.began_at(0.0) is None
    for at, is_moving in ((1, True), (2, True), (3, False), (3.4, True), (6, False)):
        model.note(at, is_moving=is_moving)
    assert (model.began_at(6.4), model.began_at(6.5)) == (1, None)
    model.jump(1.0)
    assert (model.began_at(5.4), model.began_at(5.5)) == (0, None)
    model.note(7, is_moving=True)
    assert model.began_at(7) == 7


def test_after_the_ceiling_a_press_is_refused_until_the_head_has_rested() -> None:
    model = model_with_ann_driving()
    model.motion.note(1.0, is_moving=True)
    model.motion.note(30.9, is_moving=False)
    assert model.receive(31.2, "ann", a_setpoint(heard_s=31.2), 0.0) is Refusal.HOLD_TOO_LONG
    assert model.receive(31.5, "ann", a_setpoint(seq=2, heard_s=31.5), 0.0) is Refusal.HOLD_ENDED
    assert model.receive(31.5, "ann", a_setpoint(2, seq=3, heard_s=31.5), 0.0) is None


def test_two_sessions_belong_to_ann() -> None:
    assert person_of("ann-again") == person_of("ann") == "ann"
