"""Runs a core with two units for tests, which set the time; every write completes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from belvedere.control.core import Control
from belvedere.control.effects import Effect, NoticeCode, Notify, Write
from belvedere.control.lease import Driver, LeaseVerb
from belvedere.control.options import ControlOptions
from belvedere.control.setpoint import Setpoint
from belvedere.errors import Refusal, VisitorError
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.control.motion import AxisSetup


class ControlRig:
    """A core with two units in reach, and the sessions ann, bob and room; ann drives."""

    def __init__(self, options: ControlOptions | None = None, **setups: AxisSetup) -> None:
        self.now = 100.0
        self.seq = 0
        self.core = Control(options or ControlOptions(), {Axis(name): setup for name, setup in setups.items()})
        for session, person, rank in (("ann", "ann", 0), ("bob", "bob", 0), ("room", "resident", 1)):
            self.core.receive_session_opened(self.now, Driver(session, person, rank))
        for axis in AXES:
            self.core.receive_link(self.now, axis, is_ready=True)
        self.core.receive_lease(self.now, "ann", LeaseVerb.ACQUIRE)
        self.skip_initial_stops()

    def skip_initial_stops(self) -> None:
        """Pass the time of the repeated stops at the start."""
        self.wait(0.2)

    def drive(
        self,
        pan: float,
        tilt: float = 0.0,
        *,
        hold: int = 1,
        session: str = "ann",
        late_s: float = 0.0,
        heard_s: float | None = None,
    ) -> None:
        self.seq += 1
        sent_at_s = self.now - late_s
        setpoint = Setpoint(
            epoch=self.core.lease_status.epoch,
            hold=hold,
            seq=self.seq,
            pan=pan,
            tilt=tilt,
            sent_at_s=sent_at_s,
            heard_s=sent_at_s if heard_s is None else heard_s,
        )
        self.core.receive_setpoint(self.now, session, setpoint)

    def wait(self, seconds: float) -> list[Effect]:
        """Pass time, and tick at every deadline, as the engine does."""
        effects = self.tick()
        end = self.now + seconds
        while (due := self.core.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            effects += self.tick()
        self.now = end
        return effects

    def tick(self) -> list[Effect]:
        effects = self.core.tick(self.now)
        for effect in effects:
            if isinstance(effect, Write):
                self.core.receive_written(self.now, effect.axis, effect.velocity)
        return effects

    def velocity(self, axis: Axis = Axis.PAN) -> float:
        return self.core.axis_status(self.now, axis).velocity


def refusal_of(action: Callable[[], None]) -> Refusal:
    with pytest.raises(VisitorError) as caught:
        action()
    return caught.value.refusal


def notices_in(effects: list[Effect]) -> list[tuple[str, NoticeCode, Axis | None]]:
    return [(notice.session, notice.code, notice.axis) for notice in effects if isinstance(notice, Notify)]


def stops(effects: list[Effect], axis: Axis) -> int:
    return sum(isinstance(write, Write) and write.axis is axis and write.velocity == 0 for write in effects)
