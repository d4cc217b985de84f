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
from belvedere.lab.probe.run import Ending
from belvedere.lab.probe.script import Wishes
from belvedere.lab.probe.session import Session, Subject, is_well, subject_of, words_of
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
    subject = subject_of(profile, ADDRESS, asked)
    assert subject.axis is axis
    assert subject.unit.address == ADDRESS


def test_a_unit_that_could_be_either_is_asked_for() -> None:
    with pytest.raises(OwnerError, match="--axis"):
        subject_of(PROFILE, ADDRESS, None)


def test_a_unit_that_the_profile_does_not_have_is_refused() -> None:
    with pytest.raises(OwnerError, match=r"no \[tilt\]"):
        subject_of(PAN_ONLY, ADDRESS, Axis.TILT)
    with pytest.raises(OwnerError, match=r"no \[tilt\]"):
        _ = Subject(profile=PAN_ONLY, axis=Axis.TILT, address=ADDRESS).unit


async def test_a_session_reaches_its_unit_and_keeps_its_address() -> None:
    async with VirtualHead(PROFILE) as head:
        loop = asyncio.get_running_loop()
        observer = AngleObserver(lambda: head.tilt.angle_deg, Axis.TILT, loop.time)
        adapter = Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend)
        wishes = Wishes(wants_drop=False, wants_write_modes=False, calibration_shares=())
        session = Session(subject_of(PROFILE, ADDRESS, Axis.TILT), adapter, observer, wishes, Limits())
        assert await session.run() == Ending(Outcome.DONE, is_at_rest=True)
        found = {(one.table, one.key): one.value for one in session.findings.all if one.key}
        assert found["tilt", "address"] == ADDRESS
        assert found["tilt", "invert"] is False
        assert not head.pan.frames


async def test_a_session_ends_when_told_to() -> None:
    async with VirtualHead(PROFILE) as head:
        loop = asyncio.get_running_loop()
        observer = AngleObserver(lambda: head.tilt.angle_deg, Axis.TILT, loop.time)
        adapter = Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend)
        session = Session(subject_of(PROFILE, ADDRESS, Axis.TILT), adapter, observer, Wishes(), Limits())
        loop.call_later(5, session.end)
        assert (await session.run()).outcome is Outcome.QUIT


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_end_has_a_line(outcome: Outcome) -> None:
    assert "\n" not in words_of(Ending(outcome, is_at_rest=True))


def test_a_unit_that_may_be_turning_is_the_first_thing_to_say() -> None:
    words = words_of(Ending(Outcome.UNREACHABLE, is_at_rest=False, reason=LinkReason.LOST))
    assert "MAY STILL BE TURNING" in words


def test_a_unit_that_was_not_reached_is_told_with_what_to_do() -> None:
    assert "switched on" in words_of(Ending(Outcome.UNREACHABLE, is_at_rest=True, reason=LinkReason.NOT_FOUND))


@pytest.mark.parametrize(
    ("ending", "well"),
    [
        (Ending(Outcome.DONE, is_at_rest=True), True),
        (Ending(Outcome.QUIT, is_at_rest=True), True),
        (Ending(Outcome.DONE, is_at_rest=False), False),
        (Ending(Outcome.RUNAWAY, is_at_rest=True), False),
    ],
)
def test_only_a_wanted_end_at_rest_is_well(ending: Ending, *, well: bool) -> None:
    assert is_well(ending) is well
