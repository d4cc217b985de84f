from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from belvedere.stage.direct.announced_addresses import (
    FIRST_LOOK_UP_S,
    LOOK_UP_EVERY_S,
    MAX_ADDRESSES,
    AnnouncedAddresses,
    addresses_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Rig:
    """A name that is looked up when the test says so."""

    def __init__(self, *names: str) -> None:
        self.now_s = 0.0
        self.found = ["203.0.113.7"]
        self.threads: list[Callable[[], None]] = []
        self.announced = AnnouncedAddresses(
            names, lambda: self.now_s, look_up=lambda _name: self.found, start=self.threads.append
        )

    async def look_up(self) -> None:
        self.threads.pop()()
        await asyncio.sleep(0)


async def test_addresses_are_announced_as_they_are_without_a_look_up() -> None:
    rig = Rig("203.0.113.9", "2001:db8::9")
    assert await rig.announced.current() == ["203.0.113.9", "2001:db8::9"]
    assert not rig.threads


async def test_a_name_is_looked_up_in_a_thread_and_again_a_minute_later() -> None:
    rig = Rig("home.example.org", "203.0.113.7")
    waiting = asyncio.create_task(rig.announced.current())
    await asyncio.sleep(0)
    await rig.look_up()
    assert await waiting == ["203.0.113.7"]
    rig.now_s, rig.found = LOOK_UP_EVERY_S, ["203.0.113.8"]
    assert await rig.announced.current() == ["203.0.113.7"]  # nobody waits for the new address
    await rig.look_up()
    assert await rig.announced.current() == ["203.0.113.8", "203.0.113.7"]


async def test_a_look_up_that_hangs_delays_a_viewer_by_a_bounded_time() -> None:
    rig = Rig("home.example.org", "203.0.113.9")
    began_at = asyncio.get_running_loop().time()
    assert await rig.announced.current() == ["203.0.113.9"]
    assert asyncio.get_running_loop().time() - began_at == pytest.approx(FIRST_LOOK_UP_S)


def test_the_system_is_asked_for_a_names_addresses() -> None:
    assert set(addresses_of("localhost")) <= {"127.0.0.1", "::1"}
    assert 0 < len(addresses_of("localhost")) <= MAX_ADDRESSES
