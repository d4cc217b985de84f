from __future__ import annotations

import asyncio
import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest
from bumble import hci, ll
from hypothesis import given
from hypothesis import strategies as st

from belvedere.sim.controller import VirtualController
from belvedere.sim.virtual_link import PREPARE_S, Conditions, End, VirtualLink, times_s
from belvedere.testing.clock import run_in_virtual_time

if TYPE_CHECKING:
    from bumble.controller import Connection
    from bumble.core import PhysicalTransport

INTERVAL_S = 0.030
SUPERVISION_S = 0.420


class Listener(VirtualController):
    """A controller that is connected to every peer, and records what it receives."""

    def __init__(self, name: str, peer: hci.Address) -> None:
        super().__init__(name)
        self.received: list[tuple[float, bytes]] = []
        self.control: list[ll.ControlPdu] = []
        self.sent: list[int] = []
        self.is_lost = False
        self.something = asyncio.Event()
        connected: Any = object()
        entry: Connection = connected
        self.le_connections[peer] = entry

    def on_link_acl_data(self, sender_address: hci.Address, transport: PhysicalTransport, data: bytes) -> None:
        del sender_address, transport
        self.received.append((asyncio.get_running_loop().time(), data))
        self.something.set()

    def on_ll_control_pdu(self, sender_address: hci.Address, packet: ll.ControlPdu) -> None:
        del sender_address
        self.control.append(packet)

    def receive_sent(self, peer_address: hci.Address, size: int) -> None:
        del peer_address
        self.sent.append(size)

    def lose_connection(self, peer_address: hci.Address) -> None:
        del peer_address
        self.is_lost = True
        self.something.set()


class World:
    """A link between two recording controllers."""

    def __init__(self, conditions: Conditions | None = None, seed: int = 1) -> None:
        here, there = hci.Address("C0:00:00:00:00:01"), hci.Address("C0:00:00:00:00:02")
        self.central, self.unit = Listener("central", there), Listener("unit", here)
        self.closed: list[VirtualLink] = []
        self.link = VirtualLink(
            End(self.central, here),
            End(self.unit, there),
            interval_s=INTERVAL_S,
            supervision_s=SUPERVISION_S,
            conditions=conditions or Conditions(),
            rng=random.Random(seed),
            on_closed=self.closed.append,
        )
        self.down = self.link.direction_from(self.central)

    @property
    def times(self) -> list[float]:
        return [at_s for at_s, _ in self.unit.received]

    @property
    def received(self) -> list[bytes]:
        return [data for _, data in self.unit.received]


def numbered(count: int) -> list[bytes]:
    return [bytes([number]) for number in range(count)]


async def test_a_packet_is_sent_at_the_next_event_and_its_buffer_is_freed_then() -> None:
    world = World()
    start = asyncio.get_running_loop().time()
    world.down.put(b"abc")
    assert world.down.waiting == 1
    assert world.central.sent == []
    await asyncio.sleep(2 * INTERVAL_S)
    assert world.received == [b"abc"]
    assert world.times[0] - start <= INTERVAL_S + PREPARE_S
    assert world.central.sent == [3]
    assert world.down.waiting == 0


@pytest.mark.parametrize("packets_per_event", [1, 3])
async def test_an_event_carries_a_limited_number_of_packets(packets_per_event: int) -> None:
    world = World(Conditions(packets_per_event=packets_per_event))
    for data in numbered(9):
        world.down.put(data)
    await asyncio.sleep(12 * INTERVAL_S)
    assert world.received == numbered(9)
    events = [len(list(group)) for _, group in itertools.groupby(world.times)]
    assert events == [packets_per_event] * (9 // packets_per_event)
    gaps = [b - a for a, b in itertools.pairwise(dict.fromkeys(world.times))]
    assert gaps == pytest.approx([INTERVAL_S] * len(gaps))


async def test_an_answer_to_a_packet_is_sent_at_the_next_event() -> None:
    world = World()
    up = world.link.direction_from(world.unit)
    world.down.put(b"?")
    await world.unit.something.wait()
    up.put(b"!")
    await asyncio.sleep(2 * INTERVAL_S)
    assert world.central.received[0][0] - world.times[0] == pytest.approx(INTERVAL_S)


async def test_delay_comes_on_top_and_jitter_keeps_the_order() -> None:
    world = World(Conditions(delay_s=0.2, jitter_s=0.3, packets_per_event=2))
    start = asyncio.get_running_loop().time()
    for data in numbered(20):
        world.down.put(data)
    await asyncio.sleep(2)
    assert world.received == numbered(20)
    assert world.times[0] - start > 0.2


async def test_loss_delays_and_loses_nothing() -> None:
    world = World(Conditions(loss=0.5))
    for data in numbered(50):
        world.down.put(data)
    await asyncio.sleep(50 * 10 * INTERVAL_S)
    assert world.received == numbered(50)
    assert 75 < (world.times[-1] - world.times[0]) / INTERVAL_S < 150


async def test_a_muted_link_holds_all_packets_until_it_is_unmuted() -> None:
    world = World()
    world.link.mute()
    world.down.put(b"a")
    await asyncio.sleep(0.3)
    assert world.received == []
    world.link.unmute()
    await asyncio.sleep(1)
    assert world.received == [b"a"]
    assert not world.central.is_lost


async def test_muting_holds_back_a_packet_that_is_about_to_be_sent() -> None:
    world = World()
    world.down.put(b"a")
    world.link.mute()
    await asyncio.sleep(0.3)
    assert world.received == []


async def test_after_the_supervision_time_both_sides_lose_the_connection() -> None:
    world = World()
    start = asyncio.get_running_loop().time()
    world.link.mute()
    world.down.put(b"a")
    await world.unit.something.wait()
    assert (world.central.is_lost, world.unit.is_lost) == (True, True)
    assert asyncio.get_running_loop().time() - start == pytest.approx(SUPERVISION_S)
    assert world.closed == [world.link]
    world.link.unmute()
    await asyncio.sleep(1)
    assert world.received == []


async def test_a_link_that_is_cut_stays_muted_and_times_out() -> None:
    world = World()
    world.link.mute()
    world.link.cut()
    world.down.put(b"a")
    world.link.unmute()
    await asyncio.sleep(SUPERVISION_S + 0.1)
    assert world.received == []
    assert (world.central.is_lost, world.unit.is_lost) == (True, True)


async def test_closing_twice_has_no_further_effect() -> None:
    world = World()
    world.link.mute()
    world.link.close()
    world.link.close()
    world.link.mute()
    await asyncio.sleep(1)
    assert world.closed == [world.link]
    assert not world.central.is_lost


async def test_link_layer_packets_overtake_and_a_termination_ends_the_link() -> None:
    world = World()
    for data in numbered(5):
        world.down.put(data)
    world.down.put_control(ll.TerminateInd(0x13))
    await asyncio.sleep(1)
    assert world.received == []
    assert world.unit.control == [ll.TerminateInd(0x13)]
    assert world.closed == [world.link]


async def test_new_connection_parameters_apply_once_they_are_received() -> None:
    world = World()
    world.down.put_control(ll.ConnectionUpdateInd(interval=12, latency=0, timeout=72))
    await asyncio.sleep(2 * INTERVAL_S)
    for data in numbered(4):
        world.down.put(data)
    await asyncio.sleep(1)
    assert [b - a for a, b in itertools.pairwise(world.times)] == pytest.approx([0.015] * 3)
    assert world.link.supervision_s == pytest.approx(0.72)


def test_connection_parameters_count_in_bluetooths_units() -> None:
    assert times_s(24, 42) == pytest.approx((0.030, 0.420))


@pytest.mark.parametrize(
    "wrong", [{"packets_per_event": 0}, {"delay_s": -1.0}, {"jitter_s": -1.0}, {"loss": 1.0}, {"loss": -0.1}]
)
def test_impossible_conditions_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        Conditions(**wrong)


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=20), st.integers(1, 4), st.floats(0, 0.1), st.integers(0, 99))
def test_packets_arrive_once_in_order_on_the_grid_and_never_early(
    waits: list[float], packets_per_event: int, delay_s: float, seed: int
) -> None:
    async def scenario() -> None:
        world = World(Conditions(packets_per_event=packets_per_event, delay_s=delay_s, loss=0.2), seed)
        in_flight: list[float] = []
        for number, wait in enumerate(waits):
            await asyncio.sleep(wait)
            in_flight.append(asyncio.get_running_loop().time())
            world.down.put(bytes([number]))
        await asyncio.sleep(20)
        assert world.received == numbered(len(waits))
        assert all(arrived - put >= delay_s - PREPARE_S for put, arrived in zip(in_flight, world.times, strict=True))
        steps = [(at_s - world.times[0]) / INTERVAL_S for at_s in world.times]
        assert steps == pytest.approx([round(step) for step in steps], abs=1e-6)

    run_in_virtual_time(scenario())
