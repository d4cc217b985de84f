"""Outgoing messages of a control socket: made from the engine's values, and held, newest of each kind, until sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import UNSET

from belvedere.engine.parking import PERSON as PARKING_PERSON
from belvedere.gateway.messages import (
    MAX_WATCHERS,
    Ack,
    Asker,
    AxisState,
    Error,
    Lease,
    LeaseOffers,
    Notice,
    Outgoing,
    StageState,
    State,
    Watcher,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from belvedere.control.lease import Driver, LeaseStatus
    from belvedere.engine.status import Acknowledged, EngineStatus, NoticeEvent
    from belvedere.engine.status import AxisState as EngineAxisState
    from belvedere.errors import CameraReason


def milliseconds(seconds: float) -> float:
    """Seconds as the wire's milliseconds, to the microsecond: a client's clock comes back exactly as it was sent."""
    return round(seconds * 1000, 3)


def state_message(
    status: EngineStatus, viewers: int, *, is_available: bool, camera_reason: CameraReason | None = None
) -> State:
    """The state of the head and of the stage."""
    reason = "" if is_available or camera_reason is None else camera_reason.value
    return State(
        pan=_axis_state(status.pan),
        tilt=_axis_state(status.tilt),
        stage=StageState(available=is_available, viewers=viewers, reason=reason),
    )


def lease_message(
    lease: LeaseStatus,
    session: str,
    asking: Driver | None,
    name_of: Callable[[str], str],
    *,
    is_own_lost_socket: bool,
) -> Lease:
    """Who drives, as `session` sees it; `asking` is None where it may not drive.

    `is_own_lost_socket` says that the holder is an earlier socket of the same visitor whose connection was lost. The
    visitor may resume that lease, so it is shown as free.
    """
    is_house = lease.person == PARKING_PERSON
    is_free = lease.session is None or is_own_lost_socket
    is_you = lease.session == session
    can_take = asking is not None and lease.may_be_taken_by(asking.person, asking.rank)
    asked_until_s = next((question.ends_at_s for question in lease.questions if question.session == session), None)
    return Lease(
        epoch=lease.epoch,
        holder="you" if is_you else "nobody" if is_free else "house" if is_house else "other",
        driver="" if is_free or is_house or lease.person is None else name_of(lease.person),
        can_take=is_you or can_take,
        can_ask=asking is not None and not (is_you or is_free or is_house or can_take),
        free_at=_milliseconds_or_none(None if is_free else lease.free_at_s),
        asked_until=_milliseconds_or_none(asked_until_s),
    )


def offers_message(
    lease: LeaseStatus, session: str, watching: Iterable[tuple[str, str]], name_of: Callable[[str], str]
) -> LeaseOffers:
    """Who asks for the lease, and to whom it may be given (sockets and persons); empty unless `session` drives."""
    if lease.session != session:
        return LeaseOffers(asking=[], watching=[])
    asking = [
        Asker(asker=each.session, name=name_of(each.person), until=milliseconds(each.ends_at_s))
        for each in lease.questions
    ]
    watchers = [Watcher(to=name, name=name_of(person)) for name, person in watching]
    return LeaseOffers(asking=asking, watching=watchers[:MAX_WATCHERS])


def _milliseconds_or_none(seconds: float | None) -> float | None:
    return None if seconds is None else milliseconds(seconds)


def ack_message(acknowledged: Acknowledged) -> Ack:
    """The acknowledgement of what was written to the radio, and when."""
    return Ack(
        axis=acknowledged.axis.value,
        seq=acknowledged.seq,
        clock=milliseconds(acknowledged.sent_at_s),
        written=milliseconds(acknowledged.written_s),
    )


def notice_message(notice_event: NoticeEvent) -> Notice:
    """The notice about an event of a hold."""
    return Notice(
        code=notice_event.code,
        axis="both" if notice_event.axis is None else notice_event.axis.value,
        hold=max(0, notice_event.hold),
    )


def _axis_state(state: EngineAxisState) -> AxisState:
    return AxisState(
        link=state.phase.value,
        reason="" if state.reason is None else state.reason.value,
        velocity=round(state.velocity, 3),  # units have a thousand speeds
        position_deg=state.position_deg,
        limit=state.limit,
        interval_ms=None if state.interval_s is None else round(state.interval_s * 1000, 1),
    )


class Outbox:
    """Messages that wait to be sent, at most one of each kind: a newer one replaces the older, in its place.

    So a peer that reads slowly, or never, costs a bounded amount of memory, and gets the newest state.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, ...], Outgoing] = {}
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, messages: Iterable[Outgoing]) -> None:
        """Add messages."""
        for message in messages:
            self._waiting[_kind(message)] = message
        if self._waiting:
            self._wake.set()

    def take_all(self) -> list[Outgoing]:
        """Remove and return all messages."""
        messages = list(self._waiting.values())
        self._waiting.clear()
        self._wake.clear()
        return messages

    async def take(self) -> Outgoing:
        """Remove and return the message whose kind has waited longest; waits until there is one."""
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
            return ("error", code, "" if hold is UNSET else "hold")  # hold numbers rise: only the newest matters
        case _:
            return (type(message).__name__,)
