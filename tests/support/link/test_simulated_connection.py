"""Connection events of a simulated link."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from tests.support.link.simulated_connection import Packet, SimulatedConnection

from belvedere.errors import LinkError, LinkReason

INTERVAL_S = 0.030


class FarEnd:
    """Notes what comes out of a connection, and when."""

    def __init__(self, *, packets_per_event: int = 1) -> None:
        self.received: list[tuple[float, bytes]] = []
        self.problem: LinkReason | None = None
        self.began = asyncio.get_running_loop().time()
        self.connection = SimulatedConnection(
            first_event_in_s=0.010,
            interval_s=INTERVAL_S,
            packets_per_event=packets_per_event,
            on_packet=self._receive,
            on_lost=lambda: None,
        )

    @property
    def times_s(self) -> list[float]:
        return [at - self.began for at, _frame in self.received]

    def _receive(self, packet: Packet) -> LinkReason | None:
        self.received.append((asyncio.get_running_loop().time(), packet.frame))
        return self.problem


async def reason_of(connection: SimulatedConnection, packet: Packet) -> LinkReason:
    with pytest.raises(LinkError) as caught:
        await connection.send(packet)
    return caught.value.reason


async def test_packets_leave_with_the_events_in_order() -> None:
    end = FarEnd()
    for number in range(4):
        await end.connection.send(Packet(bytes([number]), wants_answer=False))
    assert end.connection.waiting == 4
    await asyncio.sleep(1)
    assert [frame for _at, frame in end.received] == [b"\0", b"\1", b"\2", b"\3"]
    assert end.times_s == pytest.approx([0.010, 0.040, 0.070, 0.100])


async def test_an_event_carries_as_many_as_it_can() -> None:
    end = FarEnd(packets_per_event=3)
    for _ in range(4):
        await end.connection.send(Packet(b"x", wants_answer=False))
    await asyncio.sleep(1)
    assert end.times_s == pytest.approx([0.010, 0.010, 0.010, 0.040])


async def test_events_keep_their_grid_however_long_nothing_was_sent() -> None:
    end = FarEnd()
    for _ in range(5):
        await asyncio.sleep(0.377)
        await end.connection.send(Packet(b"x", wants_answer=False))
    await asyncio.sleep(1)
    steps = [(later - earlier) / INTERVAL_S for earlier, later in pairwise(end.times_s)]
    assert steps == pytest.approx([round(step) for step in steps])


async def test_an_answer_comes_with_the_event_after_the_one_that_carried_the_question() -> None:
    end = FarEnd()
    await end.connection.send(Packet(b"x", wants_answer=True))
    assert asyncio.get_running_loop().time() - end.began == pytest.approx(0.010 + INTERVAL_S)


async def test_a_refusal_is_an_answer() -> None:
    end = FarEnd()
    end.problem = LinkReason.REFUSED
    assert await reason_of(end.connection, Packet(b"x", wants_answer=True)) is LinkReason.REFUSED


async def test_an_unanswered_packet_waits_until_the_connection_is_closed() -> None:
    end = FarEnd()
    end.problem = LinkReason.UNANSWERED
    asyncio.get_running_loop().call_later(7, end.connection.close)
    assert await reason_of(end.connection, Packet(b"x", wants_answer=True)) is LinkReason.LOST
    assert asyncio.get_running_loop().time() - end.began == pytest.approx(7)


async def test_a_closed_connection_accepts_and_delivers_nothing() -> None:
    end = FarEnd()
    await end.connection.send(Packet(b"x", wants_answer=False))
    end.connection.close()
    assert await reason_of(end.connection, Packet(b"x", wants_answer=False)) is LinkReason.LOST
    await asyncio.sleep(1)
    assert end.received == []


async def test_a_muted_connection_expires_after_the_supervision_time() -> None:
    end = FarEnd()
    expired: list[float] = []
    end.connection.mute(0.42, lambda: expired.append(asyncio.get_running_loop().time() - end.began))
    end.connection.mute(0.42, lambda: expired.append(0))
    await asyncio.sleep(1)
    assert expired == pytest.approx([0.42])


async def test_after_a_short_silence_everything_arrives_late_including_the_answer() -> None:
    end = FarEnd()
    expired: list[int] = []
    asking = asyncio.create_task(end.connection.send(Packet(b"x", wants_answer=True)))
    await asyncio.sleep(0.015)
    end.connection.mute(0.42, lambda: expired.append(1))
    await end.connection.send(Packet(b"y", wants_answer=False))
    await asyncio.sleep(0.3)
    assert not asking.done()
    end.connection.unmute()
    end.connection.unmute()
    await asking
    await asyncio.sleep(1)
    assert [frame for _at, frame in end.received] == [b"x", b"y"]
    assert expired == []


async def test_a_cancelled_caller_gets_no_answer() -> None:
    end = FarEnd()
    asking = asyncio.create_task(end.connection.send(Packet(b"x", wants_answer=True)))
    await asyncio.sleep(0.015)
    asking.cancel()
    await asyncio.wait({asking})
    await asyncio.sleep(1)
    end.connection.close()
    assert asking.cancelled()
