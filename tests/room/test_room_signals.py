"""The chime rings for arrivals and knocks; the light is on exactly while anybody looks."""

from __future__ import annotations

import asyncio

from tests.room.test_signal_sender import Output

from belvedere.errors import SignalError
from belvedere.events import Knocked, TalkChimed, ViewerJoined, ViewerLeft
from belvedere.room.room_signals import RoomSignals

LONG_S = 5.0


class Rig:
    def __init__(self) -> None:
        self.chime, self.light = Output(), Output()
        self.signals = RoomSignals(self.chime, self.light, start=lambda run: run())
        self.changes = 0
        self.signals.watch(self._count)

    def _count(self) -> None:
        self.changes += 1


async def test_the_light_is_on_while_anybody_looks() -> None:
    rig = Rig()
    rig.signals.begin()
    for event in (
        ViewerJoined("a", "s", "stream"),
        ViewerJoined("b", "s", "webrtc"),
        ViewerLeft("a", "s", 1),
        ViewerLeft("a", "s", 1),
        ViewerLeft("b", "s", 1),
        ViewerLeft("unknown", "s", 1),
    ):
        rig.signals.receive(event)
        await asyncio.sleep(LONG_S)
    assert rig.light.told == ["off", "on", "off"]
    assert rig.chime.told == []
    await rig.signals.close()


async def test_the_chime_rings_for_whoever_comes_and_knocks() -> None:
    rig = Rig()
    rig.signals.receive_arrival()
    await asyncio.sleep(LONG_S)
    rig.signals.receive(Knocked("ana"))
    await asyncio.sleep(LONG_S)
    assert rig.chime.told == ["arrival", "knock"]
    await rig.signals.close()


async def test_the_faults_are_those_that_failed_last() -> None:
    rig = Rig()
    assert rig.signals.faults == frozenset()
    rig.chime.error = SignalError("no")
    rig.signals.receive_arrival()
    rig.signals.begin()
    await asyncio.sleep(LONG_S)
    assert (sorted(rig.signals.faults), rig.changes) == (["chime"], 1)
    await rig.signals.close()


async def test_a_room_without_signals_has_no_faults() -> None:
    signals = RoomSignals(None, None)
    signals.begin()
    signals.receive(Knocked("ana"))
    signals.receive(ViewerJoined("a", "s", "stream"))
    signals.receive_arrival()
    await signals.close()
    assert signals.faults == frozenset()


async def test_the_chime_rings_before_somebody_talks() -> None:
    rig = Rig()
    rig.signals.receive(TalkChimed("ann"))
    await asyncio.sleep(LONG_S)
    assert rig.chime.told == ["talk"]
    await rig.signals.close()
