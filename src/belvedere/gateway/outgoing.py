"""Outgoing messages of a control socket: made from the engine's values, and held, newest of each kind, until sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import UNSET

from belvedere.gateway.messages import Ack, AxisState, Error, Lease, Notice, Outgoing, StageState, State

if TYPE_CHECKING:
    from collections.abc import Iterable

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


class Outbox:
    """Messages in the order in which their kinds began to wait; a newer one takes the place of its elder."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, ...], Outgoing] = {}
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, messages: Iterable[Outgoing]) -> None:
        """Let these wait."""
        for message in messages:
            self._waiting[_kind(message)] = message
        if self._waiting:
            self._wake.set()

    def take_all(self) -> list[Outgoing]:
        """Everything that waits; nothing waits afterwards."""
        messages = list(self._waiting.values())
        self._waiting.clear()
        self._wake.clear()
        return messages

    async def take(self) -> Outgoing:
        """The message that has waited longest, as soon as there is one."""
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.pop(next(iter(self._waiting)))


def _kind(message: Outgoing) -> tuple[str, ...]:
    match message:
        case Ack(axis=axis):
            return ("ack", axis)
        case Notice(code=code, axis=axis):
            return ("notice", code, axis)
        case Error(code=code, hold=hold):
            return ("error", code, "" if hold is UNSET else "hold")  # holds rise: the newest is the one that counts
        case _:
            return (type(message).__name__,)
