"""Whole probes of a virtual unit, checked against its true angle; and everything that can go wrong."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest

from belvedere.head.axes import Axis
from belvedere.head.profile import HeadProfile, UnitProfile, WriteMode, shipped_profile
from belvedere.lab.adapter import INTERACTIVE, Adapter
from belvedere.lab.probe.core import Effect, Limits, SetWriteMode
from belvedere.lab.probe.findings import Findings
from belvedere.lab.probe.observer import AngleObserver
from belvedere.lab.probe.run import ProbeResult, ProbeRun
from belvedere.lab.probe.script import ProbeOptions, Script
from belvedere.lab.probe.steps import Answer, Outcome, Question, QuestionKind, Step
from belvedere.link.ble import BleUnit
from belvedere.sim.head import ADDRESSES, HeadOptions, VirtualHead

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PROFILE = shipped_profile("zeapon-pons-pt")
STOP = bytes.fromhex("020000000000000000000000")
QUICK = ProbeOptions(wants_drop=False, wants_write_modes=False, calibration_shares=())


class Rig:
    """A virtual head, one probed unit of it, and an observer who sees its true angle."""

    def __init__(self, head: VirtualHead, axis: Axis, probe_options: ProbeOptions, limits: Limits) -> None:
        self.loop = asyncio.get_running_loop()
        self.head = head
        self.axis = axis
        self.unit = head.unit(axis)
        self.findings = Findings()
        self.observer = AngleObserver(lambda: self.unit.angle_deg, axis, self.loop.time)
        adapter = Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend)
        described = UnitProfile(address=ADDRESSES[axis])
        self.run = ProbeRun(
            axis,
            BleUnit(described, adapter.radio()),
            PROFILE.frame,
            described,
            observer=self.observer,
            script_for=lambda details: Script(PROFILE.frame, axis, details, probe_options, self.findings).run(),
            limits=limits,
            options=INTERACTIVE,
            clock=self.loop.time,
        )

    @property
    def values(self) -> dict[str, object]:
        return {f"{one.table}.{one.key}": one.value for one in self.findings.all if one.key is not None}

    @property
    def notes(self) -> str:
        return "\n".join(one.evidence for one in self.findings.all)

    def on_motion(self, act: Callable[[], object], after_s: float, *, times: int = 1) -> None:
        """Let something happen so long after a motion began, the first few times."""
        left = [times]
        look = self.observer.receive_step

        def receive_step(step: Step) -> None:
            look(step)
            if left[0] > 0:
                left[0] -= 1
                self.loop.call_later(after_s, act)

        self.observer.receive_step = receive_step  # type: ignore[method-assign]  # the rig's own eye

    def assert_at_rest(self) -> None:
        assert self.unit.frames[-1].frame == STOP
        assert self.unit.speed_at(self.loop.time() + 1) == 0


@asynccontextmanager
async def a_rig(
    axis: Axis = Axis.PAN,
    *,
    head: HeadProfile = PROFILE,
    options: HeadOptions | None = None,
    probe_options: ProbeOptions = QUICK,
    limits: Limits | None = None,
) -> AsyncIterator[Rig]:
    async with VirtualHead(head, options) as virtual_head:
        yield Rig(virtual_head, axis, probe_options, limits or Limits())


def motions_s(rig: Rig) -> list[float]:
    """How long each motion lasted, as the unit itself received it."""
    lasted, since = [], None
    for received in rig.unit.frames:
        if received.frame != STOP:
            since = received.at_s if since is None else since
        elif since is not None:
            lasted.append(received.at_s - since)
            since = None
    assert since is None
    return lasted


@pytest.mark.parametrize("axis", list(Axis))
async def test_a_unit_is_learned_from_stop_to_speed(axis: Axis) -> None:
    async with a_rig(axis, probe_options=ProbeOptions(calibration_deg=45)) as rig:
        ending = await rig.run.run()
        assert ending == ProbeResult(Outcome.DONE, is_at_rest=True)
        assert rig.values[f"{axis}.invert"] is False
        assert rig.values[f"{axis}.write"] == "auto"
        assert rig.values[f"{axis}.full_speed_deg_per_s"] == pytest.approx(40, rel=0.03)
        assert "keeps turning when its link drops" in rig.notes
        rig.assert_at_rest()


async def test_the_first_thing_that_the_unit_hears_is_a_stop() -> None:
    async with a_rig() as rig:
        await rig.run.run()
        assert rig.unit.frames[0].frame == STOP


async def test_a_unit_mounted_the_other_way_round_is_found_out() -> None:
    assert PROFILE.pan is not None
    head = msgspec.structs.replace(PROFILE, pan=msgspec.structs.replace(PROFILE.pan, invert=True))
    async with a_rig(head=head) as rig:
        await rig.run.run()
        assert rig.values["pan.invert"] is True


async def test_a_unit_that_stops_when_its_link_drops_is_found_out() -> None:
    probe_options = ProbeOptions(wants_write_modes=False, calibration_shares=())
    async with a_rig(options=HeadOptions(stops_when_link_drops=True), probe_options=probe_options) as rig:
        await rig.run.run()
        assert "stops by itself when its link drops" in rig.notes


async def test_no_try_lasts_longer_than_its_bound_and_two_connection_intervals() -> None:
    async with a_rig(options=HeadOptions(interval_s=0.03)) as rig:
        await rig.run.run()
        assert motions_s(rig)
        assert max(motions_s(rig)) <= 0.8 + 2 * 0.03 + 0.001


async def test_a_link_that_is_lost_mid_turn_comes_back_with_a_stop_and_the_probe_goes_on() -> None:
    async with a_rig() as rig:
        rig.on_motion(lambda: rig.head.faults.drop(Axis.PAN), 0.1, times=2)
        ending = await rig.run.run()
        assert ending.outcome is Outcome.DONE
        assert rig.values["pan.invert"] is False
        rig.assert_at_rest()


async def test_a_unit_that_vanishes_mid_turn_is_stopped_when_it_comes_back() -> None:
    async with a_rig() as rig:
        rig.on_motion(lambda: rig.head.faults.vanish(Axis.PAN), 0.1)
        rig.loop.call_later(20, lambda: rig.head.faults.come_back(Axis.PAN))
        assert (await rig.run.run()).outcome is Outcome.DONE
        rig.assert_at_rest()


async def test_a_unit_that_hangs_mid_turn_is_stopped_and_not_taken_for_one_that_does_not_obey() -> None:
    async with a_rig() as rig:
        rig.on_motion(lambda: rig.head.faults.hang(Axis.PAN), 0.1)
        rig.loop.call_later(8, lambda: rig.head.faults.resume(Axis.PAN))
        assert (await rig.run.run()).outcome is Outcome.DONE
        rig.assert_at_rest()


async def test_a_unit_that_vanishes_for_good_mid_turn_is_reported_as_not_surely_at_rest() -> None:
    async with a_rig(limits=Limits(reconnect_s=20)) as rig:
        rig.on_motion(lambda: rig.head.faults.vanish(Axis.PAN), 0.1)
        ending = await rig.run.run()
        assert ending.outcome is Outcome.UNREACHABLE
        assert not ending.is_at_rest


async def test_a_unit_that_is_not_there_is_reported_with_the_reason() -> None:
    async with a_rig(limits=Limits(reconnect_s=20)) as rig:
        rig.head.faults.vanish(Axis.PAN)
        ending = await rig.run.run()
        assert ending.outcome is Outcome.UNREACHABLE
        assert ending.reason == "not_found"
        assert ending.is_at_rest


async def test_whoever_ends_it_mid_turn_has_the_unit_stopped_within_two_connection_intervals() -> None:
    async with a_rig(options=HeadOptions(interval_s=0.03)) as rig:
        rig.on_motion(rig.run.end, 0.1)
        ending = await rig.run.run()
        assert ending == ProbeResult(Outcome.QUIT, is_at_rest=True)
        assert max(motions_s(rig)) <= 0.1 + 2 * 0.03 + 0.001
        rig.assert_at_rest()


async def test_a_probe_that_is_cancelled_mid_turn_stops_the_unit_first() -> None:
    async with a_rig() as rig:
        probing = asyncio.create_task(rig.run.run())
        rig.on_motion(probing.cancel, 0.1)
        await asyncio.wait({probing})
        assert probing.cancelled()
        rig.assert_at_rest()


async def test_a_probe_that_is_cancelled_again_and_again_still_ends_only_when_the_unit_is_let_go() -> None:
    async with a_rig() as rig:
        probing = asyncio.create_task(rig.run.run())
        for after_s in (0.1, 0.11, 0.2, 0.5, 1.0):
            rig.on_motion(probing.cancel, after_s)
        await asyncio.wait({probing})
        rig.assert_at_rest()
        assert not rig.head.radio.is_connected(rig.unit.address)


async def test_a_unit_lost_mid_turn_is_not_forgotten_when_the_way_of_writing_is_changed_meanwhile() -> None:
    async with a_rig(limits=Limits(reconnect_s=20)) as rig:
        use: list[Effect] = [SetWriteMode(WriteMode.WITH_RESPONSE)]
        rig.on_motion(lambda: rig.head.faults.vanish(Axis.PAN), 0.05)
        rig.on_motion(lambda: rig.run._events.put_nowait(lambda _now: use), 0.1)
        assert not (await rig.run.run()).is_at_rest


async def test_a_unit_that_was_lost_and_reached_again_is_at_rest() -> None:
    async with a_rig(limits=Limits(reconnect_s=30)) as rig:
        use: list[Effect] = [SetWriteMode(WriteMode.WITH_RESPONSE)]
        rig.on_motion(lambda: rig.head.faults.vanish(Axis.PAN), 0.05)
        rig.on_motion(lambda: rig.run._events.put_nowait(lambda _now: use), 0.1)
        rig.loop.call_later(25, lambda: rig.head.faults.come_back(Axis.PAN))
        assert (await rig.run.run()).is_at_rest
        rig.assert_at_rest()


class EyeShutError(Exception):
    """The observer's own failure."""


@pytest.mark.parametrize("which", ["answer", "wants_stop"])
async def test_an_observer_that_fails_has_the_unit_stopped_and_is_reported_afterwards(which: str) -> None:
    async with a_rig() as rig:

        async def fail(*_arguments: object) -> Answer:
            await asyncio.sleep(0.05)
            raise EyeShutError

        setattr(rig.observer, which, fail)
        with pytest.raises(EyeShutError):
            await rig.run.run()
        assert not motions_s(rig) or max(motions_s(rig)) <= 0.2
        rig.assert_at_rest()


async def test_an_observer_that_fails_as_a_motion_begins_lets_nothing_move() -> None:
    async with a_rig() as rig:

        def fail(_step: Step) -> None:
            raise EyeShutError

        rig.observer.receive_step = fail  # type: ignore[method-assign,assignment]  # the failure is what is tried
        with pytest.raises(EyeShutError):
            await rig.run.run()
        assert not motions_s(rig)


async def test_an_observer_who_looks_too_late_lets_nothing_move() -> None:
    """A terminal that blocks while a motion is announced must not make it come late."""
    async with a_rig() as rig:
        core = rig.run._core
        late = core._move

        def move(now: float) -> object:
            return late(now - 5)

        core._move = move  # type: ignore[method-assign,assignment]  # as if the screen had blocked for 5 s
        asked = 0

        async def answer(_step: Step, question: Question) -> Answer:
            nonlocal asked
            asked += 1
            await asyncio.sleep(0.1)
            return Answer.QUIT if asked > 3 else Answer.YES if question.kind is QuestionKind.STILL else Answer.GO

        rig.observer.answer = answer  # type: ignore[method-assign,assignment]  # likewise
        await rig.run.run()
        assert not motions_s(rig)


async def test_a_script_that_fails_has_the_unit_stopped() -> None:
    async with a_rig() as rig:

        class BrokenError(Exception):
            pass

        def broken(*_arguments: object) -> None:
            raise BrokenError

        rig.findings.note = broken  # type: ignore[method-assign,assignment]  # the failure is what is tried
        with pytest.raises(BrokenError):
            await rig.run.run()
        rig.assert_at_rest()


async def test_a_unit_that_refuses_every_motion_is_given_up_and_left_at_rest() -> None:
    async with a_rig(limits=Limits(total_s=120)) as rig:
        ending_s = 60.0
        rig.on_motion(lambda: rig.head.faults.refuse(Axis.PAN, on=True), 0.0)
        rig.loop.call_later(ending_s, lambda: rig.head.faults.refuse(Axis.PAN, on=False))
        await rig.run.run()
        rig.assert_at_rest()


async def test_the_whole_ends_in_time_with_the_unit_at_rest() -> None:
    async with a_rig(limits=Limits(total_s=8)) as rig:
        began = rig.loop.time()
        ending = await rig.run.run()
        assert ending == ProbeResult(Outcome.TIME_UP, is_at_rest=True)
        assert rig.loop.time() - began < 15
        rig.assert_at_rest()


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happens_to_the_link_and_whenever_it_ends_the_unit_stands_still(seed: int) -> None:
    """Drops and silences at many moments of a whole probe, and an end at any."""
    async with a_rig(probe_options=ProbeOptions(calibration_deg=20), options=HeadOptions(seed=seed)) as rig:
        for number in range(1, 9):
            moment_s = 1.7 * number + 0.37 * seed
            rig.loop.call_later(moment_s * 2, lambda: rig.head.faults.drop(Axis.PAN))
        rig.loop.call_later(11.0 + seed, lambda: rig.head.faults.vanish(Axis.PAN))
        rig.loop.call_later(14.0 + seed, lambda: rig.head.faults.come_back(Axis.PAN))
        rig.loop.call_later(9.0 + 4.3 * seed, rig.run.end)
        ending = await rig.run.run()
        await asyncio.sleep(2)
        assert ending.is_at_rest == (rig.unit.speed_at(rig.loop.time()) == 0)
        assert ending.is_at_rest
