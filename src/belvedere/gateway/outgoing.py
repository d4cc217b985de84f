"""The engine's and the stage's values in the words of the wire. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.gateway.messages import Ack, AxisState, Lease, Notice, StageState, State

if TYPE_CHECKING:
    from belvedere.control.core import LeaseStatus
    from belvedere.engine.status import Acknowledged, EngineStatus, NoticeEvent
    from belvedere.engine.status import AxisState as EngineAxisState


def milliseconds(seconds: float) -> float:
    """Seconds as the wire's milliseconds, to the microsecond: what a client said comes back as it was."""
    return round(seconds * 1000, 3)


def state_message(status: EngineStatus, viewers: int, *, is_available: bool) -> State:
    """What the head and the stage do now."""
    return State(
        pan=_axis_state(status.pan),
        tilt=_axis_state(status.tilt),
        stage=StageState(available=is_available, viewers=viewers),
    )


def lease_message(lease: LeaseStatus, session: str, rank: int, *, is_own_remains: bool) -> Lease:
    """Who drives, as `session` sees it.

    `is_own_remains` says that the driver was a connection of the same visitor that has broken since: theirs to come
    back to, so that it is nobody's in their eyes.
    """
    if lease.session == session:
        return Lease(epoch=lease.epoch, holder="you", can_take=True)
    is_free = lease.session is None or is_own_remains
    can_take = lease.session is None or lease.rank <= rank
    return Lease(epoch=lease.epoch, holder="nobody" if is_free else "other", can_take=can_take)


def ack_message(acknowledged: Acknowledged) -> Ack:
    """What was written to the radio, and when."""
    return Ack(
        axis=acknowledged.axis.value,
        seq=acknowledged.seq,
        clock=milliseconds(acknowledged.sent_at_s),
        written=milliseconds(acknowledged.written_s),
    )


def notice_message(notice_event: NoticeEvent) -> Notice:
    """What happened to a hold."""
    return Notice(
        code=notice_event.code.value,
        axis="both" if notice_event.axis is None else notice_event.axis.value,
        hold=max(0, notice_event.hold),
    )


def _axis_state(state: EngineAxisState) -> AxisState:
    return AxisState(
        link=state.phase.value,
        reason="" if state.reason is None else state.reason.value,
        velocity=round(state.velocity, 3),  # a unit knows a thousand speeds
        position_deg=state.position_deg,
        limit=state.limit,
        interval_ms=None if state.interval_s is None else round(state.interval_s * 1000, 1),
    )
