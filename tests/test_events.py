"""Listeners get every event, and one that raises affects no other; which events the engine records."""

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


def test_every_listener_gets_every_event_in_order() -> None:
    stream = EventStream()
    one: list[Event] = []
    other: list[Event] = []
    stream.subscribe(one.append)
    stream.record(OPENED)
    stream.subscribe(other.append)
    stream.record(ENDED)
    assert one == [OPENED, ENDED]
    assert other == [ENDED]


def test_a_listener_that_raises_is_logged_and_the_next_one_is_called(caplog: pytest.LogCaptureFixture) -> None:
    stream = EventStream()
    received: list[Event] = []

    def fail(_event: Event) -> None:
        raise RuntimeError("no")

    stream.subscribe(fail)
    stream.subscribe(received.append)
    stream.record(OPENED)
    assert received == [OPENED]
    assert "SessionOpened" in caplog.text


def test_an_encoded_event_contains_its_name() -> None:
    assert msgspec.json.encode(ENDED) == b'{"event":"session_ended","session":"a1","person":"ana","reason":"left"}'


async def test_a_change_of_driver_is_recorded_once() -> None:
    async with open_rig() as rig:
        rig.engine.receive_session_opened("a1", "ana")
        rig.engine.receive_session_opened("b1", "ben", 1)
        rig.engine.receive_lease("a1", LeaseVerb.ACQUIRE)
        rig.engine.receive_lease("a1", LeaseVerb.ACQUIRE)
        rig.engine.receive_lease("b1", LeaseVerb.TAKE)
        rig.engine.receive_lease("b1", LeaseVerb.RETURN)
        changes = [event for event in rig.events if isinstance(event, DriverChanged)]
    assert [(change.session, change.person) for change in changes] == [("a1", "ana"), ("b1", "ben"), (None, None)]
    assert changes[0].epoch < changes[1].epoch


async def test_the_end_of_an_abandoned_lease_is_recorded() -> None:
    async with open_rig() as rig:
        rig.engine.receive_session_opened("a1", "ana")
        rig.engine.receive_lease("a1", LeaseVerb.ACQUIRE)
        rig.engine.receive_session_closed("a1")
        await asyncio.sleep(rig.options.lease_grace_s + 0.1)
    assert [event.session for event in rig.events if isinstance(event, DriverChanged)] == ["a1", None]


async def test_a_stop_is_recorded_with_its_session_and_the_hold_it_cut() -> None:
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


async def test_changes_of_links_are_recorded() -> None:
    async with open_rig() as rig:
        rig.lose(Axis.TILT)
    assert rig.events[-1] == UnitLinkChanged("tilt", "searching", None)
