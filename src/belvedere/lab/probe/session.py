"""A probe session: which unit to probe, the run, its findings, and the message about its result."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import OwnerError
from belvedere.head.axes import AXES, Axis
from belvedere.lab.adapter import INTERACTIVE
from belvedere.lab.messages import MESSAGES
from belvedere.lab.probe.findings import Findings
from belvedere.lab.probe.run import ProbeResult, ProbeRun
from belvedere.lab.probe.script import ProbeOptions, Script
from belvedere.lab.probe.steps import Outcome
from belvedere.link.ble import BleUnit

if TYPE_CHECKING:
    from belvedere.head.profile import HeadProfile, UnitProfile
    from belvedere.lab.adapter import Adapter
    from belvedere.lab.probe.core import Limits
    from belvedere.lab.probe.observer import Observer
    from belvedere.link.port import LinkDetails

OUTCOME_MESSAGES = {
    Outcome.DONE: "Done.",
    Outcome.QUIT: "Ended; the unit was told to stop.",
    Outcome.RUNAWAY: "The stop frame does not stop this unit. Switch it off; `belvedere snoop` can find the right one.",
    Outcome.STOP_UNPROVEN: "Nothing more is tried without a working stop frame; `belvedere snoop` can find it.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedUnit:
    """The unit to probe: its head's profile, its axis, and its address."""

    profile: HeadProfile
    axis: Axis
    address: str

    @property
    def unit(self) -> UnitProfile:
        """Its part of the profile, with this address."""
        unit = self.profile.unit(self.axis)
        if unit is None:
            raise OwnerError(f"the profile has no [{self.axis}] table: add it")
        return msgspec.structs.replace(unit, address=self.address)


def select_unit(profile: HeadProfile, address: str, axis: Axis | None) -> ProbedUnit:
    """The unit at this address: on the given axis, or the one with this address in the profile, or the only one.

    Raises OwnerError where that is ambiguous.
    """
    present = [one for one in AXES if profile.unit(one) is not None]
    with_address = [
        one for one in present if (unit := profile.unit(one)) and (unit.address or "").upper() == address.upper()
    ]
    candidates = [axis] if axis is not None else with_address or present
    if len(candidates) != 1:
        raise OwnerError("the profile has a pan and a tilt unit: say which one this is with --axis pan or --axis tilt")
    if candidates[0] not in present:
        raise OwnerError(f"the profile has no [{candidates[0]}] table: choose the other --axis, or add it")
    return ProbedUnit(profile=profile, axis=candidates[0], address=address)


class ProbeSession:
    """A probe that can be run once, and ended at any time."""

    def __init__(
        self, probed_unit: ProbedUnit, adapter: Adapter, observer: Observer, probe_options: ProbeOptions, limits: Limits
    ) -> None:
        self.findings = Findings()
        self._subject = probed_unit
        self._wishes = probe_options
        self._run = ProbeRun(
            probed_unit.axis,
            BleUnit(probed_unit.unit, adapter.radio()),
            probed_unit.profile.frame,
            probed_unit.unit,
            observer=observer,
            script_for=lambda details: self._script(details).run(),
            limits=limits,
            options=INTERACTIVE,
            clock=asyncio.get_running_loop().time,
        )

    async def run(self) -> ProbeResult:
        """Run the probe; see `ProbeRun.run`."""
        return await self._run.run()

    def end(self) -> None:
        """Stop the unit, and end."""
        self._run.end()

    def _script(self, details: LinkDetails) -> Script:
        probed_unit = self._subject
        self.findings.set(
            probed_unit.axis, "address", probed_unit.address, f"probed as {details.name or 'a unit without a name'}"
        )
        return Script(probed_unit.profile.frame, probed_unit.axis, details, self._wishes, self.findings)


def result_message(ending: ProbeResult) -> str:
    """How the probe ended, in a line, and what to do where it failed."""
    if not ending.is_at_rest:
        return (
            "THE UNIT MAY STILL BE TURNING: it was out of reach when it should stop. Switch it off by its own switch."
        )
    if ending.outcome is Outcome.UNREACHABLE:
        reason = MESSAGES.get(ending.reason, ending.reason) if ending.reason is not None else "no answer"
        return f"Could not reach the unit: {reason}"
    return OUTCOME_MESSAGES.get(ending.outcome, f"Ended: {ending.outcome}; the unit was told to stop.")


def is_success(ending: ProbeResult) -> bool:
    """Whether nothing is left to do for the person."""
    return ending.is_at_rest and ending.outcome in {Outcome.DONE, Outcome.QUIT}
