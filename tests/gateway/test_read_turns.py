"""One connection reads in every few turns of the loop, in the order of their requests."""

from __future__ import annotations

import asyncio

from belvedere.gateway.read_turns import EVERY, ReadTurns


async def _pass_turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_first_reads_at_once_and_the_others_one_every_few_turns() -> None:
    turns, read = ReadTurns(), list[str]()
    for name in ("a", "b", "c"):
        turns.new(lambda name=name: read.append(name)).request()  # type: ignore[misc]  # a default, not an argument
    seen = []
    for _ in range(4 * EVERY):
        seen.append("".join(read))
        await asyncio.sleep(0)
    assert seen == ["a"] * EVERY + ["ab"] * EVERY + ["abc"] * 2 * EVERY


async def test_a_connection_waits_for_one_turn_however_often_it_asks() -> None:
    turns, read = ReadTurns(), list[str]()
    turns.new(lambda: None).request()
    one, other = turns.new(lambda: read.append("one")), turns.new(lambda: read.append("other"))
    for _ in range(1000):
        one.request()
    other.request()
    await _pass_turns(4 * EVERY)
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
    await _pass_turns(6 * EVERY)
    assert read == ["greedy", "greedy", "modest", "greedy"]


async def test_after_a_few_quiet_turns_the_next_reads_at_once() -> None:
    turns, read = ReadTurns(), list[str]()
    turn = turns.new(lambda: read.append("read"))
    turn.request()
    await _pass_turns(EVERY + 1)
    turn.request()
    assert read == ["read", "read"]


async def test_who_asks_within_the_few_turns_after_another_waits_for_their_end() -> None:
    turns, read = ReadTurns(), list[str]()
    turns.new(lambda: read.append("one")).request()
    await _pass_turns(EVERY - 1)
    turns.new(lambda: read.append("other")).request()
    assert read == ["one"]
    await _pass_turns(1)
    assert read == ["one", "other"]


async def test_strangers_without_number_delay_a_person_by_two_readings_at_most() -> None:
    turns, read = ReadTurns(), list[str]()
    strangers = [turns.new(lambda: read.append("stranger")) for _ in range(500)]
    person = turns.new(lambda: read.append("person"))
    person.is_of_person = True
    for stranger in strangers:
        stranger.request()
    person.request()
    await _pass_turns(3 * EVERY)
    assert "person" in read[:3]


async def test_people_without_end_leave_every_second_reading_to_strangers() -> None:
    turns, read = ReadTurns(), list[str]()

    def read_greedily() -> None:
        read.append("person")
        person.request()

    person = turns.new(read_greedily)
    person.is_of_person = True
    person.request()
    for _ in range(3):
        turns.new(lambda: read.append("stranger")).request()
    await _pass_turns(6 * EVERY + 1)
    assert read.count("stranger") == 3
    assert read[:4] == ["person", "stranger", "person", "stranger"]
