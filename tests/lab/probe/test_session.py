"""From the owner's words to a probe: which unit is meant, and what is said at the end."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from belvedere.errors import LinkReason, OwnerError
from belvedere.head.axes import Axis
from belvedere.head.profile import HeadProfile, UnitProfile, shipped_profile
from belvedere.lab.adapter import Adapter
from belvedere.lab.probe.core import Limits
from belvedere.lab.probe.observer import AngleObserver
from belvedere.lab.probe.run import ProbeResult
from belvedere.lab.probe.script import ProbeOptions
from belvedere.lab.probe.session import ProbedUnit, ProbeSession, is_success, result_message, select_unit
from belvedere.lab.probe.steps import Outcome
from belvedere.sim.head import ADDRESSES, VirtualHead

PROFILE = shipped_profile("zeapon-pons-pt")
PAN_ONLY = msgspec.structs.replace(PROFILE, tilt=None)
ADDRESS = ADDRESSES[Axis.TILT]


def addressed(axis: Axis) -> HeadProfile:
    return msgspec.structs.replace(PROFILE, **{axis.value: UnitProfile(address=ADDRESS.lower())})


@pytest.mark.parametrize(
    ("profile", "asked", "axis"),
    [
        (PROFILE, Axis.TILT, Axis.TILT),
        (PAN_ONLY, None, Axis.PAN),
        (addressed(Axis.TILT), None, Axis.TILT),
        (addressed(Axis.TILT), Axis.PAN, Axis.PAN),
    ],
)
def test_the_unit_is_the_one_asked_for_else_the_one_at_the_address_else_the_only_one(
    profile: HeadProfile, asked: Axis | None, axis: Axis
) -> None:
    probed_unit = select_unit(profile, ADDRESS, asked)
    assert probed_unit.axis is axis
    assert probed_unit.unit.address == ADDRESS


def test_a_unit_that_could_be_either_is_asked_for() -> None:
    with pytest.raises(OwnerError, match="--axis"):
        select_unit(PROFILE, ADDRESS, None)


def test_a_unit_that_the_profile_does_not_have_is_refused() -> None:
    with pytest.raises(OwnerError, match=r"no \[tilt\]"):
        select_unit(PAN_ONLY, ADDRESS, Axis.TILT)
    with pytest.raises(OwnerError, match=r"no \[tilt\]"):
        _ = ProbedUnit(profile=PAN_ONLY, axis=Axis.TILT, address=ADDRESS).unit


async def test_a_session_reaches_its_unit_and_keeps_its_address() -> None:
    async with VirtualHead(PROFILE) as head:
        loop = asyncio.get_running_loop()
        observer = AngleObserver(lambda: head.tilt.angle_deg, Axis.TILT, loop.time)
        adapter = Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend)
        probe_options = ProbeOptions(wants_drop=False, wants_write_modes=False, calibration_shares=())
        session = ProbeSession(select_unit(PROFILE, ADDRESS, Axis.TILT), adapter, observer, probe_options, Limits())
        assert await session.run() == ProbeResult(Outcome.DONE, is_at_rest=True)
        found = {(one.table, one.key): one.value for one in session.findings.all if one.key}
        assert found["tilt", "address"] == ADDRESS
        assert found["tilt", "invert"] is False
        assert not head.pan.frames


async def test_a_session_ends_when_told_to() -> None:
    async with VirtualHead(PROFILE) as head:
        loop = asyncio.get_running_loop()
        observer = AngleObserver(lambda: head.tilt.angle_deg, Axis.TILT, loop.time)
        adapter = Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend)
        session = ProbeSession(select_unit(PROFILE, ADDRESS, Axis.TILT), adapter, observer, ProbeOptions(), Limits())
        loop.call_later(5, session.end)
        assert (await session.run()).outcome is Outcome.QUIT


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_end_has_a_line(outcome: Outcome) -> None:
    assert "\n" not in result_message(ProbeResult(outcome, is_at_rest=True))


def test_a_unit_that_may_be_turning_is_the_first_thing_to_say() -> None:
    words = result_message(ProbeResult(Outcome.UNREACHABLE, is_at_rest=False, reason=LinkReason.LOST))
    assert "MAY STILL BE TURNING" in words


def test_a_unit_that_was_not_reached_is_reported_with_what_to_do() -> None:
    assert "switch it on" in result_message(
        ProbeResult(Outcome.UNREACHABLE, is_at_rest=True, reason=LinkReason.NOT_FOUND)
    )


@pytest.mark.parametrize(
    ("ending", "well"),
    [
        (ProbeResult(Outcome.DONE, is_at_rest=True), True),
        (ProbeResult(Outcome.QUIT, is_at_rest=True), True),
        (ProbeResult(Outcome.DONE, is_at_rest=False), False),
        (ProbeResult(Outcome.RUNAWAY, is_at_rest=True), False),
    ],
)
def test_only_a_chosen_end_at_rest_is_well(ending: ProbeResult, *, well: bool) -> None:
    assert is_success(ending) is well
