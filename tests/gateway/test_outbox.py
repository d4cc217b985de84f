"""What waits for a slow peer is the newest of each kind, in the order in which the kinds began to wait."""

import asyncio

from msgspec import UNSET, UnsetType

from belvedere.gateway.messages import Ack, Error, Lease, Notice, Outgoing, Pong
from belvedere.gateway.outbox import Outbox


def pong(clock: float) -> Pong:
    return Pong(clock=clock, server=0)


def lease(epoch: int) -> Lease:
    return Lease(epoch=epoch, holder="you", can_take=True)


async def test_a_newer_message_takes_its_elders_place() -> None:
    outbox = Outbox()
    outbox.put([pong(1), lease(1)])
    outbox.put([pong(2), pong(3)])
    assert outbox.take_all() == [pong(3), lease(1)]
    assert len(outbox) == 0


async def test_taking_waits_for_a_message() -> None:
    outbox = Outbox()
    asyncio.get_running_loop().call_later(5, outbox.put, [pong(1)])
    assert await outbox.take() == pong(1)


async def test_an_empty_put_wakes_nobody() -> None:
    outbox = Outbox()
    outbox.put([])
    asyncio.get_running_loop().call_later(5, outbox.put, [lease(2)])
    assert await outbox.take() == lease(2)


async def test_axes_codes_and_holds_are_kinds_of_their_own() -> None:
    def ack(axis: str, seq: int) -> Outgoing:
        return Ack(axis="pan" if axis == "pan" else "tilt", seq=seq, clock=0, written=0)

    outbox = Outbox()
    refused = Error(code="too_fast", message="", closing=False)
    bad = Error(code="bad_message", message="", closing=False)
    cut = Notice(code="link_lost", axis="pan", hold=1)
    stopped = Notice(code="stopped", axis="both", hold=1)
    outbox.put([ack("pan", 1), ack("tilt", 1), refused, bad, cut, stopped, ack("pan", 2)])
    assert outbox.take_all() == [ack("pan", 2), ack("tilt", 1), refused, bad, cut, stopped]


async def test_a_refusal_about_a_hold_is_not_lost_to_one_that_is_not() -> None:
    def refused(hold: int | UnsetType = UNSET) -> Error:
        return Error(code="someone_else_drives", message="", closing=False, hold=hold)

    outbox = Outbox()
    outbox.put([refused(3), refused(4), refused()])
    assert outbox.take_all() == [refused(4), refused()]


async def test_a_peer_that_never_reads_costs_a_bounded_memory() -> None:
    outbox = Outbox()
    for number in range(10_000):
        outbox.put([pong(number), lease(number), Error(code="too_fast", message="", closing=False)])
    assert len(outbox) == 3
