"""The rig behaves like the program: its engine drives its units, on the loop's clock."""

import asyncio

import pytest
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.rights import Role
from belvedere.control.lease import LeaseVerb
from belvedere.control.setpoint import Setpoint
from belvedere.errors import InternalError, StageError, StageReason
from belvedere.head.axes import Axis


def press(rig: EngineRig) -> None:
    rig.engine.receive_session_opened("ana", "ana")
    rig.engine.receive_lease("ana", LeaseVerb.ACQUIRE)
    now = rig.clock()
    setpoint = Setpoint(epoch=1, hold=1, seq=1, pan=1.0, tilt=0.0, sent_at_s=now, heard_s=now)
    rig.engine.receive_drive("ana", setpoint)


async def test_a_press_turns_the_unit_and_the_dead_man_stops_it() -> None:
    async with open_rig() as rig:
        pan = rig.units[Axis.PAN]
        press(rig)
        assert pan.velocity > 0
        pressed_at = rig.clock()
        await pan.stands_still()
        assert rig.clock() - pressed_at == pytest.approx(rig.options.dead_man_s)


async def test_a_unit_goes_out_of_reach_and_comes_back() -> None:
    async with open_rig() as rig:
        rig.lose(Axis.PAN)
        assert rig.engine.status.pan.phase == "searching"
        rig.find(Axis.PAN)
        assert rig.engine.status.pan.phase == "ready"


async def test_a_unit_that_fails_ends_the_engine() -> None:
    async with open_rig() as rig:
        rig.units[Axis.PAN].failure = RuntimeError()
        with pytest.raises(InternalError):
            press(rig)
        await asyncio.sleep(0)
        assert not rig.engine.is_running


async def test_the_rig_stops_when_it_is_left() -> None:
    async with open_rig() as rig:
        press(rig)
    assert rig.units[Axis.PAN].velocity == 0


async def test_somebody_can_be_let_in() -> None:
    async with open_rig() as rig:
        admission = rig.open_session("ana", role=Role.RESIDENT)
        assert rig.invitations.session(admission.cookie) == admission.session
        assert rig.invitations.people.name_of(admission.session.person) == "ana"
        assert admission.session.role is Role.RESIDENT
        assert rig.open_session("ana", role=Role.RESIDENT).session.person == admission.session.person


async def test_the_fake_stage_answers_refuses_and_forgets() -> None:
    async with open_rig() as rig:
        stage = rig.stage
        stage.preload()
        answer = await stage.answer("v=0", "ana")
        await stage.answer("v=0", "ana")
        await stage.answer("v=0", "ben")
        with pytest.raises(StageError):
            await stage.end(answer.id, "ben")
        await stage.end(answer.id, "ana")
        await stage.end_all_of("ana")
        assert [owner for owner, _ in stage.offers.values()] == ["ben"]
        stage.refusal = StageReason.NO_PICTURE
        with pytest.raises(StageError):
            await stage.answer("v=0", "ana")
        assert stage.is_warm
