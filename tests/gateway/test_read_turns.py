"""One connection reads in each turn of the loop, in the order of their requests."""

from __future__ import annotations

import asyncio

from belvedere.gateway.read_turns import ReadTurns


async def test_the_first_of_a_turn_reads_at_once_and_the_others_one_a_turn() -> None:
    turns, read = ReadTurns(), list[str]()
    for name in ("a", "b", "c"):
        turns.new(lambda name=name: read.append(name)).request()  # type: ignore[misc]  # a default, not an argument
    seen = []
    for _ in range(4):
        seen.append("".join(read))
        await asyncio.sleep(0)
    assert seen == ["a", "ab", "abc", "abc"]


async def test_a_connection_waits_for_one_turn_however_often_it_asks() -> None:
    turns, read = ReadTurns(), list[str]()
    turns.new(lambda: None).request()
    one, other = turns.new(lambda: read.append("one")), turns.new(lambda: read.append("other"))
    for _ in range(1000):
        one.request()
    other.request()
    for _ in range(4):
        await asyncio.sleep(0)
    assert read == ["one", "other"]


async def test_whoever_asks_again_while_it_reads_comes_after_those_that_wait() -> None:
    turns, read = ReadTurns(), list[str]()

    def read_greedily() -> None:
        read.append("greedy")
        if len(read) < 4:
            greedy.request()

    greedy = turns.new(read_greedily)
    greedy.request()
    turns.new(lambda: read.append("modest")).request()
    for _ in range(6):
        await asyncio.sleep(0)
    assert read == ["greedy", "greedy", "modest", "greedy"]


async def test_after_a_quiet_turn_the_next_reads_at_once() -> None:
    turns, read = ReadTurns(), list[str]()
    turn = turns.new(lambda: read.append("read"))
    turn.request()
    for _ in range(3):
        await asyncio.sleep(0)
    turn.request()
    assert read == ["read", "read"]
