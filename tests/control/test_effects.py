"""Each way in which a hold ends by force has its own code, told to the driver, and to nobody else, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest
from tests.control.rig import House

from belvedere.control.effects import NoticeCode, Tell, Write
from belvedere.control.lease import LeaseVerb
from belvedere.control.setpoint import Stamp
from belvedere.gateway import messages
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.control.effects import Effect

HOLD = 7


def driven() -> House:
    """Ann holds pan and tilt, and both have reached what she asks for."""
    house = House()
    hold_for(house, 0.4)
    return house


def hold_for(house: House, seconds: float) -> list[Effect]:
    """Send the same setpoint ten times a second, as a page does."""
    effects: list[Effect] = []
    for _ in range(round(seconds * 10)):
        house.drive(0.5, -0.5, hold=HOLD)
        effects += house.wait(0.1)
    return effects


def hold_too_long(house: House) -> list[Effect]:
    effects = hold_for(house, house.core.options.hold_ceiling_s - 0.7)
    house.drive(0.5, -0.5, hold=HOLD)
    return effects + house.wait(0.4)


def jump_back(house: House) -> list[Effect]:
    house.now -= 1.0
    return house.tick()


def lose_tilt(house: House) -> list[Effect]:
    house.core.receive_link(house.now, Axis.TILT, is_ready=False)
    return house.tick()


def take(house: House) -> list[Effect]:
    house.core.receive_lease(house.now, "room", LeaseVerb.TAKE)
    return house.tick()


def stop(house: House) -> list[Effect]:
    house.core.receive_stop(house.now, "bob")
    return house.tick()


def close(house: House) -> list[Effect]:
    house.core.receive_closing(house.now)
    return house.tick()


ENDS: dict[NoticeCode, Callable[[House], list[Effect]]] = {
    NoticeCode.HOLD_EXPIRED: lambda house: house.wait(house.core.options.dead_man_s),
    NoticeCode.HOLD_TOO_LONG: hold_too_long,
    NoticeCode.LINK_LOST: lose_tilt,
    NoticeCode.LEASE_LOST: take,
    NoticeCode.STOPPED: stop,
    NoticeCode.CLOCK_JUMPED: jump_back,
    NoticeCode.CLOSING: close,
}


def test_every_code_has_an_end_here_and_its_word_on_the_wire() -> None:
    assert set(ENDS) == set(NoticeCode)
    assert {code.value for code in NoticeCode} == set(get_args(messages.NoticeCode))


@pytest.mark.parametrize("code", ENDS)
def test_the_driver_is_told_once_which_hold_ended_and_why(code: NoticeCode) -> None:
    house = driven()
    effects = ENDS[code](house) + house.wait(0.1)
    axis = Axis.TILT if code is NoticeCode.LINK_LOST else None
    assert [effect for effect in effects if isinstance(effect, Tell)] == [Tell("ann", code, axis, HOLD)]


@pytest.mark.parametrize("code", [code for code in ENDS if code is not NoticeCode.LINK_LOST])
def test_an_end_stops_both_axes_in_the_same_turn(code: NoticeCode) -> None:
    effects = ENDS[code](driven())
    stopped = {effect.axis for effect in effects if isinstance(effect, Write) and effect.velocity == 0}
    assert stopped == set(AXES)


def test_a_lost_unit_leaves_the_other_one_moving() -> None:
    house = driven()
    lose_tilt(house)
    assert (house.velocity(Axis.PAN), house.velocity(Axis.TILT)) == (0.5, 0.0)


@pytest.mark.parametrize("end", [lose_tilt, stop, jump_back, close])
def test_where_nothing_was_held_nobody_is_told(end: Callable[[House], list[Effect]]) -> None:
    assert not [effect for effect in end(House()) if isinstance(effect, Tell)]


def test_whoever_loses_the_lease_is_told_even_at_rest() -> None:
    assert [effect.code for effect in take(House()) if isinstance(effect, Tell)] == [NoticeCode.LEASE_LOST]


def test_a_move_carries_whose_setpoint_it_is() -> None:
    house = House()
    house.drive(0.5, 0.25, hold=HOLD)
    stamp = Stamp("ann", house.seq, house.now)
    moves = [effect for effect in house.tick() if isinstance(effect, Write)]
    assert {(move.axis, move.stamp) for move in moves} == {(axis, stamp) for axis in AXES}
