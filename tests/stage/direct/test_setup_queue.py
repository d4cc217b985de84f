from __future__ import annotations

import asyncio

from belvedere.stage.direct.setup_queue import SetupQueue

APART_S = 0.5


class Line:
    """Tasks that wait for turns, and when each got one."""

    def __init__(self) -> None:
        self.turns = SetupQueue(APART_S)
        self.began: list[tuple[str, float]] = []
        self.gone: set[str] = set()
        self._opened_at = asyncio.get_running_loop().time()

    async def wait(self, name: str) -> bool:
        if not await self.turns.take(lambda: name not in self.gone):
            return False
        self.began.append((name, round(asyncio.get_running_loop().time() - self._opened_at, 3)))
        return True


async def test_simultaneous_requests_get_turns_one_after_the_other_in_order() -> None:
    line = Line()
    await asyncio.gather(*map(line.wait, "abc"))
    assert line.began == [("a", 0.0), ("b", APART_S), ("c", 2 * APART_S)]


async def test_a_single_request_gets_its_turn_at_once() -> None:
    line = Line()
    await line.wait("a")
    await asyncio.sleep(10)
    await line.wait("b")
    assert line.began == [("a", 0.0), ("b", 10.0)]


async def test_an_unwanted_turn_costs_no_time() -> None:
    line = Line()
    waiting = [asyncio.create_task(line.wait(name)) for name in "abcd"]
    await asyncio.sleep(0.1)
    line.gone.update("bc")
    assert await asyncio.gather(*waiting) == [True, False, False, True]
    assert line.began == [("a", 0.0), ("d", APART_S)]


async def test_a_cancelled_request_leaves_the_queue() -> None:
    line = Line()
    waiting = [asyncio.create_task(line.wait(name)) for name in "abc"]
    await asyncio.sleep(0.1)
    waiting[1].cancel()
    await asyncio.wait(waiting)
    assert line.began == [("a", 0.0), ("c", APART_S)]
