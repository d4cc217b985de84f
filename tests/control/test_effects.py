"""Each way of cutting a hold has its own notice code, sent once, to its driver only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.control.rig import ControlRig

from belvedere.control.effects import NoticeCode, Notify, Write
from belvedere.control.lease import LeaseVerb
from belvedere.control.setpoint import Stamp
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.control.effects import Effect

HOLD = 7


def driven() -> ControlRig:
    """Ann holds pan and tilt, and both have reached their target velocities."""
    rig = ControlRig()
    hold_for(rig, 0.4)
    return rig


def hold_for(rig: ControlRig, seconds: float) -> list[Effect]:
    """Send the same setpoint ten times a second."""
    effects: list[Effect] = []
    for _ in range(round(seconds * 10)):
        rig.drive(0.5, -0.5, hold=HOLD)
        effects += rig.wait(0.1)
    return effects


def hold_too_long(rig: ControlRig) -> list[Effect]:
    effects = hold_for(rig, rig.core.options.hold_ceiling_s - 0.7)
    rig.drive(0.5, -0.5, hold=HOLD)
    return effects + rig.wait(0.4)


def jump_back(rig: ControlRig) -> list[Effect]:
    rig.now -= 1.0
    return rig.tick()


def lose_tilt(rig: ControlRig) -> list[Effect]:
    rig.core.receive_link(rig.now, Axis.TILT, is_ready=False)
    return rig.tick()


def take(rig: ControlRig) -> list[Effect]:
    rig.core.receive_lease(rig.now, "room", LeaseVerb.TAKE)
    return rig.tick()


def stop(rig: ControlRig) -> list[Effect]:
    rig.core.receive_stop(rig.now, "bob")
    return rig.tick()


def close(rig: ControlRig) -> list[Effect]:
    rig.core.receive_closing(rig.now)
    return rig.tick()


ENDS: dict[NoticeCode, Callable[[ControlRig], list[Effect]]] = {
    NoticeCode.HOLD_EXPIRED: lambda rig: rig.wait(rig.core.options.dead_man_s),
    NoticeCode.HOLD_TOO_LONG: hold_too_long,
    NoticeCode.LINK_LOST: lose_tilt,
    NoticeCode.LEASE_LOST: take,
    NoticeCode.STOPPED: stop,
    NoticeCode.CLOCK_JUMPED: jump_back,
    NoticeCode.CLOSING: close,
}


def test_every_notice_code_is_tested_here() -> None:
    assert set(ENDS) == set(NoticeCode)


@pytest.mark.parametrize("code", ENDS)
def test_the_driver_is_notified_once_which_hold_ended_and_why(code: NoticeCode) -> None:
    rig = driven()
    effects = ENDS[code](rig) + rig.wait(0.1)
    axis = Axis.TILT if code is NoticeCode.LINK_LOST else None
    assert [effect for effect in effects if isinstance(effect, Notify)] == [Notify("ann", code, axis, HOLD)]


@pytest.mark.parametrize("code", [code for code in ENDS if code is not NoticeCode.LINK_LOST])
def test_a_cut_stops_both_axes_in_the_same_tick(code: NoticeCode) -> None:
    effects = ENDS[code](driven())
    stopped = {effect.axis for effect in effects if isinstance(effect, Write) and effect.velocity == 0}
    assert stopped == set(AXES)


def test_a_lost_unit_leaves_the_other_one_moving() -> None:
    rig = driven()
    lose_tilt(rig)
    assert (rig.velocity(Axis.PAN), rig.velocity(Axis.TILT)) == (0.5, 0.0)


@pytest.mark.parametrize("end", [lose_tilt, stop, jump_back, close])
def test_without_a_hold_no_notice_is_sent(end: Callable[[ControlRig], list[Effect]]) -> None:
    assert not [effect for effect in end(ControlRig()) if isinstance(effect, Notify)]


def test_a_driver_that_loses_the_lease_is_notified_even_at_rest() -> None:
    assert [effect.code for effect in take(ControlRig()) if isinstance(effect, Notify)] == [NoticeCode.LEASE_LOST]


def test_a_move_carries_the_stamp_of_its_setpoint() -> None:
    rig = ControlRig()
    rig.drive(0.5, 0.25, hold=HOLD)
    stamp = Stamp("ann", rig.seq, rig.now)
    moves = [effect for effect in rig.tick() if isinstance(effect, Write)]
    assert {(move.axis, move.stamp) for move in moves} == {(axis, stamp) for axis in AXES}
