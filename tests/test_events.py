"""Whoever listens is told of everything, and can harm neither the others nor whoever tells; what the engine records."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from tests.support.engine_rig import open_rig

from belvedere.control.lease import LeaseVerb
from belvedere.control.setpoint import Setpoint
from belvedere.events import (
    DriverChanged,
    Event,
    EventStream,
    HoldCut,
    SessionEnded,
    SessionOpened,
    StopRequested,
    UnitLinkChanged,
    ignore,
)
from belvedere.head.axes import Axis

if TYPE_CHECKING:
    import pytest

OPENED = SessionOpened("a1", "ana")
ENDED = SessionEnded("a1", "ana", "left")


def test_a_stream_without_listeners_takes_events() -> None:
    EventStream().record(OPENED)
    ignore(OPENED)


def test_every_listener_is_told_of_every_event_in_order() -> None:
    stream = EventStream()
    one: list[Event] = []
    other: list[Event] = []
    stream.subscribe(one.append)
    stream.record(OPENED)
    stream.subscribe(other.append)
    stream.record(ENDED)
    assert one == [OPENED, ENDED]
    assert other == [ENDED]


def test_a_listener_that_fails_is_logged_and_the_next_is_told(caplog: pytest.LogCaptureFixture) -> None:
    stream = EventStream()
    told: list[Event] = []

    def fail(_event: Event) -> None:
        raise RuntimeError("no")

    stream.subscribe(fail)
    stream.subscribe(told.append)
    stream.record(OPENED)
    assert told == [OPENED]
    assert "SessionOpened" in caplog.text


def test_an_event_carries_its_name_where_it_is_written_down() -> None:
    assert msgspec.json.encode(ENDED) == b'{"event":"session_ended","session":"a1","person":"ana","reason":"left"}'


async def test_who_drives_is_recorded_once_for_each_change() -> None:
    async with open_rig() as rig:
        rig.engine.receive_session_opened("a1", "ana")
        rig.engine.receive_session_opened("b1", "ben")
        rig.engine.receive_lease("a1", LeaseVerb.ACQUIRE)
        rig.engine.receive_lease("a1", LeaseVerb.ACQUIRE)
        rig.engine.receive_lease("b1", LeaseVerb.TAKE)
        rig.engine.receive_lease("b1", LeaseVerb.RETURN)
        changes = [event for event in rig.events if isinstance(event, DriverChanged)]
    assert [(change.session, change.person) for change in changes] == [("a1", "ana"), ("b1", "ben"), (None, None)]
    assert changes[0].epoch < changes[1].epoch


async def test_a_driver_that_goes_is_recorded_by_name_when_somebody_else_comes() -> None:
    async with open_rig() as rig:
        rig.engine.receive_session_opened("a1", "ana")
        rig.engine.receive_lease("a1", LeaseVerb.ACQUIRE)
        rig.engine.receive_session_closed("a1")
        await asyncio.sleep(rig.options.lease_grace_s + 0.1)
    assert [event.session for event in rig.events if isinstance(event, DriverChanged)] == ["a1", None]


async def test_a_stop_is_recorded_with_the_one_who_asked_and_what_it_cut() -> None:
    async with open_rig() as rig:
        rig.engine.receive_session_opened("a1", "ana")
        rig.engine.receive_session_opened("b1", "ben")
        rig.engine.receive_lease("a1", LeaseVerb.ACQUIRE)
        now = rig.clock()
        epoch = rig.engine.status.lease.epoch
        rig.engine.receive_drive("a1", Setpoint(epoch=epoch, hold=1, seq=1, pan=1, tilt=0, sent_at_s=now, heard_s=now))
        rig.engine.receive_stop("b1")
    assert StopRequested("b1", "ben") in rig.events
    assert HoldCut("a1", "stopped", None) in rig.events


async def test_links_are_recorded() -> None:
    async with open_rig() as rig:
        rig.lose(Axis.TILT)
    assert rig.events[-1] == UnitLinkChanged("tilt", "searching", None)
